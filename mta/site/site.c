/* mta/site/site.c - the hosts of a site: picked in turn, marked bad, forgiven; its pauses. */
#include "mta/site/site.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "mta/site/channel.h"
#include "mta/site/pair.h"
#include "mta/site/relay.h"
#include "mta/site/reported.h"
#include "mta/site/shaping.h"

/* Tries recorded each time a site cannot be reached; of them in one turn. */
enum { BACKOFF_RECORDS = 100, BACKOFF_SLICE = 16 };
static bool defer_more(struct chore *c);

static struct site *find(struct sites *sites, struct slice name)
{
	for (struct map_link *l = map_find(&sites->map, hash_keyed(name)); l; l = map_find_next(l))
		if (slice_eq(slice_str(container_of(l, struct site, link)->name), name))
			return container_of(l, struct site, link);
	return NULL;
}

/* Its name says the hosts, the group of its shape, and what its policy sets apart.  Policies do not
 * multiply the connections: those are counted at the hosts and the group. */
struct site_names {
	struct buf counted, whole;
};

static void site_names_init(struct site_names *n)
{
	buf_init(&n->counted, 0);
	buf_init(&n->whole, 0);
}

static void site_names_free(struct site_names *n)
{
	buf_free(&n->counted);
	buf_free(&n->whole);
}

static void name_site(struct sites *sites, struct policy_facts *facts, struct slice domain,
		      struct site_names *n)
{
	shaping_site_name(sites, facts->route, domain, &n->counted);
	buf_put(&n->whole, buf_data(&n->counted));
	buf_putf(&n->whole, "%s", policy_facts_kind(facts));
	if (policy_facts_apart(facts))
		buf_putf(&n->whole, " of %s", facts->route->domain);
}

/* domain: the one that sets it apart; empty: it serves any. */
static struct site *begin(struct sites *sites, struct policy_facts *facts,
			  const struct site_names *n, struct slice domain)
{
	struct slice name = buf_data(&n->whole);
	struct site *s = must_alloc(sizeof(*s) + name.n + 1);

	memcpy(s->name, name.p, name.n);
	s->sites = sites;
	s->facts = policy_facts_ref(facts);
	s->route = facts->route;
	s->domain = domain.n ? must_copy(domain) : NULL;
	s->shared = limits_site(sites->limits, buf_data(&n->counted));
	list_init(&s->pools);
	chore_init(&s->deferring, defer_more);
	map_insert(&sites->map, &s->link, hash_keyed(name));
	shaping_site(s);
	count_add(&sites->counters.sites, 1);
	return s;
}

static void recheck(struct site *s)
{
	struct channel *ch;
	struct pool *p;

	list_each(&s->pools, p, struct pool, link)
		list_each(&p->channels, ch, struct channel, link)
			channel_recheck(ch);
}

/* The same hosts; another one may be the best, and that names the provider. */
static void use_facts(struct site *s, struct policy_facts *facts)
{
	bool same = strcmp(s->route->hosts[0].name, facts->route->hosts[0].name) == 0;
	bool other_policy = s->facts->digest != facts->digest;

	(void)policy_facts_ref(facts);
	(void)policy_facts_unref(s->facts);
	s->facts = facts;
	s->route = facts->route;
	if (!same)
		site_reshape(s);
	else if (other_policy)
		recheck(s);
	for (unsigned i = 0; i < SITE_ASKING; i++)
		if (s->asking[i])
			use_facts(s->asking[i], facts);
}

void site_reshape(struct site *s)
{
	struct pool *p;

	shaping_site(s);
	list_each(&s->pools, p, struct pool, link)
		pool_reshape(p);
}

struct site *site_get(struct sites *sites, struct policy_facts *facts, struct slice domain)
{
	struct site_names n;
	struct site *s;
	bool shared;

	site_names_init(&n);
	name_site(sites, facts, domain, &n);
	shared = slice_eq(buf_data(&n.counted), slice_str(facts->route->site)) &&
		 !policy_facts_apart(facts);
	s = find(sites, buf_data(&n.whole));
	if (!s)
		s = begin(sites, facts, &n, shared ? slice_of("", 0) : domain);
	site_names_free(&n);
	if (s->facts != facts)
		use_facts(s, facts);
	return s;
}

struct site *site_smart(struct sites *sites, struct policy_facts *facts, struct relay *relay)
{
	struct slice host = slice_str(relay->route->host);
	struct site_names n;
	struct site *s;

