/* control/campaigns/trial.c - what a test key sends: piece after piece gets simulated outcomes, in
 * the transaction that marks the piece accepted. */
#include "control/campaigns/trial.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "control/campaigns/background.h"
#include "control/campaigns/statements.h"
#include "control/http/problem.h"
#include "schema/wire/rows.h"

enum { IDLE_MS = 500, RETRY_MS = 2000, LEASE_MS = 60000, PIECES_MOST = 8 };

/* ---- outcomes ----------------------------------------------------------------------------- */

static const struct {
	const char *begin;
	enum link_event_kind kind;
	uint16_t code;
	const char *dsn, *text;
} outcomes[] = {
	{ "bounce", LINK_BOUNCED, 550, "5.1.1", "simulated: no such mailbox" },
	{ "block", LINK_BOUNCED, 550, "5.7.1", "simulated: refused by policy" },
	{ "expire", LINK_EXPIRED, 451, "4.4.7", "simulated: given up" },
	{ "", LINK_DELIVERED, 250, "2.0.0", "simulated: nothing was sent" },
};

void trial_outcome(struct slice address, struct link_event *ret)
{
	size_t i = 0;

	while (!slice_starts_nocase(address, slice_str(outcomes[i].begin)))
		i++;
	ret->kind = outcomes[i].kind;
	ret->code = outcomes[i].code;
	ret->dsn = slice_str(outcomes[i].dsn);
	ret->text = slice_str(outcomes[i].text);
}

/* ---- what a test key may -------------------------------------------------------------------- */

int trial_mark(struct call *c, uint64_t campaign)
{
	int r = db_run(c->db, NULL, sql_campaigns_trial_mark, p_int(c->actor.org), p_int(campaign),
		       p_bool(c->actor.test));

	return r < 0 ? r : 0;
}

int trial_check(struct call *c, bool campaign_is_test)
{
	if (!c->actor.test || campaign_is_test)
		return 0;
	return problem(c, 403, "test_key",
		       "this campaign is real: a test key changes only drafts and campaigns that a "
		       "test key has sent");
}

/* ---- the worker ----------------------------------------------------------------------------- */

struct trial_run {
	struct worker *w;
	char holder[64];
	struct feeder_lease lease;
	bool cancelled;
	void *mail;
	struct feeder_piece piece;
	void *parts[]; /* by intake_parts[] */
};

static void each_part(struct trial_run *t, const struct link_event *e, uint64_t seq)
{
	for (size_t i = 0; i < intake_parts_n; i++)
		if (intake_parts[i]->take)
			intake_parts[i]->take(t->parts[i], e, t->lease.campaign, seq);
}

static void take_accepted(struct trial_run *t)
{
	const struct link_event e = { .kind = LINK_ACCEPTED,
				      .flags = LINK_EVENT_SIMULATED,
				      .job = subject_job_of_piece(t->lease.number, t->piece.first),
				      .tenant = t->lease.org,
				      .campaign = t->lease.number,
				      .row = t->piece.rows,
				      .at_ms = clock_wall_ms() };

	each_part(t, &e, t->piece.first);
}

static void take_row(struct trial_run *t, const struct wire_rows *rows, uint32_t i)
{
	struct link_event e = { .kind = LINK_CANCELLED,
				.flags = LINK_EVENT_SIMULATED,
				.job = subject_job_of_piece(t->lease.number, t->piece.first),
				.tenant = t->lease.org,
				.campaign = t->lease.number,
				.row = i,
				.attempt = 1,
				.at_ms = clock_wall_ms(),
				.rcpt = wire_rows_address(rows, i),
				.host = SLICE("simulated.invalid") };

	if (!t->cancelled)
		trial_outcome(e.rcpt, &e);
	each_part(t, &e, t->piece.first + i);
}

static int take_piece(struct trial_run *t)
{
	OWNED(wire_rows) rows = NULL;
	unsigned gone = 0;
	int r = wire_rows_open(&rows, buf_data(&t->piece.data), t->piece.rows);

	if (r < 0)
		return r;
	for (size_t i = 0; i < intake_parts_n; i++)
		intake_parts[i]->clear(t->parts[i]);
	take_accepted(t);
	for (uint32_t i = 0; i < t->piece.rows; i++)
		if (gone < t->piece.n_gone && t->piece.gone[gone] == i)
			gone++; /* it has come to its end already */
		else
			take_row(t, rows, i);
	return 0;
}

