/* mta/warmup/desk.c - once a second: dates, what is granted, what is held back; the records. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/warmup/inside.h"

enum { IDLE_MS = 10 * 1000, LEASES = 20 };

struct warmup_counters {
	counter warmup_moves, warmup_holds;
	counter warmup_pairs, warmup_pairs_held, warmup_pairs_paused, warmup_pairs_spent;
};
struct warmup_desk {
	struct lane *front;
	struct warmup *w;
	struct timer timer;
	bool told; /* something that lanes found is another one */
	struct warmup_counters counters;
};

static const char *name_of(const struct warmup_own *o, char text[IP_TEXT_MAX])
{
	return o->source.family ? ip_format(&o->source, text) : "*";
}

/* ---- records ----------------------------------------------------------------------------- */

static void key_of(const struct warmup_own *o, int32_t date, char *key, size_t cap)
{
	char source[IP_TEXT_MAX], day[WARMUP_DATE_MAX];

	warmup_date_show(date, day);
	(void)snprintf(key, cap, "warmup-day/%s/%s/%s", name_of(o, source), o->provider, day);
}

static int put_day(struct warmup_own *o, int32_t date, const char *value, lsn_t *ret)
{
	char key[IP_TEXT_MAX + WARMUP_NAME_MAX + 64];
	int r;

	key_of(o, date, key, sizeof(key));
	r = spool_put_rule(engine_spool(o->pair.whole->engine), slice_str(key), slice_str(value),
			   ret);
	if (r < 0 && !o->failing)
		log_warn("warmup.unrecorded", kv_str("rule", key), kv_err("reason", r));
	o->failing = r < 0;
	return r;
}

static int save(struct warmup_own *o, const struct warmup_day *day, lsn_t *ret)
{
	char value[WARMUP_VALUE_MAX];
	int r;

	warmup_day_show(day, value);
	r = put_day(o, day->date, value, ret);
	if (r == 0) {
		o->dirty = false;
		o->saved_ms = clock_wall_ms();
	}
	return r;
}

void desk_save(struct warmup_own *o)
{
	const struct warmup_day *today = warmup_today(o);
	lsn_t unused;

	if (today && save(o, today, &unused) < 0)
		o->dirty = true;
}

static void forget_day(struct warmup_own *o, int32_t date)
{
	lsn_t unused;

	(void)!put_day(o, date, "", &unused);
}

/* ---- what lanes may do ------------------------------------------------------------------- */

void desk_publish(struct warmup_own *o)
{
	const struct warmup_day *today = warmup_today(o);
	struct warmup_pair *p = &o->pair;
	bool free_to_go = !warmup_is_limited(o);

	if (free_to_go)
		atomic_store(&p->granted, INT32_MAX);
	else if (atomic_load(&p->granted) == INT32_MAX)
		atomic_store(&p->granted, today ? warmup_left(p) : 0);
	if (!free_to_go && (o->pause || (today && today->held != WARMUP_GOOD)))
		atomic_store(&p->allowed, 0);
	else
		atomic_store(&p->allowed, free_to_go || !today ? INT32_MAX : today->plan);
}

static void on_durable(struct durable_wait *wait, int err)
{
	struct warmup_own *o = container_of(wait, struct warmup_own, wait);

	o->waits = false;
	if (err == 0 && o->granting_number == o->number)
		atomic_store(&o->pair.granted, o->granting);
}

/* More may leave when it is written that it may. */
static void grant(struct warmup_desk *d, struct warmup_own *o, struct warmup_day *today)
{
	int32_t left = warmup_left(&o->pair), granted = atomic_load(&o->pair.granted);
	int32_t lease = MAX_OF(today->plan / LEASES, (int32_t)WARMUP_LEASE_MIN);
	int32_t goal = (int32_t)MIN_OF((int64_t)today->plan, (int64_t)left + lease);
	int32_t before = today->leaves;
	lsn_t lsn;

	if (o->waits || o->pause || today->held != WARMUP_GOOD || goal <= granted ||
	    granted - left > lease / 2)
		return;
	today->leaves = goal;
	if (save(o, today, &lsn) < 0) {
		today->leaves = before;
		return;
	}
	o->granting = goal;
	o->granting_number = o->number;
	o->waits = true;
	durable_wait_init(&o->wait, on_durable);
	lane_wait_durable(d->front, &o->wait, lsn);
}

/* ---- dates ------------------------------------------------------------------------------- */

/* What was granted and did not leave did not leave.  The exchange ends the date for lanes that
 * still see its grant, so that the number is what left, exactly. */
static void end_date(struct warmup_own *o)
{
	struct warmup_day *today = warmup_today(o);
	uint64_t left;

	atomic_store(&o->pair.granted, 0);
	left = atomic_exchange(&o->pair.left, (uint64_t)++o->number << 32);
	if (!today || o->warmed)
		return;
	today->leaves = (int32_t)(uint32_t)left;
	desk_save(o);
}

