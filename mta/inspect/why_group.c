/* mta/inspect/why_group.c - what binds the mail of a tenant or campaign, at a provider, or from a
 * source. */
#include <inttypes.h>

#include "mta/inspect/inspect.h"
#include "mta/inspect/tell.h"
#include "mta/site/suspend.h"
#include "mta/site/way.h"

/* Mail does not wait for the answer: past these it is about a part. */
enum { LOOKS_MAX = 2 * 1024 * 1024 };

bool why_group_parse(const char *text, struct why_group *ret)
{
	static const char *const prefixes[] = { [WHY_TENANT] = "tenant/",
						[WHY_CAMPAIGN] = "campaign/",
						[WHY_PROVIDER] = "provider/",
						[WHY_SOURCE] = "source/" };

	for (unsigned i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t n = strlen(prefixes[i]);
		if (strncmp(text, prefixes[i], n) != 0)
			continue;
		*ret = (struct why_group){ .of = (enum why_of)i, .name = text + n };
		return i >= WHY_PROVIDER
			   ? text[n] != '\0'
			   : slice_u64(slice_str(text + n), UINT64_MAX, &ret->number) == 0;
	}
	return false;
}

/* ---- a tenant or campaign ---------------------------------------------------------------- */

struct places {
	struct pool *at[WHY_PLACES];
	unsigned n;
	uint64_t waiting[RCPT_STATES];
	uint32_t next_s;
	bool held; /* a rule holds a whole flow of it */
};

static bool is_of(const struct why_group *g, const struct flow *f)
{
	return (g->of == WHY_TENANT ? f->tenant : f->campaign) == g->number;
}

static void add_place(struct places *x, struct site *site, unsigned index)
{
	struct pool *p;

	if (!site)
		return;
	for (unsigned i = 0; i < x->n; i++)
		if (x->at[i]->site == site && x->at[i]->index == index)
			return;
	list_each(&site->pools, p, struct pool, link)
		if (p->index == index && x->n < WHY_PLACES)
			x->at[x->n++] = p;
}

static void look_at(struct places *x, const struct queue *q, const struct rcpt *r,
		    const struct flow *f)
{
	x->waiting[r->state]++;
	x->held = x->held || f->held;
	if (r->state == RCPT_DEFERRED && (!x->next_s || r->due_s < x->next_s))
		x->next_s = r->due_s;
	if (r->state == RCPT_READY)
		add_place(x, way_of(queue_domain_of(q, r))->site, f->to_pool);
}

static void tell_flows(struct teller *t, const struct why_group *g)
{
	const struct queue *q = t->queue;
	uint32_t end = MIN_OF(q->slab.used, (uint32_t)LOOKS_MAX);
	struct places x = { .n = 0 };

	for (rcpt_ref ref = 0; ref < end; ref++) {
		const struct rcpt *r = rcpt_at(&q->slab, ref);
		if (r->state != RCPT_FREE && r->state != RCPT_DEAD && is_of(g, queue_flow_of(q, r)))
			look_at(&x, q, r, queue_flow_of(q, r));
	}
	if (x.held || x.waiting[RCPT_HELD])
		tell(t, "hold", 0, "a rule holds %s", x.held ? "all of it" : "some of it");
	if (x.waiting[RCPT_DEFERRED])
		tell(t, "retry", queue_wall_ms(q, x.next_s),
		     "%" PRIu64 " recipients wait for their next try", x.waiting[RCPT_DEFERRED]);
	if (x.waiting[RCPT_ROUTING])
		tell(t, "dns", 0, "%" PRIu64 " recipients wait for DNS", x.waiting[RCPT_ROUTING]);
	if (x.waiting[RCPT_READY])
		tell(t, "waiting", 0, "%" PRIu64 " recipients are ready to go",
		     x.waiting[RCPT_READY]);
	if (x.waiting[RCPT_IN_FLIGHT])
		tell(t, "in-flight", 0, "%" PRIu64 " recipients are in a transaction",
		     x.waiting[RCPT_IN_FLIGHT]);
	for (unsigned i = 0; i < x.n; i++)
		binds_pool(t, x.at[i]);
}

/* ---- a provider, a source ---------------------------------------------------------------- */

static bool is_at(const struct site *site, const char *provider)
{
	struct slice name = site->provider ? slice_str(site->provider->name) : SLICE("");

	return slice_strip(&name, SLICE("provider ")) && slice_eq_nocase(name, slice_str(provider));
}

static bool has_source(const struct pool *p, const char *source)
{
	for (unsigned i = 0; i < p->turns.n; i++)
		if (strcmp(p->turns.at[i].source->text, source) == 0)
			return true;
	return false;
}

static bool tell_source(struct teller *t, const struct site *site, const char *source)
{
	const struct pool *p;
	bool any = false;

	list_each(&site->pools, p, struct pool, link)
		if (has_source(p, source)) {
			binds_pool(t, p);
			any = true;
		}
	return any;
}

static void tell_sites(struct teller *t, const struct why_group *g)
{
	struct map_link *l;
	unsigned told = 0;
	size_t pos = 0;

	for (l = map_next(&t->sites->map, &pos, NULL); l && told < WHY_PLACES;
	     l = map_next(&t->sites->map, &pos, l)) {
		struct site *site = container_of(l, struct site, link);
		if (g->of == WHY_SOURCE) {
			told += tell_source(t, site, g->name);
		} else if (is_at(site, g->name)) {
			binds_site(t, site);
			told++;
		}
	}
}

int why_group(struct lane *l, const struct why_group *g,
	      int (*each)(void *arg, const struct why_reason *r), void *arg)
{
	struct teller t = { .queue = queue_of(l), .sites = sites_of(l), .each = each, .arg = arg };

	t.one_tenant = g->of == WHY_TENANT;
	t.tenant = g->number;
	if (g->of == WHY_TENANT || g->of == WHY_CAMPAIGN)
		tell_flows(&t, g);
	else
		tell_sites(&t, g);
	return t.n;
}
