/* mta/inspect/counts.c - how much waits, by domain, tenant, provider and so on. */
#include <stdio.h>

#include "message/judge/class.h"
#include "mta/inspect/inspect.h"
#include "base/hash.h"
#include "mta/site/pool.h"
#include "mta/site/relay.h"
#include "mta/site/way.h"

/* What only a look at the recipients tells, of a domain, flow, class or pool. */
struct ages {
	int64_t oldest_ms;
	uint32_t next_s;
	uint16_t attempts;
	bool own;                   /* some of it goes to the domain's own hosts */
	const struct relay *relay;  /* and some to this smart host; NULL: none does */
	uint32_t held[RCPT_STATES]; /* by a rule, though they are counted under this state */
	uint32_t n[RCPT_STATES];
};
/* Mail for a smart host, when it is counted by where it goes. */
struct relayed {
	const struct relay *relay;
	struct ages ages;
};
/* Where the mail of a flow to a domain goes; valid during a slice. */
struct hop {
	uint32_t flow, domain;
	const struct relay *relay;
	bool known;
};
enum { HOPS = 1024 };
struct inspect_counts {
	struct walk *walk;
	bool routed; /* there are routes */
	struct hop hops[HOPS];
	struct relayed relayed[ROUTES_MAX];
	unsigned n_relayed;
	struct queue *queue;
	enum inspect_by by;
	struct ages *ages;
	uint32_t n, cap;
	uint32_t told; /* groups that were given */
};

static bool is_by_domain(enum inspect_by by)
{
	return by == INSPECT_DOMAIN || by == INSPECT_SITE || by == INSPECT_PROVIDER ||
	       by == INSPECT_REPLY;
}

struct inspect_counts *inspect_counts_new(struct lane *l, enum inspect_by by)
{
	const struct selector all = { 0 };
	struct inspect_counts *c = must_alloc(sizeof(*c));

	c->walk = walk_new(l, &all);
	c->queue = queue_of(l);
	c->by = by;
	c->routed = sites_of(l)->routes->n > 0;
	/* All at once: to move a large array takes long.  Its pages come when they are used. */
	c->cap = MAX_OF(is_by_domain(by) ? c->queue->domains.n : c->queue->flows.n, 256U);
	c->ages = must_alloc(c->cap * sizeof(*c->ages));
	return c;
}

struct inspect_counts *inspect_counts_free(struct inspect_counts *c)
{
	if (c) {
		walk_free(c->walk);
		free(c->ages);
	}
	free(c);
	return NULL;
}

/* ---- the walk ---------------------------------------------------------------------------- */

/* It is counted by the next hop, and there are others than the domains' own hosts. */
static bool goes_elsewhere(const struct inspect_counts *c)
{
	return c->routed && (c->by == INSPECT_SITE || c->by == INSPECT_PROVIDER);
}

static bool is_by_pool(enum inspect_by by)
{
	return by == INSPECT_POOL || by == INSPECT_SOURCE;
}

static uint32_t group_of(const struct inspect_counts *c, const struct rcpt *r)
{
	if (is_by_domain(c->by))
		return r->domain;
	if (c->by == INSPECT_CLASS)
		return r->class;
	return is_by_pool(c->by) ? queue_pool_of(c->queue, r) : r->flow;
}

static struct ages *ages_of(struct inspect_counts *c, uint32_t group)
{
	if (group >= c->cap) {
		uint32_t cap = MAX_OF(c->cap * 2, MAX_OF(group + 1, 256U));
		c->ages = must_resize(c->ages, cap * sizeof(*c->ages));
		memset(c->ages + c->cap, 0, (cap - c->cap) * sizeof(*c->ages));
		c->cap = cap;
	}
	c->n = MAX_OF(c->n, group + 1);
	return &c->ages[group];
}

static const struct relay *relay_to(struct inspect_counts *c, const struct rcpt *r, rcpt_ref ref)
{
	struct hop *h = &c->hops[hash_mix((uint64_t)r->flow << 32 | r->domain) % HOPS];

	if (!h->known || h->flow != r->flow || h->domain != r->domain)
		*h = (struct hop){ r->flow, r->domain,
				   relay_of(way_of(queue_domain_of(c->queue, r)), ref), true };
	return h->relay;
}

/* Smart hosts that are gone from the configuration are few; past ROUTES_MAX they are not told
 * apart. */