	site_names_init(&n);
	buf_putf(&n.counted, "smart host %s", relay->route->name);
	buf_put(&n.whole, buf_data(&n.counted));
	s = find(sites, buf_data(&n.whole));
	if (!s)
		s = begin(sites, facts, &n, host);
	s->relay = relay;
	site_names_free(&n);
	if (s->facts != facts)
		use_facts(s, facts);
	return s;
}

enum tls_word site_word(const struct site *s, int64_t shaped)
{
	return s->relay ? s->relay->route->tls : (enum tls_word)shaped;
}

static struct site *begin_asking(struct site *base, enum policy_asked asked, bool named_securely)
{
	struct site_names n;
	struct site *s;

	site_names_init(&n);
	buf_putf(&n.counted, "%s", base->shared->name);
	buf_putf(&n.whole, "%s%s%s", base->name,
		 asked == POLICY_ASKED_TLS ? " requiretls" : " tls-optional",
		 named_securely ? " signed" : "");
	s = begin(base->sites, base->facts, &n, slice_str(base->domain ? base->domain : ""));
	s->base = base;
	s->relay = base->relay;
	s->asked = asked;
	s->named_securely = named_securely;
	site_names_free(&n);
	return s;
}

struct site *site_asked(struct site *s, enum policy_asked asked, bool named_securely)
{
	struct site *base = site_base(s);
	unsigned i = asked == POLICY_ASKED_NO_TLS ? SITE_OPTIONAL
		     : named_securely             ? SITE_REQUIRES_SIGNED
						  : SITE_REQUIRES_UNSIGNED;

	if (asked == POLICY_ASKED_NOTHING)
		return base;
	if (!base->asking[i])
		base->asking[i] = begin_asking(base, asked, named_securely && i != SITE_OPTIONAL);
	return base->asking[i];
}

struct policy_demand site_demand(const struct site *s, unsigned i, enum tls_word word)
{
	return policy_facts_decide(s->facts, i, word, s->asked, s->named_securely);
}

/* ---- hosts ------------------------------------------------------------------------------- */

static void host_free(struct sites *s, struct host *h)
{
	map_remove(&s->hosts, &h->link);
	s->n_hosts--;
	tickets_drop(&h->tickets);
	pair_forget_cuts(h);
	shun_drop(&h->shunned);
	free(h);
}

/* Forgets an eighth of the unused hosts, whichever come first, with their tickets and marks. */
static void forget_hosts(struct sites *s)
{
	struct host *victims[256];
	struct map_link *l;
	size_t pos = 0, n = 0;

	for (l = map_next(&s->hosts, &pos, NULL); l && n < ARRAY_LEN(victims);
	     l = map_next(&s->hosts, &pos, l))
		if (!container_of(l, struct host, link)->channels)
			victims[n++] = container_of(l, struct host, link);
	while (n)
		host_free(s, victims[--n]);
}

/* A smart host's addresses are apart: what it says to us says nothing of a domain's host. */
static struct host *host_get(struct site *site, const struct ip *ip)
{
	struct sites *s = site->sites;
	uint64_t hash = hash_keyed(slice_of(ip->bytes, ip->family == AF_INET ? 4 : 16));
	struct host *h;

	for (struct map_link *l = map_find(&s->hosts, hash); l; l = map_find_next(l)) {
		h = container_of(l, struct host, link);
		if (ip_eq(&h->ip, ip) && h->relay == site->relay)
			return h;
	}
	if (s->n_hosts >= HOSTS_MAX)
		forget_hosts(s);
	h = must_alloc(sizeof(*h));
	h->ip = *ip;
	h->relay = site->relay;
	ip_format(ip, h->ip_text);
	h->ip_text_n = strlen(h->ip_text);
	map_insert(&s->hosts, &h->link, hash);
	s->n_hosts++;
	return h;
}

static bool refused(const struct site *s, unsigned i, enum tls_word word)
{
	return site_demand(s, i, word).refusal != NULL;
}

bool site_next_group(const struct site *s, struct site_group *g)
{
	const struct route *r = s->route;

	g->first = g->end;
	if (g->first >= r->n_hosts)
		return false;
	while (g->end < r->n_hosts && r->hosts[g->end].preference == r->hosts[g->first].preference)
		g->end++;
	return true;
}

static bool is_good(const struct site *s, const struct host *h, const struct site_fit *f)
{
	return h->bad_until_ms <= f->now_ms && !shun_holds(h->shunned, s, f->now_ms) &&
	       f->may(f, h);
}

