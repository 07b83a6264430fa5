/* control/campaigns/start.c - the audience frozen into the ledger. */
#include "control/campaigns/start.h"

#include "base/log.h"
#include "control/campaigns/recipe.h"
#include "control/suppression/address.h"

#define AUDIENCE_LISTS(exclude)                                                                    \
	"SELECT m.contact_id FROM campaign_lists l JOIN list_members m ON m.org_id = $1"           \
	" AND m.list_id = l.list_id AND m.status = 1 "                                             \
	"WHERE l.org_id = $1 AND l.campaign_id = $2 AND l.exclude = " exclude

/* Those who may be sent to come first, so that chunks have no holes. */
static const char sql_ledger[] =
    "WITH picked AS (SELECT c.id, c.status <> 1 OR EXISTS (SELECT FROM suppressions s WHERE "
    "s.org_id = $1"
    "  AND s.email_hash = " SQL_SUPPRESS_HASH(
	"c.email_norm") ") AS held"
			" FROM contacts c WHERE c.org_id = $1"
			" AND ($3::int::boolean OR c.id IN (" AUDIENCE_LISTS(
			    "false") "))"
				     " AND c.id NOT IN (" AUDIENCE_LISTS(
					 "true") ")),"
						 " added AS (INSERT INTO campaign_recipients "
						 "(org_id, campaign_id, seq, contact_id, state, "
						 "reason)"
						 " SELECT $1, $2, row_number() OVER (ORDER BY "
						 "held, id), id, CASE WHEN held THEN 7 ELSE 1 END,"
						 "  held::int FROM picked RETURNING state) "
						 "SELECT count(*), count(*) FILTER (WHERE state = "
						 "1) FROM added";

static int freeze(struct db *db, const struct campaign_ref *c, bool to_all, int64_t *ret_all,
		  int64_t *ret_sendable)
{
	OWNED(db_result) sums = NULL;
	int r = db_run(
	    db, NULL,
	    "SELECT set_config('statement_timeout', '0', true), set_config('jit', 'off', true)");

	if (r >= 0)
		r = db_run(db, &sums, sql_ledger, p_int(c->org), p_int(c->id), p_bool(to_all));
	if (r < 0)
		return r;
	*ret_all = db_int(sums, 0, 0);
	*ret_sendable = db_int(sums, 0, 1);
	return db_run(
	    db, NULL,
	    "INSERT INTO campaign_counts (org_id, campaign_id, state, n) "
	    "SELECT $1, $2, s, CASE s WHEN 1 THEN $3::bigint WHEN 7 THEN $4::bigint ELSE 0 END"
	    " FROM generate_series(1, 8) s",
	    p_int(c->org), p_int(c->id), p_int(*ret_sendable), p_int(*ret_all - *ret_sendable));
}

int campaign_start(struct db *db, const struct campaign_ref *c)
{
	OWNED(db_result) row = NULL;
	int64_t all = 0, sendable = 0;
	int r = db_run(db, &row,
		       "SELECT to_all FROM campaigns WHERE org_id = $1 AND id = $2 AND status IN "
		       "(1, 2) FOR UPDATE",
		       p_int(c->org), p_int(c->id));

	if (r <= 0)
		return r < 0 ? r : E_CONFLICT;
	r = freeze(db, c, db_bool(row, 0, 0), &all, &sendable);
	if (r >= 0)
		r = db_run(
		    db, NULL,
		    "UPDATE campaigns c SET status = 3, audience = $3, sendable = $4, next_seq = 1,"
		    " started_at = now(), updated_at = now(), version = c.version + 1, "
		    "template_version = t.version "
		    "FROM templates t WHERE c.org_id = $1 AND c.id = $2 AND t.org_id = c.org_id"
		    " AND t.id = c.template_id",
		    p_int(c->org), p_int(c->id), p_int(all), p_int(sendable));
	return r == 0 ? E_CONFLICT : r < 0 ? r : 0;
}

int campaign_start_due(struct db *db, void *arg)
{
	const struct campaign_ref *c = arg;
	OWNED(db_result) due = NULL;
	OWNED(recipe) recipe = NULL;
	char why[RECIPE_ERROR_MAX];
	int r = db_run(
	    db, &due,
	    "SELECT 1 FROM campaigns c JOIN domains d ON d.org_id = c.org_id AND d.id = "
	    "c.domain_id "
	    "JOIN orgs o ON o.org_id = c.org_id WHERE c.org_id = $1 AND c.id = $2 AND c.status = 2"
	    " AND c.scheduled_at <= now() AND d.status <> 1 AND o.status = 1 FOR UPDATE OF c",
	    p_int(c->org), p_int(c->id));

	if (r < 0)
		return r;
	r = r == 0 ? E_UNKNOWN
		   : recipe_load(&recipe, db, c->org, c->id, SLICE(""), why); /* looked at only */
	if (r >= 0)
		return campaign_start(db, c);
	if (r != E_UNKNOWN && r != E_SYNTAX && r != E_LIMIT)
		return r;
	log_warn("campaign.unfit", kv_int("campaign", c->id), kv_err("error", r));
	return db_run(db, NULL,
		      "UPDATE campaigns SET status = 1, scheduled_at = NULL, updated_at = now(),"
		      " version = version + 1 WHERE org_id = $1 AND id = $2 AND status = 2 AND "
		      "scheduled_at <= now()",
		      p_int(c->org), p_int(c->id));
}
