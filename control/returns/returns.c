/* control/returns/returns.c - what came back as mail about a recipient, into the database. */
#include "control/db/column.h"
#include "control/returns/background.h"
#include "control/returns/statements.h"
#include "control/suppression/codes.h"

enum fact_column {
	F_ORG,
	F_CAMPAIGN,
	F_SEQ,
	F_ONE,
	F_KIND,
	F_AT,
	F_HARD,
	F_CODE,
	F_DSN,
	F_CLASS,
	F_RULE,
	F_HOST,
	F_IP,
	F_SOURCE,
	F_RCPT,
	F_EVIDENCE,
	F_COLUMNS,
};
/* Who is not written to any more. */
enum act_column { A_ORG, A_CAMPAIGN, A_SEQ, A_REASON, A_RCPT, A_AT, A_SOURCE, A_COLUMNS };

struct returns {
	struct db_column facts[F_COLUMNS], acts[A_COLUMNS];
};

static void each(struct returns *rs, void (*f)(struct db_column *))
{
	db_columns_each(rs->facts, F_COLUMNS, f);
	db_columns_each(rs->acts, A_COLUMNS, f);
}

static void *returns_open(const struct app *app UNUSED)
{
	struct returns *rs = must_alloc(sizeof(*rs));

	each(rs, db_column_init);
	return rs;
}

static void returns_close(void *part)
{
	each(part, db_column_free);
	free(part);
}

static void returns_clear(void *part)
{
	each(part, db_column_clear);
}

static void put_bool(struct db_column *c, bool b)
{
	db_column_text(c, b ? SLICE("t") : SLICE("f"));
}

static void take_fact(struct db_column *f, const struct link_event *e,
		      const struct intake_late *who)
{
	db_column_u64(&f[F_ORG], e->tenant);
	db_column_u64(&f[F_CAMPAIGN], who->campaign);
	db_column_u64(&f[F_SEQ], who->seq);
	put_bool(&f[F_ONE], !who->any || !who->campaign);
	db_column_int(&f[F_KIND], e->kind);
	db_column_int(&f[F_AT], e->at_ms);
	put_bool(&f[F_HARD], subject_has_no_mailbox(e));
	db_column_int(&f[F_CODE], e->code & INT16_MAX);
	db_column_text(&f[F_DSN], e->dsn);
	db_column_text(&f[F_CLASS], e->class);
	db_column_text(&f[F_RULE], e->rule);
	db_column_text(&f[F_HOST], e->host);
	db_column_text(&f[F_IP], e->ip);
	db_column_text(&f[F_SOURCE], e->source);
	db_column_text(&f[F_RCPT], e->rcpt);
	db_column_text(&f[F_EVIDENCE], e->text);
}

/* 0: it says nothing about whether to write again. */
static enum suppress_reason reason_of(const struct link_event *e, const char **ret_source)
{
	if (subject_has_no_mailbox(e)) {
		*ret_source = "bounce_mail";
		return SUPPRESS_BOUNCE;
	}
	if (e->kind == LINK_COMPLAINT) {
		*ret_source = "feedback_report";
		return SUPPRESS_COMPLAINT;
	}
	*ret_source = "unsubscribe_mail";
	return e->kind == LINK_UNSUBSCRIBE ? SUPPRESS_UNSUBSCRIBED : 0;
}

/* Where the token stands for several recipients, one of them could speak for another. */
static void returns_late(void *part, const struct link_event *e, const struct intake_late *who)
{
	struct returns *rs = part;
	const char *source;
	enum suppress_reason reason;

	if (!who)
		return;
	take_fact(rs->facts, e, who);
	reason = reason_of(e, &source);
	if (!reason || (who->any && who->campaign))
		return;
	db_column_u64(&rs->acts[A_ORG], e->tenant);
	db_column_u64(&rs->acts[A_CAMPAIGN], who->campaign);
	db_column_u64(&rs->acts[A_SEQ], who->seq);
	db_column_int(&rs->acts[A_REASON], reason);
	db_column_text(&rs->acts[A_RCPT], e->rcpt);
	db_column_int(&rs->acts[A_AT], e->at_ms);
	db_column_text(&rs->acts[A_SOURCE], slice_str(source));
}

static int returns_write(void *part, struct db *db, int64_t engine UNUSED)
{
	struct returns *rs = part;
	int r = db_columns_run(db, sql_returns_take, rs->facts, F_COLUMNS, NULL, 0);

	if (r >= 0)
		r = db_columns_run(db, sql_returns_act, rs->acts, A_COLUMNS, NULL, 0);
	return r;
}

const struct intake_part returns_intake = {
	.open = returns_open,
	.close = returns_close,
	.clear = returns_clear,
	.late = returns_late,
	.write = returns_write,
};