static struct ages *ages_of_relay(struct inspect_counts *c, const struct relay *relay)
{
	for (unsigned i = 0; i < c->n_relayed; i++)
		if (c->relayed[i].relay == relay)
			return &c->relayed[i].ages;
	if (c->n_relayed == ROUTES_MAX)
		return &c->relayed[ROUTES_MAX - 1].ages;
	c->relayed[c->n_relayed].relay = relay;
	return &c->relayed[c->n_relayed++].ages;
}

/* Where its mail goes counts; of a domain it is only noted. */
static struct ages *ages_by_hop(struct inspect_counts *c, const struct rcpt *r, rcpt_ref ref)
{
	const struct relay *relay = relay_to(c, r, ref);
	struct ages *a;

	if (relay && goes_elsewhere(c))
		return ages_of_relay(c, relay);
	a = ages_of(c, group_of(c, r));
	a->own = a->own || !relay;
	a->relay = relay ? relay : a->relay;
	return a;
}

static bool note(void *arg, rcpt_ref ref)
{
	struct inspect_counts *c = arg;
	const struct rcpt *r = queue_rcpt(c->queue, ref);
	struct ages *a =
	    c->routed && is_by_domain(c->by) ? ages_by_hop(c, r, ref) : ages_of(c, group_of(c, r));
	int64_t accepted_ms = walk_accepted_ms(c->walk, r);

	if (accepted_ms && (!a->oldest_ms || accepted_ms < a->oldest_ms))
		a->oldest_ms = accepted_ms;
	if (r->state == RCPT_DEFERRED && (!a->next_s || r->due_s < a->next_s))
		a->next_s = r->due_s;
	a->attempts = MAX_OF(a->attempts, r->attempts);
	a->n[r->state]++;
	a->held[r->state] += r->state != RCPT_HELD && walk_is_held(c->walk, r);
	return true;
}

bool inspect_counts_go(struct inspect_counts *c)
{
	if (c->routed)
		memset(c->hops, 0, sizeof(c->hops));
	return walk_go(c->walk, WALK_SLICE_US, note, c);
}

/* ---- what it comes to -------------------------------------------------------------------- */

static int64_t shown_ms(const struct queue *q, uint32_t s) /* 0 stays: there is none */
{
	return s ? queue_wall_ms(q, s) : 0;
}

static int64_t paused_until(const struct queue *q, const struct domain *d, const struct ages *a)
{
	const struct way *w = way_of(d);
	const struct site *site = a->relay && !a->own ? a->relay->site : w->site;
	int64_t until = site ? site->backoff_until_ms : a->relay ? 0 : w->not_before_ms;

	return until > timers_now(q->loop->timers) ? walk_wall_ms(q, until) : 0;
}

/* Rules that hold some of a group move them to the held list one by one, when their turn comes;
 * whoever asks is told now. */
static void fill(struct inspect_counts *from, const struct ages *a, const uint32_t *n,
		 struct inspect_count *c)
{
	static const enum rcpt_state waiting[] = { RCPT_READY, RCPT_DEFERRED, RCPT_ROUTING };
	uint64_t *const to[] = { &c->ready, &c->deferred, &c->routing };

	c->oldest_ms = a->oldest_ms;
	c->next_ms = shown_ms(from->queue, a->next_s);
	c->attempts = a->attempts;
	c->held = n[RCPT_HELD];
	c->in_flight = n[RCPT_IN_FLIGHT];
	for (unsigned i = 0; i < ARRAY_LEN(waiting); i++) {
		uint32_t all = n[waiting[i]];
		uint32_t kept = MIN_OF(a->held[waiting[i]], all);
		c->held += kept;
		*to[i] = all - kept;
	}
}

static uint64_t total(const struct inspect_count *c)
{
	return c->ready + c->deferred + c->held + c->in_flight + c->routing;
}

static struct slice name_of(const struct domain *d, enum inspect_by by)
{
	struct slice site, provider;

	way_place(d, NULL, &site, &provider);
	if (by == INSPECT_DOMAIN)
		return domain_name(d);
	if (by == INSPECT_REPLY)
		return slice_of(d->reply, d->reply_n);
	return by == INSPECT_SITE ? site : provider;
}

enum { HOP_MAX = 600 };

/* Its own hosts, its smart host, or both. */
static struct slice site_of(const struct domain *d, const struct ages *a, char text[static HOP_MAX])
{
	struct slice own = name_of(d, INSPECT_SITE);
	bool both = a->own && own.n;
	int n;

