/* control/engine/meet.c - is this the engine that we knew? */
#include "control/engine/meet.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "control/engine/codes.h"
#include "control/engine/feeder_source.h"
#include "control/engine/installation.h"
#include "control/engine/options.h"
#include "control/engine/statements.h"

enum { OPEN_MS = 5000, NUMBER_MAX = 24 };
enum { OLD_NAME, OLD_CURSOR };
enum { NOW_ID, NOW_CURSOR };

static const char *const end_names[] = {
	[ENGINE_REPLACED] = "another spool answers in its place",
	[ENGINE_WENT_BACK] = "its spool went back to an earlier state",
	[ENGINE_FORGOT] = "its log begins after what the database knows of it",
};

struct meeting {
	struct worker *w;
	const struct carrier_welcome *hello;
	bool reader;     /* our consumer's cursor is in the WELCOME */
	uint64_t before; /* how far it was read before we connected; 0: unknown engine */
	int64_t id;
	uint64_t cursor;
};

static const char *number_text(uint64_t n, char text[NUMBER_MAX])
{
	(void)snprintf(text, NUMBER_MAX, "%" PRIu64, n);
	return text;
}

static uint64_t cursor_at(const struct db_result *row, unsigned i, unsigned column)
{
	uint64_t n = 0;

	(void)!slice_u64(db_text(row, i, column), UINT64_MAX, &n);
	return n;
}

/* ---- what has ended ---------------------------------------------------------------------- */

static int end_engines(struct db *db, const char *name, enum engine_end how)
{
	OWNED(db_result) ended = NULL;
	int n = db_run(db, &ended, sql_engine_met_end, p_str(name), p_int(how));

	for (int i = 0; i < n; i++)
		log_error("engine.lost", kv_slice("engine", db_text(ended, (unsigned)i, 0)),
			  kv_str("why", end_names[how]),
			  kv_str("its_mail", "is settled as engine.lost says"));
	return n < 0 ? n : 0;
}

/* It has told us of everything up to `before`, so it has at least that; and the log of an engine
 * keeps what our cursor has not passed. */
static enum engine_end how_ended(const struct meeting *m, uint64_t cursor)
{
	if (m->hello->durable < m->before)
		return ENGINE_WENT_BACK;
	return cursor && cursor < m->hello->oldest ? ENGINE_FORGOT : ENGINE_LIVES;
}

static int check_others(struct db *db, const struct meeting *m)
{
	OWNED(db_result) others = NULL;
	int r = end_engines(db, m->hello->engine, ENGINE_REPLACED);

	if (r >= 0)
		r = db_run(db, &others, sql_engine_met_others, p_str(m->hello->engine));
	if (r < 0)
		return r;
	return db_int(others, 0, 0) ? -EBUSY : 0;
}

/* ---- the engine that is here ------------------------------------------------------------- */

static int refill(struct worker *w, struct db *db)
{
	int r = 0;

	for (size_t i = 0; i < meet_refills_n && r >= 0; i++) {
		r = meet_refills[i]->run(w->app, db);
		if (r < 0)
			log_error("engine.refill", kv_str("part", meet_refills[i]->name),
				  kv_err("error", r));
	}
	return r;
}

static int greet_new(struct db *db, struct meeting *m, enum engine_end was)
{
	OWNED(db_result) made = NULL;
	char durable[NUMBER_MAX], oldest[NUMBER_MAX], from[NUMBER_MAX];
	uint64_t at = was == ENGINE_WENT_BACK ? m->hello->durable
		      : was == ENGINE_FORGOT  ? m->hello->oldest
					      : 0;
	int r = db_run(db, &made, sql_engine_met_new, p_str(m->hello->engine),
		       p_str(number_text(m->hello->durable, durable)),
		       p_str(number_text(m->hello->oldest, oldest)), p_str(number_text(at, from)));

	if (r < 0)
		return r;
	m->id = db_int(made, 0, NOW_ID);
	m->cursor = cursor_at(made, 0, NOW_CURSOR);
	log_info("engine.new", kv_str("engine", m->hello->engine), kv_int("from", m->cursor));
	return refill(m->w, db);
}

static int greet_engine(struct db *db, struct meeting *m)
{
	OWNED(db_result) row = NULL;
	enum engine_end was = ENGINE_LIVES;
	int r = db_run(db, &row, sql_engine_met_find, p_str(m->hello->engine));

	if (r > 0) {
		m->id = db_int(row, 0, NOW_ID);
		m->cursor = cursor_at(row, 0, NOW_CURSOR);
		was = how_ended(m, m->cursor);
		if (was == ENGINE_LIVES)
			return 0;
		r = end_engines(db, m->hello->engine, was);
	}
	return r < 0 ? r : greet_new(db, m, was);
}

/* One meeting at a time.  The engine remembers how far we said that we have its events in the
 * database: when the database has less, it is an older one, or another. */
static int work_meet(struct db *db, void *arg)
{
	struct meeting *m = arg;
	int r = db_run(db, NULL, "SELECT pg_advisory_xact_lock(hashtext('postern meet'))");
	bool later;

	if (r >= 0)
		r = check_others(db, m);
	if (r >= 0)
		r = greet_engine(db, m);
	if (r < 0)
		return r;
	later = m->reader && m->hello->cursor > MAX_OF(m->cursor, m->before);
	return installation_check(db, later);
}

/* ---- meeting ----------------------------------------------------------------------------- */

static uint64_t read_before(const struct db_result *old, const char *engine)
{
	for (unsigned i = 0; i < db_rows(old); i++)
		if (slice_eq(db_text(old, i, OLD_NAME), slice_str(engine)))
			return cursor_at(old, i, OLD_CURSOR);
	return 0;
}

/* Everything that engines which have ended had is ended or fed again before this one is used. */
static int settle_all(struct worker *w, int64_t engine)
{
	bool again = strcmp(carrier_options(w->app)->lost, "again") == 0;
	int r;

	do
		r = feeder_source->settle(w->ingest, engine, again);
	while (r > 0 && !worker_stopping(w));
	return r;
}

int meet_engine(struct worker *w, struct slice consumer, struct carrier **ret_link,
		int64_t *ret_engine)
{
	OWNED(db_result) old = NULL;
	OWNED(carrier) link = NULL;
	struct meeting m = { .w = w, .reader = consumer.n != 0 };
	int r = db_run(w->ingest, &old, sql_engine_met_before);

	if (r >= 0)
		r = carrier_open(&link, carrier_options(w->app)->socket, consumer, OPEN_MS);
	if (r < 0)
		return r;
	m.hello = carrier_welcome(link);
	m.before = read_before(old, m.hello->engine);
	r = db_tx(w->ingest, 0, work_meet, &m);
	if (r >= 0)
		r = settle_all(w, m.id);
	if (r < 0)
		return r;
	*ret_engine = m.id;
	*ret_link = TAKE(link);
	return 0;
}

int meet_went_back(struct worker *w, int64_t engine)
{
	char most[NUMBER_MAX];
	int r = db_run(w->ingest, NULL, sql_engine_cursor_move, p_int(engine),
		       p_str(number_text(UINT64_MAX, most)));

	return r < 0 ? r : 0;
}
