#include "control/engine/batch.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "control/campaigns/ledger.h"
#include "control/db/column.h"
#include "control/suppression/address.h"

enum journal_column {
	J_AT,
	J_ORG,
	J_LSN,
	J_KIND,
	J_CAMPAIGN,
	J_SEQ,
	J_ATTEMPT,
	J_CODE,
	J_DSN,
	J_FLAGS,
	J_NEXT,
	J_DOMAIN,
	J_HOST,
	J_IP,
	J_SOURCE,
	J_TEXT,
	J_COLUMNS,
};
enum move_column { M_SEQ, M_STATE, M_CODE, M_ATTEMPT, M_REASON, M_COLUMNS };
enum chunk_column { C_ORG, C_CAMPAIGN, C_FIRST, C_ROWS, C_LSN, C_COLUMNS };
enum message_column { S_ORG, S_ID, S_STATE, S_CODE, S_ATTEMPT, S_COLUMNS };
enum bounce_column { B_ORG, B_HASH, B_EMAIL, B_CAMPAIGN, B_COLUMNS };

/* Recipients of one campaign and where they go. */
struct moves {
	uint64_t org, campaign;
	struct db_column columns[M_COLUMNS];
};
struct batch {
	uint64_t next;
	unsigned events;
	int64_t now_ms;
	struct db_column journal[J_COLUMNS], chunks[C_COLUMNS], messages[S_COLUMNS],
	    bounces[B_COLUMNS];
	struct moves *moves;
	unsigned n_moves, cap_moves;
};

static void columns_each(struct db_column *c, unsigned n, void (*f)(struct db_column *))
{
	for (unsigned i = 0; i < n; i++)
		f(&c[i]);
}

static void batch_each(struct batch *b, void (*f)(struct db_column *))
{
	columns_each(b->journal, J_COLUMNS, f);
	columns_each(b->chunks, C_COLUMNS, f);
	columns_each(b->messages, S_COLUMNS, f);
	columns_each(b->bounces, B_COLUMNS, f);
}

struct batch *batch_new(void)
{
	struct batch *b = must_alloc(sizeof(*b));

	batch_each(b, db_column_init);
	return b;
}

static void clear_moves(struct batch *b)
{
	for (unsigned i = 0; i < b->n_moves; i++)
		columns_each(b->moves[i].columns, M_COLUMNS, db_column_free);
	b->n_moves = 0;
}

struct batch *batch_free(struct batch *b)
{
	if (!b)
		return NULL;
	batch_each(b, db_column_free);
	clear_moves(b);
	free(b->moves);
	free(b);
	return NULL;
}

/* The newest first: events come in runs of one campaign. */
static struct moves *moves_of(struct batch *b, uint64_t org, uint64_t campaign)
{
	for (unsigned i = b->n_moves; i-- > 0;)
		if (b->moves[i].campaign == campaign && b->moves[i].org == org)
			return &b->moves[i];
	if (b->n_moves == b->cap_moves) {
		b->cap_moves = b->cap_moves ? b->cap_moves * 2 : 8;
		b->moves = must_resize(b->moves, b->cap_moves * sizeof(*b->moves));
	}
	struct moves *m = &b->moves[b->n_moves++];
	m->org = org;
	m->campaign = campaign;
	columns_each(m->columns, M_COLUMNS, db_column_init);
	return m;
}

static struct slice domain_of(struct slice address)
{
	const char *at = address.n ? memrchr(address.p, '@', address.n) : NULL;

	return at ? slice_of(at + 1, (size_t)(address.p + address.n - at - 1)) : SLICE("");
}

