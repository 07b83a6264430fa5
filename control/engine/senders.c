/* control/engine/senders.c - tells the engine who may send as which domain, which addresses are
 * suppressed, who may submit, and organisations' own smart hosts (schema/wire/facts.h): each change
 * soon after its commit, and all of it when the engine knows something else.
 *
 * Guarantee: a change is forgotten only after the engine's ACK.  On a new connection, and now and
 *            then, the sums of the database are compared with the engine's, so that it does not
 *            matter which of the two was lost, restored or replaced meanwhile.
 *
 * A whole set is read page by page, not at one moment.  What changes meanwhile waits in
 * sender_changes and follows; facts may be told again. */
#include "base/clock.h"
#include "base/log.h"
#include "control/db/column.h"
#include "control/engine/background.h"
#include "control/engine/carrier.h"
#include "control/engine/options.h"
#include "control/engine/route_secret.h"
#include "control/engine/statements.h"
#include "schema/wire/facts.h"

enum {
	RETRY_MS = 1000,
	IDLE_MS = 100,
	OPEN_MS = 5000,
	ANSWER_MS = 120 * 1000, /* the last answer to a set waits for the disk */
	CHECK_MS = 600 * 1000,
	CHANGES_MOST = 2000,
	DOMAINS_MOST = 2000,
	STOPS_MOST = 20 * 1000,
	OBJECTS_MOST = 500,
	FRAME_MOST = 256 * 1024, /* of facts; a block of the engine's file holds them whole */
	QUIET_TRIES = 10,
};

struct senders_feed {
	struct worker *w;
	struct carrier *link;
	uint64_t request;
	struct buf facts, text; /* text: of an object */
	struct db_column done;  /* seqs of changes */
	int64_t check_ms;
};

/* ---- asking the engine ------------------------------------------------------------------- */

