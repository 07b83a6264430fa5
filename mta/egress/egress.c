/* mta/egress/egress.c - names of pools, their sources, and the care of sources that fail. */
#include "mta/egress/egress.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "mta/door/conn.h"

/* One place of a pool: an entry with a weight.  Its pass says at which source the next site
 * begins. */
struct pool_place {
	uint16_t entry;
	uint64_t pass;
};
struct pool_name {
	struct map_link link;
	unsigned index;
	bool known; /* its places are those of the options in force */
	unsigned n_places;
	struct pool_place *places;
	char name[];
};
struct egress_counters {
	counter source_failures, source_recoveries, source_no_route;
	counter sources_failing; /* over all lanes; one lane alone may be below 0 */
};
struct egress {
	struct lane *lane;
	const struct egress_options *options;
	struct map by_name;
	struct pool_name *last; /* asked for last; most often the next one too */
	struct pool_name *names[POOLS_MAX];
	unsigned n_names;
	struct sources *table;               /* all lanes' */
	struct source *sources[SOURCES_MAX]; /* of the entries of the options in force */
	counter messages[SOURCES_MAX];       /* likewise */
	struct egress_news *news;            /* NULL: nobody wants to hear */
	struct timer look;                   /* at sources that fail; stopped while none does */
	struct egress_counters counters;
};

struct egress *egress_of(struct lane *l)
{
	return lane_state(l, &egress_part);
}

/* ---- pools ------------------------------------------------------------------------------- */

static struct pool_name *find_name(const struct egress *e, struct slice name)
{
	if (e->last && slice_eq(slice_str(e->last->name), name))
		return e->last;
	for (struct map_link *l = map_find(&e->by_name, hash_keyed(name)); l;
	     l = map_find_next(l)) {
		struct pool_name *p = container_of(l, struct pool_name, link);
		if (slice_eq(slice_str(p->name), name))
			return p;
	}
	return NULL;
}

unsigned egress_pool(struct egress *e, struct slice name)
{
	struct pool_name *p;

	if (!name.n)
		name = SLICE("default");
	p = find_name(e, name);
	if (p) {
		e->last = p;
		return p->index;
	}
	if (e->n_names == POOLS_MAX)
		return EGRESS_SURPLUS;
	p = must_alloc(sizeof(*p) + name.n + 1);
	memcpy(p->name, name.p, name.n);
	p->index = e->n_names;
	map_insert(&e->by_name, &p->link, hash_keyed(name));
	e->names[e->n_names] = p;
	return e->n_names++;
}

const char *egress_pool_name(const struct egress *e, unsigned pool)
{
	return pool < e->n_names ? e->names[pool]->name : "(too many pools)";
}

/* ---- turns ------------------------------------------------------------------------------- */

static void find_places(const struct egress *e, struct pool_name *p)
{
	const struct egress_options *o = e->options;

	p->places = must_resize(p->places, o->n_sources * sizeof(*p->places));
	p->n_places = 0;
	p->known = true;
	for (unsigned i = 0; i < o->n_sources; i++)
		if (o->sources[i].weight && e->sources[i] &&
		    strcmp(o->sources[i].pool, p->name) == 0)
			p->places[p->n_places++] =
			    (struct pool_place){ (uint16_t)i, turns_stride(o->sources[i].weight) };
}

/* The next site begins one further. */
static void turn_places(const struct egress *e, struct pool_name *p)
{
	struct pool_place *first = &p->places[0];
	uint64_t pass;

	for (unsigned i = 1; i < p->n_places; i++)
		if (p->places[i].pass < first->pass)
			first = &p->places[i];
	pass = first->pass;
	for (unsigned i = 0; i < p->n_places; i++)
		p->places[i].pass -= pass;
	first->pass += turns_stride(e->options->sources[first->entry].weight);
}

bool egress_begin_turns(struct egress *e, unsigned pool, struct turns *t)
{
	struct pool_name *p = pool < e->n_names ? e->names[pool] : NULL;

	if (p && !p->known)
		find_places(e, p);
	if (!p || !p->n_places)
		return false;
	(void)turns_begin(t, p->n_places);
	for (unsigned i = 0; i < p->n_places; i++) {
		unsigned at = p->places[i].entry;
		t->at[i] = (struct turn){
			.entry = &e->options->sources[at],
			.source = e->sources[at],
			.stride = turns_stride(e->options->sources[at].weight),
			.pass = p->places[i].pass,
		};
	}
	turn_places(e, p);
	return true;
}

void egress_no_source(const struct egress *e, unsigned pool, char *text, size_t cap)
{
	if (pool < e->n_names)
		(void)snprintf(text, cap, "egress.sources has no source for pool \"%.100s\"",
			       e->names[pool]->name);
	else
		(void)snprintf(text, cap, "queued mail names more than %d pools", (int)POOLS_MAX);
}

int64_t egress_slots_max(const struct egress *e)
{
	return e->options->connections;
}

void egress_count(struct egress *e, const struct egress_source *entry)
{
	const struct egress_source *first = e->options->sources;

	if (entry >= first && entry < first + e->options->n_sources) /* not of replaced options */
		count_add(&e->messages[entry - first], 1);
}