static void take_journal(struct batch *b, const struct link_event *e, uint64_t campaign,
			 uint64_t seq)
{
	struct db_column *j = b->journal;

	db_column_int(&j[J_AT],
		      e->at_ms ? e->at_ms : b->now_ms); /* an acceptance carries no time */
	db_column_u64(&j[J_ORG], e->tenant);
	db_column_u64(&j[J_LSN], e->lsn);
	db_column_int(&j[J_KIND], e->kind);
	db_column_u64(&j[J_CAMPAIGN], campaign);
	db_column_u64(&j[J_SEQ], seq);
	db_column_int(&j[J_ATTEMPT], e->attempt & INT16_MAX);
	db_column_int(&j[J_CODE], e->code & INT16_MAX);
	db_column_text(&j[J_DSN], e->dsn);
	db_column_int(&j[J_FLAGS], e->flags);
	if (e->next_ms)
		db_column_int(&j[J_NEXT], e->next_ms);
	else
		db_column_null(&j[J_NEXT]);
	db_column_text(&j[J_DOMAIN], domain_of(e->rcpt));
	db_column_text(&j[J_HOST], e->host);
	db_column_text(&j[J_IP], e->ip);
	db_column_text(&j[J_SOURCE], e->source);
	/* "250 ok: queued as 4Xy" differs each time and says nothing: only bad news is kept. */
	db_column_text(&j[J_TEXT], e->kind == LINK_DELIVERED ? SLICE("") : e->text);
}

static void take_move(struct moves *m, const struct link_event *e, uint64_t seq)
{
	db_column_u64(&m->columns[M_SEQ], seq);
	db_column_int(&m->columns[M_STATE], ledger_state_of(e));
	db_column_int(&m->columns[M_CODE], e->code & INT16_MAX);
	db_column_int(&m->columns[M_ATTEMPT], e->attempt & INT16_MAX);
	db_column_int(&m->columns[M_REASON], ledger_reason_of(e));
}

static void take_chunk(struct batch *b, const struct link_event *e, uint64_t campaign, uint64_t seq)
{
	db_column_u64(&b->chunks[C_ORG], e->tenant);
	db_column_u64(&b->chunks[C_CAMPAIGN], campaign);
	db_column_u64(&b->chunks[C_FIRST], seq);
	db_column_int(&b->chunks[C_ROWS], e->row);
	db_column_u64(&b->chunks[C_LSN], e->lsn);
}

static void take_message(struct batch *b, const struct link_event *e, uint64_t id)
{
	bool accepted = e->kind == LINK_ACCEPTED;

	db_column_u64(&b->messages[S_ORG], e->tenant);
	db_column_u64(&b->messages[S_ID], id);
	db_column_int(&b->messages[S_STATE], accepted ? LEDGER_QUEUED : ledger_state_of(e));
	db_column_int(&b->messages[S_CODE], e->code & INT16_MAX);
	db_column_int(&b->messages[S_ATTEMPT], e->attempt & INT16_MAX);
}

static void take_bounce(struct batch *b, const struct link_event *e, uint64_t campaign)
{
	struct suppress_address a;

	if (suppress_address_parse(e->rcpt, &a) < 0)
		return;
	db_column_u64(&b->bounces[B_ORG], e->tenant);
	db_column_bytes(&b->bounces[B_HASH], slice_of(a.hash, sizeof(a.hash)));
	db_column_text(&b->bounces[B_EMAIL], mailbox_text(&a.box));
	if (campaign)
		db_column_u64(&b->bounces[B_CAMPAIGN], campaign);
	else
		db_column_null(&b->bounces[B_CAMPAIGN]);
}

static void take(struct batch *b, const struct link_event *e)
{
	uint64_t campaign, seq;

	if (!ledger_subject(e, &campaign, &seq))
		return;
	if (e->kind != LINK_ACCEPTED && !ledger_state_of(e))
		return;
	take_journal(b, e, campaign, seq);
	if (campaign == 0)
		take_message(b, e, seq);
	else if (e->kind == LINK_ACCEPTED)
		take_chunk(b, e, campaign, seq);
	else
		take_move(moves_of(b, e->tenant, campaign), e, seq);
	if (ledger_no_mailbox(e))
		take_bounce(b, e, campaign);
}

void batch_clear(struct batch *b)
{
	batch_each(b, db_column_clear);
	clear_moves(b);
	b->events = 0;
}

uint64_t batch_next(const struct batch *b)
{
	return b->next;
}

unsigned batch_events(const struct batch *b)
{
	return b->events;
}

