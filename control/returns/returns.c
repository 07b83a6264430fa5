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
	F_ROW,
	F_COLUMNS,
};
/* Who is not written to any more. */
enum act_column { A_ORG, A_CAMPAIGN, A_SEQ, A_REASON, A_RCPT, A_AT, A_SOURCE, A_COLUMNS };
/* The same of submitted mail, with what came back and with our own outcome: it has the address. */
enum submitted_column { S_ORG, S_SEQ, S_ROW, S_COLUMNS };

struct returns {
	struct db_column facts[F_COLUMNS], acts[A_COLUMNS], submitted[S_COLUMNS];
};

static void each(struct returns *rs, void (*f)(struct db_column *))
{
	db_columns_each(rs->facts, F_COLUMNS, f);
	db_columns_each(rs->acts, A_COLUMNS, f);
	db_columns_each(rs->submitted, S_COLUMNS, f);
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
	db_column_int(&f[F_SEQ], (int64_t)who->seq); /* below zero: of submitted mail */
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
	db_column_int(&f[F_ROW], subject_is_submitted(e) ? e->row : 0);
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

static void take_submitted(struct returns *rs, const struct link_event *e, uint64_t seq)
{
	db_column_u64(&rs->submitted[S_ORG], e->tenant);
	db_column_int(&rs->submitted[S_SEQ], (int64_t)seq);
	db_column_int(&rs->submitted[S_ROW], e->row);
}

/* A notice can be faster than the outcome that has its address. */
static void returns_outcome(void *part, const struct link_event *e, uint64_t campaign UNUSED,
			    uint64_t seq)
{
	if (subject_is_submitted(e) && subject_has_outcome(e))
		take_submitted(part, e, seq);
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
	if (!reason || (who->any && (who->campaign || subject_is_submitted(e))))
		return;
	if (subject_is_submitted(e)) {
		take_submitted(rs, e, who->seq);
		return;
	}
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
	if (r >= 0)
		r = db_columns_run(db, sql_returns_act_submitted, rs->submitted, S_COLUMNS, NULL,
				   0);
	return r;
}

const struct intake_part returns_intake = {
	.open = returns_open,
	.close = returns_close,
	.clear = returns_clear,
	.take = returns_outcome,
	.late = returns_late,
	.write = returns_write,
};
