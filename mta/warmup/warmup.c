/* mta/warmup/warmup.c - plans in force, the pairs they stand for, and what lanes take. */
#include "mta/warmup/inside.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

struct warmup *warmup_of(struct engine *e)
{
	return engine_shared(e, &warmup_part);
}

unsigned warmup_generation(const struct warmup *w)
{
	return w ? atomic_load_explicit(&w->generation, memory_order_relaxed) : 0;
}

void warmup_news(struct warmup *w)
{
	atomic_fetch_add(&w->generation, 1);
}

const char *warmup_state_name(enum warmup_state s)
{
	static const char *const names[] = {
		[WARMUP_GOES] = "goes",     [WARMUP_SPENT] = "spent",   [WARMUP_HELD] = "held",
		[WARMUP_PAUSED] = "paused", [WARMUP_WARMED] = "warmed", [WARMUP_OFF] = "off",
	};

	return names[s];
}

/* ---- entries ----------------------------------------------------------------------------- */

static void entry_free(struct warmup_entry *e)
{
	list_remove(&e->link);
	free(e->provider);
	free(e->text);
	free(e->author);
	free(e);
}

static bool is_about(const struct warmup_entry *e, const struct ip *source, struct slice provider)
{
	return ip_eq(&e->source, source) && slice_eq(slice_str(e->provider), provider);
}

/* Orders before the configuration; of each kind there is one at most. */
static const struct warmup_entry *find_entry(const struct list *l, const struct ip *source,
					     struct slice provider)
{
	const struct warmup_entry *found = NULL;
	struct warmup_entry *e;

	list_each(l, e, struct warmup_entry, link)
		if (is_about(e, source, provider) && (!found || e->author))
			found = e;
	return found;
}

static const struct warmup_entry *entry_for(const struct list *l, const struct ip *source,
					    struct slice provider)
{
	const struct warmup_entry *e = find_entry(l, source, provider);

	return e ? e : find_entry(l, source, SLICE(WARMUP_ANY));
}

static struct warmup_entry *entry_new(const struct ip *source, struct slice provider)
{
	struct warmup_entry *e = must_alloc(sizeof(*e));

	list_init(&e->link);
	e->source = *source;
	e->provider = must_copy(provider);
	return e;
}

/* ---- pairs ------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct ip *source, struct slice provider)
{
	uint64_t h = hash_keyed(provider);

	return hash_mix(h ^ hash_keyed(slice_of(source->bytes, sizeof(source->bytes))) ^
			(uint64_t)(unsigned)source->family);
}

static struct warmup_own *find_own(const struct warmup *w, const struct ip *source,
				   struct slice provider)
{
	for (struct map_link *l = map_find(&w->pairs, hash_of(source, provider)); l;
	     l = map_find_next(l)) {
		struct warmup_own *o = container_of(l, struct warmup_own, link);
		if (ip_eq(&o->source, source) && slice_eq(slice_str(o->provider), provider))
			return o;
	}
	return NULL;
}

struct warmup_day *warmup_today(struct warmup_own *o)
{
	return o->date ? warmup_days_find(&o->days, o->date) : NULL;
}

bool warmup_is_limited(const struct warmup_own *o)
{
	return o->entry && o->entry->plan.n && (!o->warmed || o->pause);
}

static void look_if_warmed(struct warmup_own *o)
{
	const struct warmup_plan *plan = o->entry ? &o->entry->plan : NULL;

	o->warmed = false;
	for (unsigned i = 0; plan && i < o->days.n; i++)
		o->warmed = o->days.at[i].plan == WARMUP_NO_LIMIT && o->days.at[i].step >= plan->n;
}

/* Other plans and pauses are in force. */
static void attach(const struct warmup *w, struct warmup_own *o)
{
	struct warmup_day *today = warmup_today(o);
	const struct warmup_plan *plan;
	uint64_t before = o->plan_hash;

	o->entry = entry_for(&w->plans, &o->source, slice_str(o->provider));
	o->pause = entry_for(&w->pauses, &o->source, slice_str(o->provider));
	plan = o->entry ? &o->entry->plan : NULL;
	o->plan_hash = plan ? hash_stable(slice_str(o->entry->text)) : before;
	if (plan && plan->n && today &&
	    (!warmup_day_fits(today, plan) || (plan->first && before && before != o->plan_hash))) {
		warmup_day_replan(today, plan);
		desk_save(o);
	}
	look_if_warmed(o);
	desk_publish(o);
}

static void attach_all(struct warmup *w)
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&w->pairs, &pos, NULL); l; l = map_next(&w->pairs, &pos, l))
		attach(w, container_of(l, struct warmup_own, link));
	warmup_news(w);
}

/* NULL: there are too many. */
struct warmup_own *warmup_own_get(struct warmup *w, const struct ip *source, struct slice provider)
{
	struct warmup_own *o = find_own(w, source, provider);