int batch_add(struct batch *b, const struct link_frame *frame)
{
	struct link_event e;
	size_t pos = 0;
	int r;

	b->next = frame->events.next;
	b->events += frame->events.n;
	b->now_ms = clock_wall_ms();
	while ((r = link_event_next(frame, &pos, &e)) > 0)
		take(b, &e);
	return r;
}

/* ---- writing ----------------------------------------------------------------------------- */

static int run_columns(struct db *db, const char *sql, struct db_column *c, unsigned n,
		       const struct db_param *more, unsigned n_more)
{
	struct db_param params[J_COLUMNS + 2];

	assert(n + n_more <= ARRAY_LEN(params));
	if (c[0].n == 0)
		return 0;
	for (unsigned i = 0; i < n; i++)
		params[i] = p_str(db_column_array(&c[i]));
	for (unsigned i = 0; i < n_more; i++)
		params[n + i] = more[i];
	return db_query(db, NULL, sql, params, n + n_more);
}

static const char sql_diagnostics[] =
    "INSERT INTO diagnostics (org_id, hash, text) "
    "SELECT DISTINCT ON (u.org_id, u.text) u.org_id, " SQL_SUPPRESS_HASH(
	"u.text") ", u.text "
		  "FROM unnest($1::int[], $2::text[]) AS u(org_id, text) WHERE u.text <> '' "
		  "ON CONFLICT DO NOTHING";

static const char sql_events[] =
    "INSERT INTO events (at, org_id, engine, lsn, kind, campaign_id, seq, attempt, code, dsn, "
    "flags,"
    " next_at, rcpt_domain, host, ip, source, diagnostic_id) "
    "SELECT from_ms(u.at), u.org_id, $17::smallint, u.lsn, u.kind, u.campaign, u.seq, u.attempt,"
    " u.code, u.dsn, u.flags, from_ms(u.next), u.domain, u.host, u.ip, u.source, d.id "
    "FROM unnest($1::bigint[], $2::int[], $3::numeric[], $4::smallint[], $5::bigint[], "
    "$6::bigint[],"
    " $7::smallint[], $8::smallint[], $9::text[], $10::int[], $11::bigint[], $12::text[], "
    "$13::text[],"
    " $14::text[], $15::text[], $16::text[])"
    " AS u(at, org_id, lsn, kind, campaign, seq, attempt, code, dsn, flags, next, domain, host, ip,"
    " source, text) "
    "LEFT JOIN diagnostics d ON u.text <> '' AND d.org_id = u.org_id"
    " AND d.hash = " SQL_SUPPRESS_HASH("u.text");

static const char sql_stats[] =
    "INSERT INTO stats AS s (org_id, bucket, campaign_id, kind, n) "
    "SELECT u.org_id, date_trunc('minute', from_ms(u.at)), u.campaign, u.kind, count(*) "
    "FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::smallint[])"
    " AS u(org_id, at, campaign, kind) GROUP BY 1, 2, 3, 4 "
    "ON CONFLICT (org_id, bucket, campaign_id, kind) DO UPDATE SET n = s.n + excluded.n";

static int write_journal(struct batch *b, struct db *db, int64_t engine)
{
	struct db_column *j = b->journal;
	const struct db_param id[] = { p_int(engine) };
	int r;

	if (j[0].n == 0)
		return 0;
	r = db_run(db, NULL, sql_diagnostics, p_str(db_column_array(&j[J_ORG])),
		   p_str(db_column_array(&j[J_TEXT])));
	if (r >= 0)
		r = run_columns(db, sql_events, j, J_COLUMNS, id, 1);
	if (r >= 0)
		r = db_run(db, NULL, sql_stats, p_str(db_column_array(&j[J_ORG])),
			   p_str(db_column_array(&j[J_AT])), p_str(db_column_array(&j[J_CAMPAIGN])),
			   p_str(db_column_array(&j[J_KIND])));
	return r;
}