/* ---- sources that fail ------------------------------------------------------------------- */

static void look_soon(struct egress *e)
{
	struct timers *timers = lane_loop(e->lane)->timers;

	if (!timer_running(&e->look))
		timer_set(timers, &e->look, e->options->backoff_min);
}

static void fail(struct egress *e, struct source *source, int err)
{
	if (source_fail(source, err, e->options->backoff_min, clock_wall_ms())) {
		count_add(&e->counters.source_failures, 1);
		count_add(&e->counters.sources_failing, 1);
		log_warn("source.failed", kv_str("source", source->text), kv_err("reason", err),
			 kv_int("ms", e->options->backoff_min));
	}
	look_soon(e);
}

void egress_source_failed(struct egress *e, struct source *source, int err)
{
	fail(e, source, err);
}

void egress_no_way(struct egress *e, const struct source *source, const char *to, int err)
{
	count_add(&e->counters.source_no_route, 1);
	log_warn("source.no-way", kv_str("source", source->text), kv_str("ip", to),
		 kv_err("reason", err));
}

void egress_tell(struct egress *e, struct egress_news *n)
{
	e->news = n;
}

static void on_recovery(struct lane *l, struct slice text)
{
	struct egress *e = egress_of(l);

	(void)text;
	if (e && e->news)
		e->news->recovered(e->news);
}

static void look_at(struct egress *e, struct source *source)
{
	int r = conn_source_check(&source->ip);

	if (r < 0) {
		source_still(source, r, e->options->backoff_max, clock_wall_ms());
		return;
	}
	if (!source_well(source))
		return;
	count_add(&e->counters.source_recoveries, 1);
	count_sub(&e->counters.sources_failing, 1);
	log_info("source.recovered", kv_str("source", source->text),
		 kv_int("failed_ms", clock_wall_ms() - atomic_load(&source->failed_ms)));
	engine_tell_lanes(lane_engine(e->lane), on_recovery, SLICE(""));
}

/* A lane that has met a source that fails looks at all of them; each is looked at by one lane. */
static void on_look(struct timer *t)
{
	struct egress *e = container_of(t, struct egress, look);
	struct source *source;
	bool failing = false;

	for (unsigned i = 0; (source = sources_at(e->table, i)) != NULL; i++) {
		if (source_claim(source, clock_wall_ms()))
			look_at(e, source);
		failing = failing || source_err(source);
	}
	if (failing)
		look_soon(e);
}

/* ---- life -------------------------------------------------------------------------------- */

static int egress_open(struct engine *engine, void **ret_shared)
{
	(void)engine;
	*ret_shared = sources_new();
	return 0;
}

static void egress_close(void *shared)
{
	(void)sources_free(shared);
}

/* An address that is new is looked at before mail is risked on it. */
static struct source *meet(struct egress *e, const struct egress_source *entry)
{
	bool is_new;
	struct source *source = sources_get(e->table, &entry->ip, &is_new);
	int r;

	if (!source) {
		log_error("source.too-many", kv_str("source", entry->ip_text));
		return NULL;
	}
	r = is_new ? conn_source_check(&entry->ip) : 0;
	if (r < 0)
		fail(e, source, r);
	else if (source_err(source))
		look_soon(e);
	return source;
}

static void egress_reload(void *state)
{
	struct egress *e = state;

	e->options = settings_of(engine_settings(lane_engine(e->lane)), &egress_option_set);
	for (unsigned i = 0; i < e->options->n_sources; i++) {
		e->sources[i] = meet(e, &e->options->sources[i]);
		atomic_store(&e->messages[i], 0);
	}
	for (unsigned i = 0; i < e->n_names; i++)
		e->names[i]->known = false;
}

static int egress_start(struct lane *l, void **ret_state)
{
	struct egress *e = must_alloc(sizeof(*e));

	e->lane = l;
	e->table = engine_shared(lane_engine(l), &egress_part);
	map_init(&e->by_name);
	timer_init(&e->look, on_look);
	egress_reload(e);
	*ret_state = e;
	return 0;
}

static void egress_stop(void *state)
{
	struct egress *e = state;

	timer_stop(lane_loop(e->lane)->timers, &e->look);
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

bool egress_fact(struct engine *e, unsigned i, struct egress_fact *ret)
{
	const struct egress_options *o = settings_of(engine_settings(e), &egress_option_set);
	struct sources *table = engine_shared(e, &egress_part);
	struct source *source;

	if (i >= o->n_sources)
		return false;
	*ret = (struct egress_fact){ .entry = &o->sources[i] };
	for (unsigned k = 0; (source = sources_at(table, k)) != NULL; k++)
		if (ip_eq(&source->ip, &o->sources[i].ip))
			ret->source = source;
	for (unsigned k = 0; k < engine_lanes(e); k++)
		ret->messages += atomic_load(&egress_of(engine_lane(e, k))->messages[i]);
	return true;
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
	.reload = egress_reload,
	.stop = egress_stop,
	.close = egress_close,
	.counters = &counter_set,
	.counters_at = offsetof(struct egress, counters),
};