static int answer(struct senders_feed *s)
{
	int64_t until = clock_mono_ms() + ANSWER_MS, left;
	struct link_frame f;
	int r;

	while ((r = carrier_next(s->link, &f)) == 0) {
		left = until - clock_mono_ms();
		if (worker_stopping(s->w) || left <= 0)
			return E_TIMEOUT;
		r = carrier_wait(s->link, (int)MIN_OF(left, (int64_t)1000), -1);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (f.request != s->request || (f.type != LINK_ACK && f.type != LINK_ERROR))
		return -EPROTO;
	return f.type == LINK_ACK ? 0 : f.error.code < 0 ? f.error.code : E_DENIED;
}

static int tell(struct senders_feed *s, enum link_facts_step step)
{
	struct link_frame f = { .type = LINK_FACTS,
				.request = ++s->request,
				.facts = { (uint8_t)step, buf_data(&s->facts) } };
	int r = carrier_send(s->link, &f);

	return r < 0 ? r : answer(s);
}

/* A row that makes no fact could never be told: it is named once and left out. */
static int put(struct senders_feed *s, const struct wire_fact *f)
{
	int r = wire_fact_put(&s->facts, f);

	if (r != E_SYNTAX)
		return r;
	log_error("senders.unfit", kv_int("org", (int64_t)f->tenant), kv_int("fact", f->kind),
		  kv_slice("domain", f->domain));
	return 0;
}

/* hash: or the stamp of an object. */
static int put_row(struct senders_feed *s, struct wire_fact f, int64_t org, int64_t kind,
		   struct slice hash)
{
	f.kind = (enum wire_fact_kind)kind;
	f.tenant = (uint64_t)org;
	if (hash.n == sizeof(f.hash))
		memcpy(f.hash, hash.p, sizeof(f.hash));
	return put(s, &f);
}

/* Texts make frames longer than other facts do. */
static int tell_full(struct senders_feed *s, enum link_facts_step step)
{
	int r = buf_len(&s->facts) > FRAME_MOST ? tell(s, step) : 0;

	if (r >= 0 && buf_len(&s->facts) > FRAME_MOST)
		buf_clear(&s->facts);
	return r;
}

/* What the engine reads of an object.  A secret that cannot be opened leaves a text that it
 * refuses, so that both sides still have the same sums. */
static int object_text(struct senders_feed *s, int64_t org, int64_t id, struct slice text,
		       int seal_id, struct slice sealed, struct slice *ret)
{
	int r;

	*ret = text;
	if (!seal_id)
		return 0;
	buf_clear(&s->text);
	r = buf_append(&s->text, text);
	if (r >= 0)
		r = route_secret_open(s->w->app, (uint32_t)org, (uint64_t)id, seal_id, sealed,
				      &s->text);
	if (r >= 0)
		r = buf_append(&s->text, SLICE("\n"));
	*ret = buf_data(&s->text);
	if (r != E_CRYPTO && r != E_UNKNOWN)
		return r;
	log_error("senders.sealed", kv_int("org", org), kv_int("route", id), kv_err("reason", r));
	*ret = SLICE("its secret cannot be opened");
	return 0;
}

/* ---- changes ----------------------------------------------------------------------------- */

enum { C_SEQ, C_ORG, C_FACT, C_DOMAIN, C_HASH, C_OBJECT, C_TEXT, C_SECRET, C_SEAL };

/* How many changes were told; E_CONFLICT: the engine has no set that could change. */
static int tell_changes(struct senders_feed *s)
{
	OWNED(db_result) rows = NULL;
	int n, r = n = db_run(s->w->ingest, &rows, sql_engine_changes_next, p_int(CHANGES_MOST));

	if (r <= 0)
		return r;
	buf_clear(&s->facts);
	db_column_clear(&s->done);
	for (unsigned i = 0; r >= 0 && i < db_rows(rows); i++) {
		struct wire_fact f = { .domain = db_text(rows, i, C_DOMAIN),
				       .id = (uint64_t)db_int(rows, i, C_OBJECT) };
		db_column_int(&s->done, db_int(rows, i, C_SEQ));
		r = object_text(s, db_int(rows, i, C_ORG), (int64_t)f.id, db_text(rows, i, C_TEXT),
				(int)db_int(rows, i, C_SEAL), db_bytes(rows, i, C_SECRET), &f.text);
		if (r >= 0)
			r = put_row(s, f, db_int(rows, i, C_ORG), db_int(rows, i, C_FACT),
				    db_bytes(rows, i, C_HASH));
		if (r >= 0)
			r = tell_full(s, LINK_FACTS_CHANGE);
	}
	if (r >= 0 && buf_len(&s->facts))
		r = tell(s, LINK_FACTS_CHANGE);
	if (r >= 0)
		r = db_columns_run(s->w->ingest, sql_engine_changes_done, &s->done, 1, NULL, 0);
	return r < 0 ? r : n;
}

static int tell_all_changes(struct senders_feed *s)
{
	int r;

	do
		r = tell_changes(s);
	while (r > 0 && !worker_stopping(s->w));
	return r;
}

/* ---- sums -------------------------------------------------------------------------------- */

enum { S_ORG, S_FACT, S_COUNT, S_SUM };

/* Into s->facts; *ret_quiet: no change waited at that moment. */
static int read_sums(struct senders_feed *s, bool *ret_quiet)
{
	OWNED(db_result) rows = NULL;
	int r = db_run(s->w->ingest, &rows, sql_engine_facts_sums);

	buf_clear(&s->facts);
	for (unsigned i = 0; r >= 0 && i < db_rows(rows); i++) {
		struct wire_fact f = { .kind = WIRE_FACT_SUM,
				       .tenant = (uint64_t)db_int(rows, i, S_ORG),
				       .of = (enum wire_fact_kind)db_int(rows, i, S_FACT),
				       .count = (uint64_t)db_int(rows, i, S_COUNT),
				       .sum = (uint64_t)db_int(rows, i, S_SUM) };
		if (f.of)
			r = put(s, &f);
		else
			*ret_quiet = f.count == 0;
	}
	return r < 0 ? r : 0;
}

/* The engine is compared with a moment at which it had been told everything, if there is one soon.
 */
static int compare(struct senders_feed *s)
{
	bool quiet = false;
	int r = 0;

	for (unsigned i = 0; i < QUIET_TRIES && r >= 0 && !quiet; i++) {
		r = tell_all_changes(s);
		if (r >= 0)
			r = read_sums(s, &quiet);
	}
	return r < 0 ? r : tell(s, LINK_FACTS_EQUAL);
}

/* ---- a whole set ------------------------------------------------------------------------- */

enum { D_ORG, D_NAME };

static int tell_domains(struct senders_feed *s)
{
	char after[WIRE_FACT_NAME_MAX + 1] = "";
	int n = DOMAINS_MOST, r = 0;

	while (r >= 0 && n == DOMAINS_MOST) {
		OWNED(db_result) rows = NULL;
		r = n = db_run(s->w->ingest, &rows, sql_engine_facts_senders, p_str(after),
			       p_int(DOMAINS_MOST));
		buf_clear(&s->facts);
		for (unsigned i = 0; r >= 0 && i < db_rows(rows); i++) {
			r = put_row(s, (struct wire_fact){ .domain = db_text(rows, i, D_NAME) },
				    db_int(rows, i, D_ORG), WIRE_FACT_SENDER, SLICE(""));
			slice_copy(after, sizeof(after), db_text(rows, i, D_NAME));
		}
		if (r >= 0 && n)
			r = tell(s, LINK_FACTS_MORE);
	}
	return r;
}

enum { P_ORG, P_FACT, P_HASH };

static int tell_stops(struct senders_feed *s)
{
	uint8_t after[WIRE_FACT_HASH];
	size_t after_n = 0;
	int64_t org = 0;
	int n = STOPS_MOST, r = 0;

	while (r >= 0 && n == STOPS_MOST && !worker_stopping(s->w)) {
		OWNED(db_result) rows = NULL;
		r = n = db_run(s->w->ingest, &rows, sql_engine_facts_stops, p_int(org),
			       p_bytes(slice_of(after, after_n)), p_int(STOPS_MOST));
		buf_clear(&s->facts);
		for (unsigned i = 0; r >= 0 && i < db_rows(rows); i++) {
			struct slice hash = db_bytes(rows, i, P_HASH);
			org = db_int(rows, i, P_ORG);
			after_n = MIN_OF(hash.n, sizeof(after));
			memcpy(after, hash.p, after_n);
			r = put_row(s, (struct wire_fact){ 0 }, org, db_int(rows, i, P_FACT), hash);
		}
		if (r >= 0 && n)
			r = tell(s, LINK_FACTS_MORE);
	}
	return r;
}

enum { O_ORG, O_FACT, O_STAMP, O_ID, O_TEXT, O_SECRET, O_SEAL };

/* All objects of one kind, as the statement gives them. */
static int tell_objects(struct senders_feed *s, const char *sql)
{
	int64_t org = 0, id = 0;
	int n = OBJECTS_MOST, r = 0;

	while (r >= 0 && n == OBJECTS_MOST && !worker_stopping(s->w)) {
		OWNED(db_result) rows = NULL;
		r = n =
		    db_run(s->w->ingest, &rows, sql, p_int(org), p_int(id), p_int(OBJECTS_MOST));
		buf_clear(&s->facts);
		for (unsigned i = 0; r >= 0 && i < db_rows(rows); i++) {
			struct wire_fact f = { .id = (uint64_t)db_int(rows, i, O_ID) };
			org = db_int(rows, i, O_ORG);
			id = db_int(rows, i, O_ID);
			r = object_text(s, org, id, db_text(rows, i, O_TEXT),
					(int)db_int(rows, i, O_SEAL), db_bytes(rows, i, O_SECRET),
					&f.text);
			if (r >= 0)
				r = put_row(s, f, org, db_int(rows, i, O_FACT),
					    db_bytes(rows, i, O_STAMP));
			if (r >= 0)
				r = tell_full(s, LINK_FACTS_MORE);
		}
		if (r >= 0 && buf_len(&s->facts))
			r = tell(s, LINK_FACTS_MORE);
	}
	return r;
}

static int tell_everything(struct senders_feed *s)
{
	bool quiet;
	int r = read_sums(s, &quiet);

	if (r >= 0)
		r = tell(s, LINK_FACTS_BEGIN);
	if (r >= 0)
		r = tell_domains(s);
	if (r >= 0)
		r = tell_stops(s);
	if (r >= 0)
		r = tell_objects(s, sql_engine_facts_credentials);
	if (r >= 0)
		r = tell_objects(s, sql_engine_facts_routes);
	if (r < 0 || worker_stopping(s->w))
		return r;
	buf_clear(&s->facts);
	r = tell(s, LINK_FACTS_END);
	if (r >= 0)
		log_info("senders.told", kv_str("engine", carrier_welcome(s->link)->engine));
	return r;
}

/* The engine knows what the database says, or the worker tries again. */
static int agree(struct senders_feed *s)
{
	int r = compare(s);

	if (r == E_CONFLICT) {
		r = tell_everything(s);
		if (r >= 0 && !worker_stopping(s->w))
			r = compare(s);
	}
	s->check_ms = clock_mono_ms() + CHECK_MS;
	return r;
}

/* ---- a connection ------------------------------------------------------------------------ */

/* One process does it, so that no change overtakes an older one. */
static int become_leader(struct senders_feed *s)
{
	OWNED(db_result) got = NULL;
	int r = db_run(s->w->ingest, &got,
		       "SELECT pg_try_advisory_lock(hashtext('postern senders'), 0)");

	return r < 0 ? r : db_bool(got, 0, 0) ? 0 : -EAGAIN;
}

static int turn(struct senders_feed *s)
{
	int r = tell_changes(s);

	if (r == E_CONFLICT || (r == 0 && clock_mono_ms() >= s->check_ms))
		return agree(s);
	return r == 0 ? carrier_wait(s->link, IDLE_MS, -1) : r;
}

static int senders_step(struct worker *w)
{
	struct senders_feed *s = w->state;
	int r = become_leader(s);

	if (r >= 0)
		r = carrier_open(&s->link, carrier_options(w->app)->socket, SLICE(""), OPEN_MS);
	if (r >= 0)
		r = agree(s);
	while (r >= 0 && !worker_stopping(w))
		r = turn(s);
	s->link = carrier_free(s->link);
	return r;
}

static void *senders_begin(struct worker *w)
{
	struct senders_feed *s = must_alloc(sizeof(*s));

	s->w = w;
	buf_init(&s->facts, LINK_FACTS_MAX);
	buf_init(&s->text, 0);
	db_column_init(&s->done);
	return s;
}

static void senders_end(void *state)
{
	struct senders_feed *s = state;

	buf_free(&s->facts);
	buf_free(&s->text);
	db_column_free(&s->done);
	free(s);
}

const struct worker_row senders_worker = {
	.name = "senders",
	.step = senders_step,
	.idle_ms = RETRY_MS,
	.retry_ms = RETRY_MS,
	.failed = "senders.ended",
	.fresh = true,
	.begin = senders_begin,
	.end = senders_end,
};
