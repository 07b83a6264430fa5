/* mta/inspect/binding.c - counts of those who wait, the orders that bind them, and where. */
#include "mta/inspect/binding.h"

#include <inttypes.h>

#include "base/clock.h"
#include "mta/queue/about.h"
#include "mta/site/relay.h"
#include "mta/site/suspend.h"
#include "mta/site/tenants.h"
#include "mta/site/way.h"

enum { HOLDS_TOLD = 4, SHUT_TOLD = 4 };

struct binding_place {
	struct pool *pool; /* sites and their pools stay until the lane ends */
	uint64_t n;
};
struct binding_shut {
	uint64_t tenant;
	struct pool *pool;
};
struct binding {
	uint64_t states[RCPT_STATES], held;
	uint32_t next_s;
	unsigned looked; /* for orders */
	struct rule_told holds[HOLDS_TOLD];
	uint64_t caps[RULE_CAPS_MAX];
	unsigned n_holds, n_caps, n_shut, n_places, last;
	struct binding_shut shut[SHUT_TOLD];
	struct binding_place places[BINDING_PLACES];
	uint64_t elsewhere; /* at others than these places */
	struct relay *lost; /* a smart host that cannot be used */
};

struct binding *binding_new(void)
{
	return must_alloc(sizeof(struct binding));
}

struct binding *binding_free(struct binding *w)
{
	free(w);
	return NULL;
}

/* ---- the orders -------------------------------------------------------------------------- */

static void note_hold(struct binding *w, const struct rule_told *hold)
{
	for (unsigned i = 0; i < w->n_holds; i++)
		if (strcmp(w->holds[i].text, hold->text) == 0)
			return;
	if (w->n_holds < HOLDS_TOLD)
		w->holds[w->n_holds++] = *hold;
}

static void note_cap(struct binding *w, uint64_t id)
{
	for (unsigned i = 0; i < w->n_caps; i++)
		if (w->caps[i] == id)
			return;
	if (w->n_caps < RULE_CAPS_MAX)
		w->caps[w->n_caps++] = id;
}

static void note_orders(struct binding *w, struct queue *q, const struct rcpt *r)
{
	struct rule_cap *caps[RULE_CAPS_MAX];
	struct rule_told hold;
	struct about a;
	unsigned n;

	if (!(rules_keys(q->rules, RULE_HOLD) | rules_keys(q->rules, RULE_CAP)) ||
	    w->looked == WHY_ORDERS_LOOKED)
		return;
	w->looked++;
	about_rcpt(&a, q, r, SELECTS_ALL);
	if (rules_hold_told(q->rules, &a.s, &hold))
		note_hold(w, &hold);
	n = rules_caps(q->rules, &a.s, caps);
	about_end(&a);
	for (unsigned i = 0; i < n; i++)
		note_cap(w, caps[i]->id);
}

static void tell_orders(const struct binding *w, struct teller *t)
{
	for (unsigned i = 0; i < w->n_holds; i++) {
		t->since_ms = w->holds[i].since_ms;
		tell(t, "hold", w->holds[i].until_ms, "a rule holds some of it: %.300s",
		     w->holds[i].text);
	}
	if (w->held && !w->n_holds)
		tell(t, "hold", 0, "a rule holds some of it");
	for (unsigned i = 0; i < w->n_caps; i++)
		tell_cap(t, w->caps[i], "some of it");
}

/* ---- the places -------------------------------------------------------------------------- */

static struct pool *pool_at(const struct site *site, unsigned index)
{
	struct pool *p;

	list_each(&site->pools, p, struct pool, link)
		if (p->index == index)
			return p;
	return NULL;
}

static void note_shut(struct binding *w, struct pool *p, uint64_t tenant)
{
	for (unsigned i = 0; i < w->n_shut; i++)
		if (w->shut[i].tenant == tenant && w->shut[i].pool == p)
			return;
	if (w->n_shut < SHUT_TOLD && tenants_wait_ms(p, tenant))
		w->shut[w->n_shut++] = (struct binding_shut){ tenant, p };
}

/* Those who wait at one place mostly come one after the other. */
static void note_place(struct binding *w, struct pool *p)
{
	if (w->last < w->n_places && w->places[w->last].pool == p) {
		w->places[w->last].n++;
		return;
	}
	for (w->last = 0; w->last < w->n_places; w->last++)
		if (w->places[w->last].pool == p)
			break;
	if (w->last == BINDING_PLACES) {
		w->elsewhere++;
		return;
	}
	if (w->last == w->n_places)
		w->places[w->n_places++] = (struct binding_place){ p, 0 };
	w->places[w->last].n++;
}