/* From a place that moves with each pick. */
struct host *site_pick(struct site *s, const struct site_group *g, const struct site_fit *f,
		       const struct route_host **ret_mx)
{
	unsigned total = 0;

	for (unsigned i = g->first; i < g->end; i++)
		total += s->route->hosts[i].n_ips;
	for (unsigned k = 0; k < total; k++) {
		unsigned at = (s->turn + k) % total, i = g->first;
		while (at >= s->route->hosts[i].n_ips)
			at -= s->route->hosts[i++].n_ips;
		struct host *h = host_get(s, &s->route->hosts[i].ips[at]);
		if (!is_good(s, h, f) || refused(s, i, f->word))
			continue;
		*ret_mx = &s->route->hosts[i];
		s->turn += k + 1;
		return h;
	}
	return NULL;
}

bool site_has(struct site *s, const struct site_fit *f)
{
	for (unsigned i = 0; i < s->route->n_hosts; i++)
		for (unsigned k = 0; k < s->route->hosts[i].n_ips; k++) {
			struct host *h = host_get(s, &s->route->hosts[i].ips[k]);
			if (is_good(s, h, f) && !refused(s, i, f->word))
				return true;
		}
	return false;
}

void site_problem(struct site *s, const struct verdict *v, const char *whose)
{
	char reply[8] = "";

	if (v->code)
		(void)snprintf(reply, sizeof(reply), "%u ", v->code % 1000U);
	(void)snprintf(s->problem, sizeof(s->problem), "%s: %s%.*s", whose, reply,
		       (int)MIN_OF(v->text_n, 180), v->text);
	s->problem_code = v->code;
	s->problem_status = v->status;
	s->problem_ms = clock_wall_ms();
	*s->problem_ip = *s->problem_source = '\0';
}

/* RFC 8689 section 4.2.1: where DNS may give another answer, it is tried again. */
static struct status status_of_refusal(const struct site *s, unsigned i)
{
	bool may_change =
	    s->asked != POLICY_ASKED_TLS || s->facts->hosts[i].dane == POLICY_DANE_BROKEN;

	return may_change ? STATUS(4, 7, 5) : STATUS(5, 7, 10);
}

void site_blame_policy(struct site *s, enum tls_word word)
{
	struct policy_demand d;
	struct verdict v;

	for (unsigned i = 0; i < s->route->n_hosts; i++)
		if (!refused(s, i, word))
			return;
	d = site_demand(s, 0, word);
	verdict_set(&v, VERDICT_DEFERRED, status_of_refusal(s, 0), true, "%s", d.refusal);
	site_problem(s, &v, s->route->hosts[0].name);
	reported_refused(s, 0, &d);
	log_info("policy.refused", kv_str("site", s->name), kv_str("host", s->route->hosts[0].name),
		 kv_str("policy", policy_applied_name(d.applied)), kv_str("reason", d.refusal));
}

static int64_t pause_of_host(const struct site *s)
{
	int64_t pause = s->shape.v[SHAPE_HOST_BAD];

	return sites_now(s->sites) + pause + random_jitter(pause / 4);
}

static void note_failure(struct site *s, struct host *h, const struct verdict *v,
			 const char *source)
{
	site_problem(s, v, h->ip_text);
	(void)slice_copy(s->problem_ip, sizeof(s->problem_ip), slice_str(h->ip_text));
	(void)slice_copy(s->problem_source, sizeof(s->problem_source), slice_str(source));
	count_add(&s->sites->counters.sessions_failed, 1);
	log_info("session.failed", kv_str("site", s->name), kv_str("ip", h->ip_text),
		 kv_str("source", source), kv_int("code", v->code),
		 kv_slice("reason", verdict_text(v)));
}

void site_host_failed(struct site *s, struct host *h, const struct verdict *v, const char *source)
{
	h->bad_until_ms = pause_of_host(s);
	note_failure(s, h, v, source);
}

void site_host_refused(struct site *s, struct host *h, const struct verdict *v, const char *source)
{
	shun_set(&h->shunned, s, pause_of_host(s));
	note_failure(s, h, v, source);
}

void site_host_well(struct site *s, struct host *h)
{
	h->bad_until_ms = 0;
	s->backoff_ms = 0;
	s->backoff_until_ms = 0;
}

/* After a pause every address gets another chance, however bad it was. */
static void forgive_hosts_by(struct site *s, int64_t when_ms)
{
	for (unsigned i = 0; i < s->route->n_hosts; i++)
		for (unsigned k = 0; k < s->route->hosts[i].n_ips; k++) {
			struct host *h = host_get(s, &s->route->hosts[i].ips[k]);
			h->bad_until_ms = MIN_OF(h->bad_until_ms, when_ms);
			shun_end_by(h->shunned, s, when_ms);
			if (!when_ms)
				pair_forget_cuts(h);
		}
}

