/* mta/metrics/rates.c - the difference of two looks. */
#include "mta/metrics/rates.h"

#include <stdlib.h>

#include "base/clock.h"
#include "spool/books.h"

enum { FRESH_MS = 2000 };

/* ---- taking ------------------------------------------------------------------------------ */

static void each_name(struct writer *w, void (*fn)(struct top_name *n, int64_t ms), int64_t ms)
{
	for (unsigned k = 0; k < CENSUS_KINDS; k++) {
		const struct map *m = &w->top[k].map;
		struct map_link *l;
		size_t pos = 0;

		for (l = map_next(m, &pos, NULL); l; l = map_next(m, &pos, l))
			fn(container_of(l, struct top_name, link), ms);
	}
}

static void set_before(struct top_name *n, int64_t ms)
{
	(void)ms;
	memcpy(n->before, n->now, sizeof(n->now));
}

static void set_rate(struct top_name *n, int64_t ms)
{
	for (unsigned i = 0; i < CENSUS_OUTCOMES; i++)
		n->per_minute[i] = (n->now[i] - n->before[i]) * 60000 / (uint64_t)ms;
}

static void look_at_latency(const struct writer *w, struct histogram *ret)
{
	counters_histogram(w->engine, &census_part, offsetof(struct census_times, delivery), ret);
}

static void begin(struct rates *r, struct writer *w, int64_t now)
{
	r->before_ms = now;
	each_name(w, set_before, 0);
	look_at_latency(w, &r->before);
}

bool rates_take(struct rates *r, struct writer *w)
{
	int64_t now = clock_mono_ms(), past = now - r->before_ms;
	struct histogram h;

	writer_collect(w);
	if (!r->before_ms || past > RATES_MAX_MS) {
		begin(r, w, now);
		return false;
	}
	if (past < RATES_MIN_MS)
		return false;
	r->over_ms = past;
	each_name(w, set_rate, past);
	look_at_latency(w, &h);
	for (unsigned i = 0; i < ARRAY_LEN(h.at); i++)
		atomic_store(&r->latency.at[i],
			     atomic_load(&h.at[i]) - atomic_load(&r->before.at[i]));
	if (past >= FRESH_MS)
		begin(r, w, now);
	return true;
}

/* ---- telling ----------------------------------------------------------------------------- */

/* The end of the step in which the share of them lies; -1: there are none. */
static int64_t quantile_ms(const struct histogram *h, unsigned percent)
{
	uint64_t all = 0, sum = 0;

	for (unsigned i = 0; i < ARRAY_LEN(h->at); i++)
		all += atomic_load(&h->at[i]);
	for (unsigned i = 0; all && i < census_scale_mail.n; i++) {
		sum += atomic_load(&h->at[i]);
		if (sum * 100 >= all * percent)
			return census_scale_mail.most[i];
	}
	return all ? census_scale_mail.most[census_scale_mail.n - 1] : -1;
}

static uint64_t in_all(const struct top_name *n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < CENSUS_OUTCOMES; i++)
		sum += n->per_minute[i];
	return sum;
}

static int by_rate(const void *va, const void *vb)
{
	const struct top_name *a = *(struct top_name *const *)va,
			      *b = *(struct top_name *const *)vb;
	uint64_t x = in_all(a), y = in_all(b);

	return x == y ? (a->name.n > b->name.n) - (a->name.n < b->name.n) : x < y ? 1 : -1;
}

static void put_rates(struct branch *row, const uint64_t *per_minute)
{
	uint64_t deferred = per_minute[OUTCOME_DEFERRED], all = 0;

	for (unsigned i = 0; i < CENSUS_OUTCOMES; i++)
		all += per_minute[i];
	branch_int(row, "delivered_per_min", (int64_t)per_minute[OUTCOME_DELIVERED]);
	branch_int(row, "deferred_per_min", (int64_t)deferred);
	branch_int(row, "bounced_per_min", (int64_t)per_minute[OUTCOME_BOUNCED]);
	branch_int(row, "deferred_percent", all ? (int64_t)(deferred * 100 / all) : 0);
}

static const struct gather_row *waiting_at(const struct gather_row *rows, unsigned n,
					   struct slice provider)
{
	for (unsigned i = 0; i < n; i++) {
		struct slice name =
		    rows[i].provider ? slice_str(rows[i].provider->name) : SLICE(CENSUS_OTHER);
		(void)slice_strip(&name, SLICE("provider "));
		if (slice_eq(name, provider))
			return &rows[i];
	}
	return NULL;
}

