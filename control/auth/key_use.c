/* control/auth/key_use.c - two tables that take turns: one counts while the other is written. */
#include "control/auth/key_use.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "control/auth/background.h"
#include "control/auth/statements.h"
#include "control/db/column.h"

enum { ROWS_MAX = 8192, SLOTS = 16384, DAY_MS = 86400000, WRITE_MS = 2000, KEEP_DAYS = 400 };

struct use {
	uint64_t key;
	uint32_t org;
	int32_t day; /* since 1970 */
	int64_t requests, refused, at_ms, old_ms;
	struct ip ip;
};
struct uses {
	unsigned n;
	uint16_t slots[SLOTS]; /* 1 + number of a row; 0: none */
	struct use rows[ROWS_MAX];
};

static struct uses tables[2];
static struct uses *counting = &tables[0];
static uint64_t lost;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* NULL when the table is full. */
static struct use *row_of(struct uses *t, const struct use *like)
{
	const uint64_t name[] = { like->org, like->key, (uint64_t)like->day };
	size_t at = hash_keyed(slice_of((const char *)name, sizeof(name))) % SLOTS;

	for (; t->slots[at]; at = (at + 1) % SLOTS) {
		struct use *u = &t->rows[t->slots[at] - 1];

		if (u->key == like->key && u->org == like->org && u->day == like->day)
			return u;
	}
	if (t->n == ROWS_MAX)
		return NULL;
	struct use *u = &t->rows[t->n];
	t->slots[at] = (uint16_t)++t->n;
	*u = (struct use){ .org = like->org, .key = like->key, .day = like->day };
	return u;
}

static void add(struct uses *t, const struct use *more)
{
	struct use *u = row_of(t, more);

	if (!u) {
		lost += (uint64_t)more->requests;
		return;
	}
	u->requests += more->requests;
	u->refused += more->refused;
	u->old_ms = MAX_OF(u->old_ms, more->old_ms);
	if (more->at_ms < u->at_ms)
		return;
	u->at_ms = more->at_ms;
	u->ip = more->ip;
}

void key_use_note(const struct call *c, unsigned status)
{
	int64_t now = clock_wall_ms();
	const struct use one = { .org = c->actor.org,
				 .key = c->actor.id,
				 .day = (int32_t)(now / DAY_MS),
				 .requests = 1,
				 .refused = status >= 400,
				 .at_ms = now,
				 .old_ms = c->actor.old_secret ? now : 0,
				 .ip = c->ip };

	if (c->actor.kind != ACTOR_KEY)
		return;
	(void)pthread_mutex_lock(&lock);
	add(counting, &one);
	(void)pthread_mutex_unlock(&lock);
}

/* ---- writing ------------------------------------------------------------------------------ */

static void clear(struct uses *t)
{
	t->n = 0;
	memset(t->slots, 0, sizeof(t->slots));
}

static struct uses *take(uint64_t *ret_lost)
{
	struct uses *full;

	(void)pthread_mutex_lock(&lock);
	full = counting;
	counting = full == &tables[0] ? &tables[1] : &tables[0];
	*ret_lost = lost;
	lost = 0;
	(void)pthread_mutex_unlock(&lock);
	return full;
}

/* Nothing was written: it counts again. */
static void give_back(struct uses *t)
{
	(void)pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < t->n; i++)
		add(counting, &t->rows[i]);
	(void)pthread_mutex_unlock(&lock);
}

enum { U_ORG, U_KEY, U_DAY, U_REQUESTS, U_REFUSED, U_AT, U_OLD, U_IP, U_COLUMNS };

static void fill(struct db_column *u, const struct uses *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		const struct use *row = &t->rows[i];
		char ip[IP_TEXT_MAX] = "";

		if (row->ip.family)
			(void)ip_format(&row->ip, ip);
		db_column_u64(&u[U_ORG], row->org);
		db_column_u64(&u[U_KEY], row->key);
		db_column_int(&u[U_DAY], row->day);
		db_column_int(&u[U_REQUESTS], row->requests);
		db_column_int(&u[U_REFUSED], row->refused);
		db_column_int(&u[U_AT], row->at_ms);
		db_column_int(&u[U_OLD], row->old_ms);
		db_column_text(&u[U_IP], slice_str(ip));
	}
}

static int write_rows(struct db *db, void *columns)
{
	struct db_column *u = columns;
	int r =
	    db_run(db, NULL, sql_auth_keys_counted, p_str(db_column_array(&u[U_ORG])),
		   p_str(db_column_array(&u[U_KEY])), p_str(db_column_array(&u[U_DAY])),
		   p_str(db_column_array(&u[U_REQUESTS])), p_str(db_column_array(&u[U_REFUSED])));

	return r < 0 ? r
		     : db_run(db, NULL, sql_auth_keys_used, p_str(db_column_array(&u[U_ORG])),
			      p_str(db_column_array(&u[U_KEY])), p_str(db_column_array(&u[U_AT])),
			      p_str(db_column_array(&u[U_OLD])), p_str(db_column_array(&u[U_IP])));
}

static int write_table(struct worker *w, const struct uses *t)
{
	struct db_column columns[U_COLUMNS];
	int r;

	db_columns_each(columns, U_COLUMNS, db_column_init);
	fill(columns, t);
	r = db_tx(w->ingest, 0, write_rows, columns);
	db_columns_each(columns, U_COLUMNS, db_column_free);
	return r;
}

static int write_all(struct worker *w)
{
	uint64_t uncounted;
	struct uses *t = take(&uncounted);
	int r = t->n ? write_table(w, t) : 0;

	if (r < 0)
		give_back(t);
	clear(t);
	if (uncounted)
		log_warn("keys.uncounted", kv_int("requests", (int64_t)uncounted));
	return r < 0 ? r : 0;
}

struct use_writer {
	struct worker *w;
	int64_t swept; /* on which day */
};

static int use_step(struct worker *w)
{
	struct use_writer *all = w->state;
	int64_t today = clock_wall_ms() / DAY_MS;
	int r = write_all(w);

	if (r < 0 || all->swept == today)
		return r;
	r = db_run(w->ingest, NULL, sql_auth_keys_uncounted, p_int(KEEP_DAYS));
	if (r >= 0)
		all->swept = today;
	return r < 0 ? r : 0;
}

static void *use_begin(struct worker *w)
{
	struct use_writer *all = must_alloc(sizeof(*all));

	all->w = w;
	return all;
}

static void use_end(void *state)
{
	struct use_writer *all = state;

	(void)!write_all(all->w);
	free(all);
}

const struct worker_row key_use_worker = {
	.name = "key use",
	.step = use_step,
	.idle_ms = WRITE_MS,
	.retry_ms = WRITE_MS,
	.failed = "keys.use",
	.begin = use_begin,
	.end = use_end,
};