static void note_where(struct binding *w, struct queue *q, rcpt_ref ref)
{
	const struct rcpt *r = queue_rcpt(q, ref);
	struct way *way = way_of(queue_domain_of(q, r));
	struct relay *relay = relay_of(way, ref);
	struct site *site = relay ? relay->site : way->site;
	struct pool *p = site ? pool_at(site, queue_pool_of(q, r)) : NULL;

	if (relay && !relay->site)
		w->lost = relay;
	if (!p)
		return;
	note_place(w, p);
	if (tenants_matter(p))
		note_shut(w, p, queue_flow_of(q, r)->tenant);
}

void binding_note(struct binding *w, struct walk *walk, rcpt_ref ref)
{
	struct queue *q = walk_queue(walk);
	const struct rcpt *r = queue_rcpt(q, ref);

	w->states[r->state]++;
	w->held += r->state == RCPT_HELD || walk_is_held(walk, r);
	if (r->state == RCPT_DEFERRED && (!w->next_s || r->due_s < w->next_s))
		w->next_s = r->due_s;
	note_orders(w, q, r);
	if (r->state == RCPT_READY || r->state == RCPT_DEFERRED)
		note_where(w, q, ref);
}

/* ---- what is told ------------------------------------------------------------------------ */

static void tell_counts(const struct binding *w, struct teller *t)
{
	if (w->states[RCPT_DEFERRED])
		tell(t, "retry", queue_wall_ms(t->queue, w->next_s),
		     "%" PRIu64 " recipients wait for their next try", w->states[RCPT_DEFERRED]);
	if (w->states[RCPT_ROUTING])
		tell(t, "dns", 0, "%" PRIu64 " recipients wait for DNS", w->states[RCPT_ROUTING]);
	if (w->states[RCPT_READY])
		tell(t, "waiting", 0, "%" PRIu64 " recipients are ready to go",
		     w->states[RCPT_READY]);
	if (w->states[RCPT_IN_FLIGHT])
		tell(t, "in-flight", 0, "%" PRIu64 " recipients are in a transaction",
		     w->states[RCPT_IN_FLIGHT]);
}

void binding_tell_who(struct binding *w, struct teller *t)
{
	tell_orders(w, t);
	tell_counts(w, t);
}

static int by_number(const void *va, const void *vb)
{
	const struct binding_place *a = va, *b = vb;

	return a->n == b->n ? 0 : a->n < b->n ? 1 : -1;
}

static bool told_already(const struct binding *w, unsigned n, const struct site *site)
{
	for (unsigned i = 0; i < n; i++)
		if (w->places[i].pool->site == site)
			return true;
	return false;
}

/* The site without its pools, once. */
static void tell_site(const struct binding *w, unsigned i, struct teller *t)
{
	struct site *site = w->places[i].pool->site;

	if (told_already(w, i, site))
		return;
	if (site->relay)
		tell(t, "route", 0, "some of it goes to %.200s by the route %.100s",
		     site->relay->route->host, site->relay->route->name);
	binds_only_site(t, site);
}

void binding_tell_where(struct binding *w, struct teller *t)
{
	char text[WHY_TEXT_MAX];
	unsigned n = MIN_OF(w->n_places, (unsigned)WHY_PLACES);

	if (w->lost) {
		relay_explain(w->lost, text, sizeof(text));
		tell(t, "route", 0, "%s", text);
	}
	for (unsigned i = 0; i < w->n_shut; i++)
		tell(t, "tenant",
		     clock_wall_ms() + tenants_wait_ms(w->shut[i].pool, w->shut[i].tenant),
		     "tenant %" PRIu64 " is suspended at %s; postern rules says why",
		     w->shut[i].tenant, suspend_scope(w->shut[i].pool->site)->name);
	qsort(w->places, w->n_places, sizeof(w->places[0]), by_number);
	w->last = 0;
	for (unsigned i = 0; i < n; i++) {
		tell_site(w, i, t);
		binds_pool(t, w->places[i].pool);
	}
	for (unsigned i = n; i < w->n_places; i++)
		w->elsewhere += w->places[i].n;
	if (w->elsewhere)
		tell(t, "more", 0, "%" PRIu64 " recipients wait at other sites and pools",
		     w->elsewhere);
}