static void put_waiting(struct branch *row, const struct gather_row *g)
{
	uint64_t sum = 0;

	for (unsigned i = 0; g && i < RCPT_STATES; i++)
		sum += i == RCPT_FREE || i == RCPT_DEAD ? 0 : g->waiting[i];
	branch_int(row, "queued", (int64_t)sum);
	branch_int(row, "deferred", g ? (int64_t)g->waiting[RCPT_DEFERRED] : 0);
	branch_int(row, "connections", g ? (int64_t)g->connections : 0);
	branch_int(row, "pauses", g ? (int64_t)g->pauses : 0);
}

static void put_kind(struct writer *w, struct branch *out, const char *list, const char *label,
		     enum census_kind kind)
{
	static struct gather_row waiting[GATHER_ROWS_MAX];
	const struct map *m = &w->top[kind].map;
	OWNED_MEM struct top_name **all = must_alloc((m->count + 1) * sizeof(struct top_name *));
	struct branch *rows = branch_list(out, list);
	unsigned n_waiting = kind == CENSUS_PROVIDER ? gather_sum(w->gather, waiting) : 0;
	struct map_link *l;
	size_t n = 0, pos = 0;

	for (l = map_next(m, &pos, NULL); l; l = map_next(m, &pos, l))
		all[n++] = container_of(l, struct top_name, link);
	qsort(all, n, sizeof(struct top_name *), by_rate);
	for (size_t i = 0; i < MIN_OF(n, (size_t)RATES_ROWS); i++) {
		struct branch *row = branch_map(rows, NULL);
		branch_slice(row, label, all[i]->name);
		put_rates(row, all[i]->per_minute);
		if (kind == CENSUS_PROVIDER)
			put_waiting(row, waiting_at(waiting, n_waiting, all[i]->name));
	}
}

static void put_totals(struct rates *r, struct writer *w, struct branch *out)
{
	const struct map *m = &w->top[CENSUS_TENANT].map; /* each outcome has one tenant */
	uint64_t sums[CENSUS_OUTCOMES] = { 0 };
	int64_t oldest = writer_oldest_ms(w);
	struct map_link *l;
	struct books k;
	size_t pos = 0;

	for (l = map_next(m, &pos, NULL); l; l = map_next(m, &pos, l))
		for (unsigned i = 0; i < CENSUS_OUTCOMES; i++)
			sums[i] += container_of(l, struct top_name, link)->per_minute[i];
	spool_books(engine_spool(w->engine), &k);
	branch_int(out, "over_s", r->over_ms / 1000);
	branch_int(out, "queued", (int64_t)k.queued);
	branch_int(out, "oldest_ms", oldest);
	branch_bool(out, "balanced", books_balance(&k));
	put_rates(out, sums);
	branch_int(out, "latency_p50_millis", quantile_ms(&r->latency, 50));
	branch_int(out, "latency_p99_millis", quantile_ms(&r->latency, 99));
}

/* suspend/<source>/<where>: <until> <times> <why> */
static int put_suspension(void *arg, struct slice key, struct slice value)
{
	struct slice until = slice_take(&value, ' '), source, where;
	struct branch *row;
	uint64_t end;

	(void)slice_take(&value, ' ');
	(void)slice_strip(&key, SLICE("suspend/"));
	if (branch_count(arg) >= RATES_ROWS || slice_u64(until, INT64_MAX, &end) < 0 ||
	    (int64_t)end <= clock_wall_ms() || !slice_cut(key, '/', &source, &where))
		return 0;
	(void)slice_strip(&where, SLICE("provider "));
	row = branch_map(arg, NULL);
	branch_slice(row, "source", source);
	branch_slice(row, "where", where);
	branch_int(row, "until_ms", (int64_t)end);
	branch_slice(row, "why", value);
	return 0;
}

void rates_put(struct rates *r, struct writer *w, struct branch *out)
{
	put_totals(r, w, out);
	put_kind(w, out, "providers", "provider", CENSUS_PROVIDER);
	put_kind(w, out, "tenants", "tenant", CENSUS_TENANT);
	put_kind(w, out, "sources", "source", CENSUS_SOURCE);
	(void)!spool_each_rule(engine_spool(w->engine), SLICE("suspend/"), put_suspension,
			       branch_list(out, "suspended"));
}
