/* mta/egress/part.c - sources and pools as a part of the engine, and what an operator sees. */
#include "base/log.h"
#include "mta/egress/inside.h"

/* ---- what lanes share -------------------------------------------------------------------- */

static struct egress_shared *shared_of(struct engine *e)
{
	return engine_shared(e, &egress_part);
}

static int load_order(void *arg, struct slice key, struct slice value)
{
	int r = ordered_set(arg, key, value);

	if (r < 0)
		log_error("source.order-unreadable", kv_slice("rule", key), kv_err("reason", r));
	return 0;
}

static int egress_open(struct engine *engine, void **ret_shared)
{
	struct egress_shared *s = must_alloc(sizeof(*s));

	s->sources = sources_new();
	s->ordered = ordered_new();
	s->numbered = numbered_new();
	*ret_shared = s;
	return spool_each_rule(engine_spool(engine), SLICE("source-"), load_order, s->ordered);
}

static void egress_close(void *shared)
{
	struct egress_shared *s = shared;

	(void)sources_free(s->sources);
	(void)ordered_free(s->ordered);
	(void)numbered_free(s->numbered);
	free(s);
}

int egress_rule_changed(struct engine *e, struct slice rule_key, struct slice rule_value)
{
	int r = ordered_set(shared_of(e)->ordered, rule_key, rule_value);

	engine_changed(e);
	return r;
}

/* ---- the lane's roster ------------------------------------------------------------------- */

static void fill(struct egress *e)
{
	struct roster *r = &e->roster;

	e->generation = ordered_generation(e->shared->ordered);
	roster_fill(r, e->options, e->shared->ordered);
	for (unsigned i = 0; i < r->n; i++) {
		e->sources[i] = care_meet(e, r->at[i].entry);
		e->numbers[i] = (uint16_t)numbered_number(e->shared->numbered, r->at[i].entry);
	}
	for (unsigned i = 0; i < e->n_names; i++)
		e->names[i]->known = false;
	e->changes++;
}

static void egress_reload(void *state)
{
	struct egress *e = state;

	e->options = settings_of(engine_settings(lane_engine(e->lane)), &egress_option_set);
	fill(e);
}

static void egress_changed(void *state)
{
	struct egress *e = state;

	if (e->generation != ordered_generation(e->shared->ordered))
		fill(e);
}

/* ---- life -------------------------------------------------------------------------------- */

static int egress_start(struct lane *l, void **ret_state)
{
	struct egress *e = must_alloc(sizeof(*e));

	e->lane = l;
	e->shared = shared_of(lane_engine(l));
	map_init(&e->by_name);
	care_init(e);
	egress_reload(e);
	*ret_state = e;
	return 0;
}

static void egress_stop(void *state)
{
	struct egress *e = state;

	care_end(e);
	while (e->n_names) {
		struct pool_name *p = e->names[--e->n_names];
		map_remove(&e->by_name, &p->link);
		free(p->places);
		free(p);
	}
	map_free(&e->by_name);
	free(e);
}

/* ---- what an operator sees --------------------------------------------------------------- */

static struct source *known(struct egress_shared *s, const struct ip *ip)
{
	struct source *source;

	for (unsigned k = 0; (source = sources_at(s->sources, k)) != NULL; k++)
		if (ip_eq(&source->ip, ip))
			return source;
	return NULL;
}

static void find_added(struct egress_shared *s, struct egress_fact *f)
{
	struct ordered_added *added = must_alloc(ORDERED_MAX * sizeof(*added));
	unsigned n = ordered_each_added(s->ordered, added, ORDERED_MAX);

	for (unsigned i = 0; i < n; i++)
		if (added[i].entry == f->entry) {
			f->added_ms = added[i].since_ms;
			memcpy(f->added_why, added[i].why, sizeof(f->added_why));
		}
	free(added);
}

static void find_fact(struct engine *e, const struct roster_place *at, struct egress_fact *ret)
{
	struct egress_shared *s = shared_of(e);
	unsigned number = numbered_number(s->numbered, at->entry);

	*ret = (struct egress_fact){ .entry = at->entry,
				     .source = known(s, &at->entry->ip),
				     .order = ordered_of(s->ordered, &at->entry->ip) };
	if (at->added)
		find_added(s, ret);
	for (unsigned k = 0; k < engine_lanes(e); k++)
		ret->messages += atomic_load(&egress_of(engine_lane(e, k))->messages[number]);
}

bool egress_fact(struct engine *e, unsigned i, struct egress_fact *ret)
{
	const struct egress_options *o = settings_of(engine_settings(e), &egress_option_set);
	struct roster *r = must_alloc(sizeof(*r));
	bool found;

	roster_fill(r, o, shared_of(e)->ordered);
	found = i < r->n;
	if (found)
		find_fact(e, &r->at[i], ret);
	free(r);
	return found;
}

#define ROW(member, type, help) COUNTER_ROW(egress_counters, member, type, help)
static const struct counter_row counter_rows[] = {
	ROW(source_failures, COUNTER, "Source addresses that could not be used, each time anew"),
	ROW(source_recoveries, COUNTER, "Source addresses that could be used again"),
	ROW(source_no_route, COUNTER, "Hosts that this machine would not reach from a source"),
	ROW(sources_failing, GAUGE, "Source addresses that cannot be used now"),
};
static const struct counter_set counter_set = { counter_rows, ARRAY_LEN(counter_rows) };

const struct part egress_part = {
	.name = "egress",
	.open = egress_open,
	.start = egress_start,
	.changed = egress_changed,
	.reload = egress_reload,
	.stop = egress_stop,
	.close = egress_close,
	.counters = &counter_set,
	.counters_at = offsetof(struct egress, counters),
};