static int work_write(struct db *db, void *arg)
{
	struct trial_run *t = arg;
	int r = db_run(db, NULL, sql_campaigns_trial_hold, p_int(t->lease.org),
		       p_int(t->lease.campaign), p_str(t->holder), p_int(t->piece.first));

	if (r <= 0)
		return r; /* another process has it by now, or has done it */
	for (size_t i = 0; r >= 0 && i < intake_parts_n; i++)
		r = intake_parts[i]->write(t->parts[i], db, 0);
	return r;
}

/* 1 a piece was settled, 0 none is left. */
static int settle_piece(struct trial_run *t, uint64_t *after)
{
	int r = campaigns_mail.in_doubt(t->mail, t->w->api, *after, &t->piece);

	if (r == 0 && t->lease.sending)
		r = campaigns_mail.next(t->mail, t->w->api, &t->piece);
	if (r <= 0)
		return r;
	*after = MAX_OF(*after, t->piece.first);
	r = take_piece(t);
	if (r >= 0)
		r = db_tx(t->w->ingest, 0, work_write, t);
	return r < 0 ? r : 1;
}

static int settle_some(struct trial_run *t)
{
	struct feeder_content content;
	uint64_t after = 0;
	int n = 0, r = campaigns_mail.open(&t->mail, t->w->app, t->w->api, &t->lease, &content);

	if (r < 0)
		return r;
	do
		r = settle_piece(t, &after);
	while (r > 0 && ++n < PIECES_MOST && !worker_stopping(t->w));
	campaigns_mail.close(t->mail);
	return r;
}

enum { C_ORG, C_ID, C_SENDING, C_NUMBER, C_CANCELLED };

static int claim(struct trial_run *t)
{
	OWNED(db_result) row = NULL;
	int r = db_run(t->w->ingest, &row, sql_campaigns_trial_claim, p_str(t->holder),
		       p_int(LEASE_MS));

	if (r <= 0)
		return r;
	t->lease = (struct feeder_lease){ .org = (uint32_t)db_int(row, 0, C_ORG),
					  .campaign = (uint64_t)db_int(row, 0, C_ID),
					  .number = (uint64_t)db_int(row, 0, C_NUMBER),
					  .sending = db_bool(row, 0, C_SENDING) };
	t->cancelled = db_bool(row, 0, C_CANCELLED);
	return 1;
}

static int trial_step(struct worker *w)
{
	struct trial_run *t = w->state;
	int r = claim(t), e;

	if (r <= 0)
		return r;
	r = settle_some(t);
	e = campaigns_mail.release(w->ingest, t->holder, &t->lease, r < 0 ? RETRY_MS : -1);
	if (r < 0)
		log_warn("trial.step", kv_int("campaign", t->lease.campaign), kv_err("error", r));
	return r < 0 ? r : e < 0 ? e : 1;
}

static void *trial_begin(struct worker *w)
{
	struct trial_run *t = must_alloc(sizeof(*t) + intake_parts_n * sizeof(void *));

	t->w = w;
	buf_init(&t->piece.data, 0);
	for (size_t i = 0; i < intake_parts_n; i++)
		t->parts[i] = intake_parts[i]->open(w->app);
	(void)snprintf(t->holder, sizeof(t->holder), "trial-%ld-%016" PRIx64, (long)getpid(),
		       random_u64());
	return t;
}

static void trial_end(void *state)
{
	struct trial_run *t = state;

	for (size_t i = 0; i < intake_parts_n; i++)
		intake_parts[i]->close(t->parts[i]);
	buf_free(&t->piece.data);
	free(t);
}

const struct worker_row campaigns_trial_worker = {
	.name = "trial",
	.step = trial_step,
	.idle_ms = IDLE_MS,
	.retry_ms = RETRY_MS,
	.failed = "trial.failed",
	.begin = trial_begin,
	.end = trial_end,
};