/* The clock shows another date: a new one, or one that was before. */
static void turn_date(struct warmup_desk *d, struct warmup_own *o, int32_t date)
{
	const struct warmup_day *today;

	end_date(o);
	o->date = date;
	o->spent_ms = 0;
	today = warmup_today(o);
	atomic_store(&o->pair.left,
		     (uint64_t)o->number << 32 | (uint32_t)(today ? today->leaves : 0));
	atomic_store(&o->pair.granted, today ? today->leaves : 0);
	desk_publish(o);
	d->told = true;
}

static const char *how_name(enum warmup_move how)
{
	static const char *const names[] = {
		[WARMUP_KNOWN] = "known",   [WARMUP_BEGUN] = "begun",    [WARMUP_MOVED] = "moved",
		[WARMUP_STAYED] = "stayed", [WARMUP_WENT_BACK] = "back",
	};

	return names[how];
}

static void log_day(const struct warmup_own *o, const struct warmup_day *day, enum warmup_move how)
{
	char source[IP_TEXT_MAX];

	if (day->step >= o->entry->plan.n)
		log_info("warmup.warmed", kv_str("source", name_of(o, source)),
			 kv_str("provider", o->provider));
	else
		log_info("warmup.day", kv_str("source", name_of(o, source)),
			 kv_str("provider", o->provider), kv_int("day", day->step + 1),
			 kv_int("of", o->entry->plan.n), kv_int("messages", day->plan),
			 kv_str("how", how_name(how)));
}

/* The first mail of the date wants to leave. */
static void begin_day(struct warmup_desk *d, struct warmup_own *o)
{
	int32_t oldest = o->days.n == WARMUP_DAYS_KEPT ? o->days.at[0].date : 0;
	struct warmup_day *day;
	enum warmup_move how;

	day = warmup_days_begin(&o->days, o->date, &o->entry->plan, &d->w->bounds, &how);
	if (oldest && !warmup_days_find(&o->days, oldest))
		forget_day(o, oldest);
	if (day->step >= o->entry->plan.n) {
		day->since_ms = clock_wall_ms();
		o->warmed = true;
		d->told = true;
	}
	if (how == WARMUP_MOVED)
		count_add(&d->counters.warmup_moves, 1);
	log_day(o, day, how);
	desk_save(o);
	desk_publish(o);
}

/* Nobody plans for it any more, and what was is too long ago to matter. */
static void forget(struct warmup_own *o, int32_t date)
{
	for (unsigned i = 0; i < o->days.n; i++)
		if (o->days.at[i].leaves && o->days.at[i].date > date - WARMUP_FORGET_DAYS)
			return;
	while (o->days.n)
		forget_day(o, o->days.at[--o->days.n].date);
}

/* ---- the controller ---------------------------------------------------------------------- */

static void collect(struct warmup_own *o, struct warmup_day *today)
{
	for (unsigned i = 0; i < WARMUP_RESULTS; i++) {
		uint32_t n = atomic_exchange(&o->pair.n[i], 0);
		today->n[i] += n;
		o->dirty = o->dirty || n;
	}
}

static void hold_back(struct warmup_desk *d, struct warmup_own *o, struct warmup_day *today)
{
	int64_t rate, percent;
	enum warmup_sign worst = warmup_days_worst(&o->days, today, &d->w->bounds, &rate, &percent);
	char source[IP_TEXT_MAX];

	if (percent <= 100 || today->held != WARMUP_GOOD || today->released)
		return;
	today->held = (uint8_t)worst;
	today->since_ms = clock_wall_ms();
	count_add(&d->counters.warmup_holds, 1);
	log_warn("warmup.held", kv_str("source", name_of(o, source)),
		 kv_str("provider", o->provider), kv_int("day", today->step + 1),
		 kv_str("because", warmup_sign_name(worst)), kv_int("per_thousand", rate),
		 kv_int("most", d->w->bounds.most[worst]));
	desk_save(o);
	desk_publish(o);
}

static void note_spent(struct warmup_own *o, int64_t now_ms)
{
	if (!warmup_rests(&o->pair))
		o->spent_ms = 0;
	else if (!o->spent_ms)
		o->spent_ms = now_ms;
}

static void tend(struct warmup_desk *d, struct warmup_own *o, int64_t now_ms)
{
	struct warmup_day *today;

	if (o->date != warmup_date(now_ms))
		turn_date(d, o, warmup_date(now_ms));
	if (!warmup_is_limited(o)) {
		if (!o->entry)
			forget(o, o->date);
		return;
	}
	today = warmup_today(o);
	if (atomic_exchange(&o->pair.wanted, false) && !o->warmed && !today) {
		begin_day(d, o);
		today = warmup_today(o);
	}
	if (!today || o->warmed)
		return;
	collect(o, today);
	hold_back(d, o, today);
	grant(d, o, today);
	note_spent(o, now_ms);
	if (o->dirty && (now_ms - o->saved_ms >= WARMUP_SAVE_MS || now_ms < o->saved_ms))
		desk_save(o);
}