void site_forgive_hosts(struct site *s)
{
	forgive_hosts_by(s, 0);
}

/* No host will do, however often it is tried: none of them is only out of reach. */
static bool all_fall_short(struct site *s)
{
	int64_t now = sites_now(s->sites);

	for (unsigned i = 0; i < s->route->n_hosts; i++)
		for (unsigned k = 0; k < s->route->hosts[i].n_ips; k++) {
			struct host *h = host_get(s, &s->route->hosts[i].ips[k]);
			if (!shun_holds(h->shunned, s, now) && !refused(s, i, TLS_WORD_MAY))
				return false;
		}
	return true;
}

/* A path that does not meet REQUIRETLS is the end of the message (RFC 8689 section 4.2.1). */
static bool ends_all(struct site *s)
{
	return s->asked == POLICY_ASKED_TLS && s->problem_status.class == 5 && !s->problem_code &&
	       all_fall_short(s);
}

/* The name of the host with this address; the best one's where none has it. */
static const char *host_of(const struct site *s, const char *ip_text)
{
	const struct route *r = s->route;
	struct ip ip;

	if (*ip_text && ip_parse(slice_str(ip_text), &ip) == 0)
		for (unsigned i = 0; i < r->n_hosts; i++)
			for (unsigned k = 0; k < r->hosts[i].n_ips; k++)
				if (ip_eq(&r->hosts[i].ips[k], &ip))
					return r->hosts[i].name;
	return r->hosts[0].name;
}

/* Defers some of those that wait, so that their try is recorded.  Many sites may be lost in one
 * turn: each of them does little in it. */
static void defer_some(struct site *s)
{
	unsigned n = MIN_OF(s->to_defer, (unsigned)BACKOFF_SLICE);
	struct decision d = {
		.kind = ends_all(s) ? OUTCOME_BOUNCED : OUTCOME_DEFERRED,
		.code = s->problem_code,
		.status = s->problem_status,
		.text = slice_str(s->problem),
		.host = slice_str(host_of(s, s->problem_ip)),
		.ip = slice_str(s->problem_ip),
		.source = slice_str(s->problem_source),
	};
	struct pool *p;

	if (!*s->problem) { /* others found its addresses bad */
		d.status = STATUS(4, 4, 1);
		d.text = SLICE("none of its hosts could be reached a moment ago");
	}
	list_each(&s->pools, p, struct pool, link)
		pool_decide(p, &d, n);
	s->to_defer -= n;
	if (s->to_defer)
		chore_begin(s->sites->lane, &s->deferring);
}

static bool defer_more(struct chore *c)
{
	struct site *s = container_of(c, struct site, deferring);

	if (s->backoff_until_ms && !s->sites->stopping) /* else it is tried again already */
		defer_some(s);
	return false; /* or it was begun again */
}

void site_back_off(struct site *s)
{
	const int64_t *v = s->shape.v;
	int64_t now = sites_now(s->sites);
	struct pool *p;
	int64_t pause;

	if (s->backoff_until_ms > now)
		return;
	s->backoff_ms =
	    s->backoff_ms ? MIN_OF(s->backoff_ms * 2, v[SHAPE_BACKOFF_MAX]) : v[SHAPE_BACKOFF_MIN];
	pause = s->backoff_ms + random_jitter(s->backoff_ms / 4);
	s->backoff_until_ms = now + pause;
	forgive_hosts_by(s, s->backoff_until_ms);
	count_add(&s->sites->counters.site_backoffs, 1);
	log_info("site.backoff", kv_str("site", s->name), kv_int("ms", pause),
		 kv_str("reason", s->problem));
	s->to_defer = BACKOFF_RECORDS;
	defer_some(s);
	list_each(&s->pools, p, struct pool, link)
		timer_set(s->sites->loop->timers, &p->timer, pause);
}

/* ---- the end ----------------------------------------------------------------------------- */

void site_end_channels(struct site *s)
{
	struct pool *p;

	list_each(&s->pools, p, struct pool, link)
		pool_end_channels(p);
}

void site_free(struct site *s)
{
	struct list *l;

	while ((l = list_pop(&s->pools)) != NULL)
		pool_free(container_of(l, struct pool, link));
	chore_stop(&s->deferring);
	map_remove(&s->sites->map, &s->link);
	(void)policy_facts_unref(s->facts);
	free(s->domain);
	free(s);
}

void site_free_hosts(struct sites *s)
{
	struct map_link *l;

	while ((l = map_any(&s->hosts)) != NULL)
		host_free(s, container_of(l, struct host, link));
}