	if (o)
		return o;
	if (w->pairs.count == WARMUP_PAIRS_MAX)
		return NULL;
	o = must_alloc(sizeof(*o));
	o->pair.whole = w;
	o->source = *source;
	o->provider = must_copy(provider);
	durable_wait_init(&o->wait, NULL);
	map_insert(&w->pairs, &o->link, hash_of(source, provider));
	attach(w, o);
	return o;
}

static struct warmup_pair *find_pair(struct warmup *w, const struct ip *source,
				     struct slice provider)
{
	const struct warmup_entry *e = entry_for(&w->plans, source, provider);
	struct warmup_own *o;

	if (!e || !e->plan.n)
		return NULL;
	o = warmup_own_get(w, source, provider);
	if (!o)
		return &w->surplus;
	return warmup_is_limited(o) ? &o->pair : NULL;
}

struct warmup_pair *warmup_find(struct warmup *w, const struct ip *source, struct slice provider)
{
	struct warmup_pair *p;

	if (!w || !atomic_load_explicit(&w->n_plans, memory_order_relaxed))
		return NULL;
	pthread_mutex_lock(&w->lock);
	p = find_pair(w, source, provider.n ? provider : SLICE(WARMUP_OTHER));
	pthread_mutex_unlock(&w->lock);
	return p;
}

/* ---- taking ------------------------------------------------------------------------------ */

/* The desk changes granted to 0 before it begins another date: whoever sees the new date sees none
 * of the old one's grant, and whoever saw the old one does not get past the exchange. */
bool warmup_take(struct warmup_pair *p)
{
	uint64_t left = atomic_load(&p->left);

	for (;;) {
		int32_t n = (int32_t)(uint32_t)left;
		if (n >= atomic_load(&p->allowed) || n >= atomic_load(&p->granted))
			return false;
		if (atomic_compare_exchange_weak(&p->left, &left, left + 1))
			return true;
	}
}

bool warmup_must_wait(struct warmup_pair *p)
{
	if (warmup_left(p) < atomic_load_explicit(&p->granted, memory_order_relaxed))
		return false;
	if (!atomic_exchange(&p->wanted, true))
		desk_ask(p->whole);
	return true;
}

void warmup_note(struct warmup_pair *p, enum warmup_result what, struct id128 job, uint32_t row)
{
	if (p == &p->whole->surplus)
		return;
	atomic_fetch_add_explicit(&p->n[WARMUP_TRIED], 1, memory_order_relaxed);
	if (what == WARMUP_TRIED)
		return;
	atomic_fetch_add_explicit(&p->n[what], 1, memory_order_relaxed);
	if (what == WARMUP_DELIVERED)
		recent_note(p->whole, p, job, row);
}

bool warmup_has_plans(const struct warmup *w)
{
	return w && atomic_load_explicit(&w->n_plans, memory_order_relaxed);
}

void warmup_recall(struct warmup_pair *p, struct id128 job, uint32_t row)
{
	if (p != &p->whole->surplus)
		recent_note(p->whole, p, job, row);
}

/* ---- rules ------------------------------------------------------------------------------- */

static const char expected[] = "expected SOURCE PROVIDER PLAN";

static bool split_key(struct slice key, struct ip *source, struct slice *provider)
{
	struct slice address;

	*source = (struct ip){ 0 };
	return slice_cut(key, '/', &address, provider) && warmup_is_provider(*provider) &&
	       (slice_eq(address, SLICE("*")) || ip_parse(address, source) == 0);
}

int warmup_rule_check(struct slice rule_key, struct slice rule_value, const char **ret_wrong)
{
	struct warmup_plan *plan;
	struct slice provider;
	struct ip source;
	int r = 0;

	*ret_wrong = expected;
	if (slice_strip(&rule_key, SLICE("warmup-pause/")))
		return split_key(rule_key, &source, &provider) ? 0 : E_SYNTAX;
	if (!slice_strip(&rule_key, SLICE("warmup/")) || !split_key(rule_key, &source, &provider))
		return E_SYNTAX;
	plan = must_alloc(sizeof(*plan));
	if (rule_value.n)
		r = warmup_plan_read(slice_take(&rule_value, '\n'), plan, ret_wrong);
	free(plan);
	return r;
}

static void drop_order(struct warmup *w, struct list *l, const struct ip *source,
		       struct slice provider)
{
	struct warmup_entry *e;

	list_each(l, e, struct warmup_entry, link)
		if (e->author && is_about(e, source, provider)) {
			entry_free(e);
			w->n_orders--;
		}
}

static void count_plans(struct warmup *w)
{
	const struct list *l = w->plans.next;
	unsigned n = 0;

	for (; l != &w->plans; l = l->next)
		n++;
	atomic_store(&w->n_plans, n);
}

