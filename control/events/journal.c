/* control/events/journal.c - every event of the engine as a row, the texts of bad news once each, and
 * the numbers per minute. */
#include "base/clock.h"
#include "control/db/column.h"
#include "control/events/background.h"
#include "control/suppression/address.h"
#include "message/mailbox.h"

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

struct journal {
	struct db_column columns[J_COLUMNS];
};

static void *journal_open(void)
{
	struct journal *j = must_alloc(sizeof(*j));

	db_columns_each(j->columns, J_COLUMNS, db_column_init);
	return j;
}

static void journal_close(void *part)
{
	struct journal *j = part;

	db_columns_each(j->columns, J_COLUMNS, db_column_free);
	free(j);
}

static void journal_clear(void *part)
{
	struct journal *j = part;

	db_columns_each(j->columns, J_COLUMNS, db_column_clear);
}

static void journal_take(void *part, const struct link_event *e, uint64_t campaign, uint64_t seq)
{
	struct db_column *j = ((struct journal *)part)->columns;

	db_column_int(&j[J_AT], e->at_ms ? e->at_ms : clock_wall_ms()); /* an acceptance has none */
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
	db_column_text(&j[J_DOMAIN], address_domain(e->rcpt));
	db_column_text(&j[J_HOST], e->host);
	db_column_text(&j[J_IP], e->ip);
	db_column_text(&j[J_SOURCE], e->source);
	/* "250 ok: queued as 4Xy" differs each time and says nothing: only bad news is kept. */
	db_column_text(&j[J_TEXT], e->kind == LINK_DELIVERED ? SLICE("") : e->text);
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

static int journal_write(void *part, struct db *db, int64_t engine)
{
	struct db_column *j = ((struct journal *)part)->columns;
	const struct db_param id[] = { p_int(engine) };
	int r;

	if (j[0].n == 0)
		return 0;
	r = db_run(db, NULL, sql_diagnostics, p_str(db_column_array(&j[J_ORG])),
		   p_str(db_column_array(&j[J_TEXT])));
	if (r >= 0)
		r = db_columns_run(db, sql_events, j, J_COLUMNS, id, 1);
	if (r >= 0)
		r = db_run(db, NULL, sql_stats, p_str(db_column_array(&j[J_ORG])),
			   p_str(db_column_array(&j[J_AT])), p_str(db_column_array(&j[J_CAMPAIGN])),
			   p_str(db_column_array(&j[J_KIND])));
	return r;
}

const struct intake_part journal_intake = {
	.open = journal_open,
	.close = journal_close,
	.clear = journal_clear,
	.take = journal_take,
	.write = journal_write,
};