static void count(struct warmup_desk *d, struct warmup_own *o)
{
	struct warmup_day *today = warmup_today(o);

	if (!warmup_is_limited(o))
		return;
	count_add(&d->counters.warmup_pairs, 1);
	if (o->pause)
		count_add(&d->counters.warmup_pairs_paused, 1);
	else if (today && today->held != WARMUP_GOOD)
		count_add(&d->counters.warmup_pairs_held, 1);
	else if (warmup_rests(&o->pair))
		count_add(&d->counters.warmup_pairs_spent, 1);
}

static void begin_counting(struct warmup_counters *c)
{
	atomic_store(&c->warmup_pairs, 0);
	atomic_store(&c->warmup_pairs_paused, 0);
	atomic_store(&c->warmup_pairs_held, 0);
	atomic_store(&c->warmup_pairs_spent, 0);
}

static void look(struct warmup_desk *d)
{
	struct warmup *w = d->w;
	struct map_link *l;
	size_t pos = 0;
	bool told;

	pthread_mutex_lock(&w->lock);
	begin_counting(&d->counters);
	for (l = map_next(&w->pairs, &pos, NULL); l; l = map_next(&w->pairs, &pos, l)) {
		struct warmup_own *o = container_of(l, struct warmup_own, link);
		tend(d, o, clock_wall_ms());
		count(d, o);
	}
	told = d->told;
	d->told = false;
	if (told)
		warmup_news(w);
	pthread_mutex_unlock(&w->lock);
	if (told)
		engine_changed(w->engine);
}

static void on_timer(struct timer *t)
{
	struct warmup_desk *d = container_of(t, struct warmup_desk, timer);

	look(d);
	timer_set(lane_loop(d->front)->timers, t,
		  atomic_load(&d->w->n_plans) ? (int64_t)WARMUP_LOOK_MS : (int64_t)IDLE_MS);
}

void desk_ask(struct warmup *w)
{
	atomic_store(&w->asked, true);
	lane_wake(engine_front(w->engine));
}

/* The front desk was woken, perhaps by a lane that waits. */
static void desk_woken(void *state)
{
	struct warmup_desk *d = state;

	if (atomic_exchange(&d->w->asked, false))
		timer_set(lane_loop(d->front)->timers, &d->timer, 0);
}

void desk_soon(struct warmup *w)
{
	if (w->desk && lane_current() == w->desk->front)
		timer_set(lane_loop(w->desk->front)->timers, &w->desk->timer, 0);
}

/* ---- the part ---------------------------------------------------------------------------- */

static int desk_start(struct lane *front, void **ret_state)
{
	struct warmup_desk *d = must_alloc(sizeof(*d));

	d->front = front;
	d->w = warmup_of(lane_engine(front));
	d->w->desk = d;
	timer_init(&d->timer, on_timer);
	timer_set(lane_loop(front)->timers, &d->timer, 0);
	*ret_state = d;
	return 0;
}

static void desk_reload(void *state)
{
	struct warmup_desk *d = state;

	pthread_mutex_lock(&d->w->lock);
	warmup_read_lines(d->w);
	desk_soon(d->w);
	pthread_mutex_unlock(&d->w->lock);
	engine_changed(d->w->engine);
}

/* The lanes have ended: what left is known exactly. */
static void desk_stop(void *state)
{
	struct warmup_desk *d = state;
	struct map_link *l;
	size_t pos = 0;

	timer_stop(lane_loop(d->front)->timers, &d->timer);
	for (l = map_next(&d->w->pairs, &pos, NULL); l; l = map_next(&d->w->pairs, &pos, l)) {
		struct warmup_own *o = container_of(l, struct warmup_own, link);
		struct warmup_day *today = warmup_today(o);
		lane_wait_cancel(d->front, &o->wait);
		if (today && warmup_is_limited(o) && !o->warmed) {
			collect(o, today);
			end_date(o);
		}
	}
	d->w->desk = NULL;
	free(d);
}

#define ROW(member, type, help) COUNTER_ROW(warmup_counters, member, type, help)
static const struct counter_row counter_rows[] = {
	ROW(warmup_moves, COUNTER, "Plans of new sources that moved on to their next day"),
	ROW(warmup_holds, COUNTER, "Plans of new sources that were held back for a day"),
	ROW(warmup_pairs, GAUGE, "New sources at providers, with a plan and mail"),
	ROW(warmup_pairs_held, GAUGE, "Of these, those that are held back today"),
	ROW(warmup_pairs_paused, GAUGE, "Of these, those that an operator paused"),
	ROW(warmup_pairs_spent, GAUGE, "Of these, those that have used up their plan of today"),
};
static const struct counter_set counter_set = { counter_rows, ARRAY_LEN(counter_rows) };

const struct part warmup_part = {
	.name = "warmup",
	.front = true,
	.open = warmup_open,
	.start = desk_start,
	.look = desk_woken,
	.reload = desk_reload,
	.stop = desk_stop,
	.close = warmup_close,
	.counters = &counter_set,
	.counters_at = offsetof(struct warmup_desk, counters),
};