static int write_moves(struct batch *b, struct db *db)
{
	int r = 0;

	for (unsigned i = 0; i < b->n_moves && r >= 0; i++) {
		struct moves *m = &b->moves[i];
		const struct db_param whose[] = { p_int(m->org), p_int(m->campaign) };

		r = run_columns(
		    db,
		    "SELECT ledger_move($6, $7, $1::bigint[], $2::smallint[], $3::smallint[],"
		    " $4::smallint[], $5::smallint[])",
		    m->columns, M_COLUMNS, whose, 2);
	}
	return r;
}

/* A chunk the engine has taken is accepted whatever we believed; its row count is the engine's. */
static const char sql_chunks[] =
    "UPDATE campaign_chunks c SET state = 3, rows = u.rows, lsn = u.lsn, changed_at = now() "
    "FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[], $5::numeric[])"
    " AS u(org_id, campaign, first, rows, lsn) "
    "WHERE c.org_id = u.org_id AND c.campaign_id = u.campaign AND c.first_seq = u.first"
    " AND c.state <> 3";
static const char sql_messages[] =
    "UPDATE messages m SET state = u.state, code = u.code, attempts = u.attempts,"
    " content = NULL, changed_at = now() FROM (SELECT DISTINCT ON (org_id, id) * FROM"
    " unnest($1::int[], $2::bigint[], $3::smallint[], $4::smallint[], $5::smallint[]) WITH "
    "ORDINALITY"
    " AS u(org_id, id, state, code, attempts, nth) ORDER BY org_id, id, nth DESC) u "
    "WHERE m.org_id = u.org_id AND m.id = u.id AND m.state < 4";
static const char sql_bounces[] =
    "WITH new AS (INSERT INTO suppressions (org_id, email_hash, email, reason, source, "
    "campaign_id) "
    "SELECT DISTINCT ON (u.org_id, u.hash) u.org_id, u.hash, u.email, 3, 'engine', u.campaign "
    "FROM unnest($1::int[], $2::bytea[], $3::text[], $4::bigint[]) AS u(org_id, hash, email, "
    "campaign) "
    "JOIN orgs o ON o.org_id = u.org_id ON CONFLICT DO NOTHING RETURNING org_id, email_hash) "
    "INSERT INTO engine_outbox (org_id, kind, name, value) "
    "SELECT org_id, 2, 'suppress/' || org_id || '/' || encode(email_hash, 'hex'), '1' FROM new";

static int write_rest(struct batch *b, struct db *db)
{
	int r = run_columns(db, sql_chunks, b->chunks, C_COLUMNS, NULL, 0);

	if (r >= 0)
		r = run_columns(db, sql_messages, b->messages, S_COLUMNS, NULL, 0);
	if (r >= 0)
		r = run_columns(db, sql_bounces, b->bounces, B_COLUMNS, NULL, 0);
	return r;
}

/* Locks the engine's row: two processes never write the same events. */
static int check_cursor(struct db *db, struct slice engine, const char *from, int64_t *ret_id)
{
	OWNED(db_result) res = NULL;
	int n = db_run(db, &res,
		       "SELECT id, cursor = $2::numeric FROM engines WHERE name = $1 FOR UPDATE",
		       p_text(engine), p_str(from));

	if (n < 0)
		return n;
	if (n == 0)
		return E_UNKNOWN;
	*ret_id = db_int(res, 0, 0);
	return db_bool(res, 0, 1) ? 0 : E_EXISTS;
}

int batch_write(struct batch *b, struct db *db, struct slice engine, uint64_t from)
{
	char at[24], next[24];
	int64_t id = 0;
	int r;

	(void)snprintf(at, sizeof(at), "%" PRIu64, from);
	(void)snprintf(next, sizeof(next), "%" PRIu64, b->next);
	r = check_cursor(db, engine, at, &id);
	if (r >= 0)
		r = write_journal(b, db, id);
	if (r >= 0)
		r = write_moves(b, db);
	if (r >= 0)
		r = write_rest(b, db);
	if (r >= 0)
		r = db_run(
		    db, NULL,
		    "UPDATE engines SET cursor = $2::numeric, updated_at = now() WHERE id = $1",
		    p_int(id), p_str(next));
	return r < 0 ? r : 0;
}