	if (!a->relay)
		return own;
	n = snprintf(text, HOP_MAX, "%.*s%ssmart host %.100s", both ? (int)MIN_OF(own.n, 400) : 0,
		     own.p, both ? ", " : "", a->relay->route->name);
	return slice_of(text, (size_t)n);
}

typedef void each_count(void *arg, const struct inspect_count *c);

static bool each_domain(struct inspect_counts *from, unsigned most, each_count *each, void *arg)
{
	struct queue *q = from->queue;
	char text[HOP_MAX];

	for (; most && from->told < q->domains.n; most--) {
		uint32_t i = from->told++;
		const struct domain *d = domain_at(&q->domains, i);
		const struct ages *a = ages_of(from, i);
		if (!d || !d->live)
			continue;
		struct inspect_count c = {
			.name = name_of(d, from->by),
			.site = site_of(d, a, text),
			.code = d->code,
			.status = d->status,
			.reply = slice_of(d->reply, d->reply_n),
			.reply_ms = d->reply_ms,
			.paused_until_ms = paused_until(q, d, a),
		};
		fill(from, a, goes_elsewhere(from) ? a->n : d->n, &c);
		if (total(&c))
			each(arg, &c);
	}
	return from->told < q->domains.n;
}

static void each_relay(struct inspect_counts *from, each_count *each, void *arg)
{
	char text[HOP_MAX];

	for (unsigned i = 0; i < from->n_relayed; i++) {
		const struct relayed *r = &from->relayed[i];
		struct inspect_count c = { .name = SLICE("") };
		int n = snprintf(text, sizeof(text), "smart host %.100s", r->relay->route->name);

		if (from->by == INSPECT_SITE)
			c.name = slice_of(text, (size_t)n);
		else if (r->relay->site && r->relay->site->provider)
			c.name = slice_str(r->relay->site->provider->name);
		(void)slice_strip(&c.name, SLICE("provider "));
		fill(from, &r->ages, r->ages.n, &c);
		if (total(&c))
			each(arg, &c);
	}
}

/* A tenant or campaign has few flows; the caller adds up those that it is given twice. */
static bool each_flow(struct inspect_counts *from, unsigned most, each_count *each, void *arg)
{
	struct queue *q = from->queue;

	for (; most && from->told < q->flows.n; most--) {
		uint32_t i = from->told++;
		const struct flow *f = flow_at(&q->flows, i);
		if (!f || !f->live)
			continue;
		struct inspect_count c = {
			.name = from->by == INSPECT_STREAM ? queue_stream_of(q, f) : SLICE(""),
			.tenant = from->by == INSPECT_STREAM ? 0 : f->tenant,
			.campaign = from->by == INSPECT_CAMPAIGN ? f->campaign : 0,
		};
		fill(from, ages_of(from, i), f->n, &c);
		if (total(&c))
			each(arg, &c);
	}
	return from->told < q->flows.n;
}

static void each_source(const struct queue *q, unsigned pool, struct inspect_count *c,
			each_count *each, void *arg)
{
	const struct source *member;
	unsigned i;

	for (i = 0; (member = egress_source(q->egress, pool, i)) != NULL; i++) {
		c->name = slice_str(member->text);
		each(arg, c);
	}
	c->name = SLICE("");
	if (!i)
		each(arg, c);
}

/* Those that the walk itself counted. */
static void each_seen(struct inspect_counts *from, each_count *each, void *arg)
{
	struct queue *q = from->queue;

	for (uint32_t i = 0; i < from->n; i++) {
		struct inspect_count c = { .name = SLICE("") };
		fill(from, &from->ages[i], from->ages[i].n, &c);
		if (!total(&c))
			continue;
		if (from->by == INSPECT_CLASS && i)
			c.name = slice_str(judge_class_name((enum judge_class)(i - 1)));
		else if (from->by == INSPECT_POOL)
			c.name = slice_str(egress_pool_name(q->egress, i));
		if (from->by == INSPECT_SOURCE)
			each_source(q, i, &c, each, arg);
		else
			each(arg, &c);
	}
}

bool inspect_counts_each(struct inspect_counts *c, unsigned most, each_count *each, void *arg)
{
	if (is_by_domain(c->by)) {
		if (each_domain(c, most, each, arg))
			return true;
		each_relay(c, each, arg);
		return false;
	}
	if (c->by != INSPECT_CLASS && !is_by_pool(c->by))
		return each_flow(c, most, each, arg);
	each_seen(c, each, arg);
	return false;
}