/* With the lock. */
static void set_order(struct warmup *w, struct list *l, struct slice key, struct slice value)
{
	bool plans = l == &w->plans;
	struct warmup_entry *fresh = NULL;
	struct slice provider, text;
	const char *unused;
	struct ip source;

	if (!split_key(key, &source, &provider))
		return;
	text = plans ? slice_take(&value, '\n') : value;
	if (text.n && w->n_orders < 2 * WARMUP_PLANS_MAX) {
		fresh = entry_new(&source, provider);
		fresh->text = must_copy(text);
		fresh->author = must_copy(value);
		/* An order of an earlier version may say what this one does not take. */
		if (plans && warmup_plan_read(text, &fresh->plan, &unused) < 0) {
			log_warn("warmup.order", kv_slice("rule", key), kv_str("reason", unused));
			entry_free(fresh);
			fresh = NULL;
		}
	}
	drop_order(w, l, &source, provider);
	if (fresh) {
		list_push(l, &fresh->link);
		w->n_orders++;
	}
	count_plans(w);
}

static bool take_rule(struct warmup *w, struct slice key, struct slice value)
{
	if (slice_strip(&key, SLICE("warmup/")))
		set_order(w, &w->plans, key, value);
	else if (slice_strip(&key, SLICE("warmup-pause/")))
		set_order(w, &w->pauses, key, value);
	else
		return false;
	return true;
}

void warmup_rule_changed(struct engine *e, struct slice rule_key, struct slice rule_value)
{
	struct warmup *w = warmup_of(e);
	bool changed;

	pthread_mutex_lock(&w->lock);
	changed = take_rule(w, rule_key, rule_value);
	if (changed)
		attach_all(w);
	desk_soon(w);
	pthread_mutex_unlock(&w->lock);
	if (changed)
		engine_changed(e);
}

/* The configuration's lines, read anew. */
void warmup_read_lines(struct warmup *w)
{
	const struct warmup_options *o =
	    settings_of(engine_settings(w->engine), &warmup_option_set);
	struct warmup_entry *e;
	const char *unused;

	w->bounds = (struct warmup_bounds){
		.most = { [WARMUP_DEFERRED] = o->deferrals,
			  [WARMUP_BLOCKED] = o->blocks,
			  [WARMUP_BOUNCED] = o->bounces,
			  [WARMUP_COMPLAINTS] = o->complaints },
		.sample = o->sample,
		.release = o->release,
		.reached = o->reached,
	};
	list_each(&w->plans, e, struct warmup_entry, link)
		if (!e->author)
			entry_free(e);
	for (unsigned i = 0; i < o->n_lines; i++) {
		e = entry_new(&o->lines[i].source, slice_str(o->lines[i].provider));
		e->text = must_copy(slice_str(o->lines[i].text));
		if (warmup_plan_read(slice_str(e->text), &e->plan, &unused) == 0)
			list_push(&w->plans, &e->link);
		else
			entry_free(e); /* it was read when the options were */
	}
	count_plans(w);
	attach_all(w);
}

/* ---- life -------------------------------------------------------------------------------- */

static int load_rule(void *arg, struct slice key, struct slice value)
{
	(void)take_rule(arg, key, value);
	return 0;
}

static int load_day(void *arg, struct slice key, struct slice value)
{
	struct slice pair, date, provider;
	struct warmup *w = arg;
	struct warmup_own *o;
	struct warmup_day day;
	struct ip source;
	int32_t number;

	if (!slice_strip(&key, SLICE("warmup-day/")) || !slice_cut_last(key, '/', &pair, &date) ||
	    !split_key(pair, &source, &provider) || warmup_date_read(date, &number) < 0 ||
	    warmup_day_read(value, number, &day) < 0) {
		log_warn("warmup.unreadable", kv_slice("rule", key));
		return 0;
	}
	o = warmup_own_get(w, &source, provider);
	if (o)
		warmup_days_put(&o->days, &day);
	return 0;
}

int warmup_open(struct engine *e, void **ret_shared)
{
	struct warmup *w = must_alloc(sizeof(*w));
	int r;

	w->engine = e;
	w->surplus.whole = w;
	pthread_mutex_init(&w->lock, NULL);
	list_init(&w->plans);
	list_init(&w->pauses);
	map_init(&w->pairs);
	*ret_shared = w;
	r = spool_each_rule(engine_spool(e), SLICE("warmup/"), load_rule, w);
	if (r >= 0)
		r = spool_each_rule(engine_spool(e), SLICE("warmup-pause/"), load_rule, w);
	if (r >= 0)
		r = spool_each_rule(engine_spool(e), SLICE("warmup-day/"), load_day, w);
	warmup_read_lines(w);
	return r;
}

static void free_entries(struct list *l)
{
	struct warmup_entry *e;

	while ((e = list_first(l, struct warmup_entry, link)) != NULL)
		entry_free(e);
}

void warmup_close(void *shared)
{
	struct warmup *w = shared;
	struct map_link *l;

	while ((l = map_any(&w->pairs)) != NULL) {
		struct warmup_own *o = container_of(l, struct warmup_own, link);
		map_remove(&w->pairs, l);
		free(o->provider);
		free(o);
	}
	map_free(&w->pairs);
	free_entries(&w->plans);
	free_entries(&w->pauses);
	recent_end(w);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
