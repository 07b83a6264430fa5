/* control/campaigns/ledger_intake.c - what became of recipients, pieces and single messages, as the
 * engine's events say. */
#include <stdio.h>

#include "control/campaigns/background.h"
#include "control/campaigns/ledger.h"
#include "control/campaigns/statements.h"
#include "control/db/column.h"
#include "control/engine/subject.h"

enum move_column { M_SEQ, M_STATE, M_CODE, M_ATTEMPT, M_REASON, M_COLUMNS };
enum piece_column { C_ORG, C_CAMPAIGN, C_FIRST, C_ROWS, C_LSN, C_COLUMNS };
enum order_column { O_ORG, O_RECIPIENT, O_COLUMNS };
enum message_column { S_ORG, S_ID, S_STATE, S_CODE, S_ATTEMPT, S_COLUMNS };

/* Recipients of one campaign and where they go. */
struct ledger_moves {
	uint64_t org, campaign;
	struct db_column columns[M_COLUMNS];
};
struct ledger_news {
	struct db_column pieces[C_COLUMNS], messages[S_COLUMNS];
	struct db_column orders[O_COLUMNS]; /* to cancel one recipient, and done */
	struct ledger_moves *moves;
	unsigned n_moves, cap_moves;
};

static void news_each(struct ledger_news *news, void (*f)(struct db_column *))
{
	db_columns_each(news->pieces, C_COLUMNS, f);
	db_columns_each(news->messages, S_COLUMNS, f);
	db_columns_each(news->orders, O_COLUMNS, f);
}

static void clear_moves(struct ledger_news *news)
{
	for (unsigned i = 0; i < news->n_moves; i++)
		db_columns_each(news->moves[i].columns, M_COLUMNS, db_column_free);
	news->n_moves = 0;
}

static void *news_open(const struct app *app UNUSED)
{
	struct ledger_news *news = must_alloc(sizeof(*news));

	news_each(news, db_column_init);
	return news;
}

static void news_close(void *part)
{
	struct ledger_news *news = part;

	news_each(news, db_column_free);
	clear_moves(news);
	free(news->moves);
	free(news);
}

static void news_clear(void *part)
{
	news_each(part, db_column_clear);
	clear_moves(part);
}

/* The newest first: events come in runs of one campaign. */
static struct ledger_moves *moves_of(struct ledger_news *news, uint64_t org, uint64_t campaign)
{
	for (unsigned i = news->n_moves; i-- > 0;)
		if (news->moves[i].campaign == campaign && news->moves[i].org == org)
			return &news->moves[i];
	if (news->n_moves == news->cap_moves) {
		news->cap_moves = news->cap_moves ? news->cap_moves * 2 : 8;
		news->moves = must_resize(news->moves, news->cap_moves * sizeof(*news->moves));
	}
	struct ledger_moves *m = &news->moves[news->n_moves++];
	m->org = org;
	m->campaign = campaign;
	db_columns_each(m->columns, M_COLUMNS, db_column_init);
	return m;
}

static void take_move(struct ledger_moves *m, const struct link_event *e, uint64_t seq)
{
	db_column_u64(&m->columns[M_SEQ], seq);
	db_column_int(&m->columns[M_STATE], ledger_state_of(e));
	db_column_int(&m->columns[M_CODE], e->code & INT16_MAX);
	db_column_int(&m->columns[M_ATTEMPT], e->attempt & INT16_MAX);
	db_column_int(&m->columns[M_REASON], ledger_reason_of(e));
}

static void take_piece(struct ledger_news *news, const struct link_event *e, uint64_t campaign,
		       uint64_t seq)
{
	db_column_u64(&news->pieces[C_ORG], e->tenant);
	db_column_u64(&news->pieces[C_CAMPAIGN], campaign);
	db_column_u64(&news->pieces[C_FIRST], seq);
	db_column_int(&news->pieces[C_ROWS], e->row);
	db_column_u64(&news->pieces[C_LSN], e->lsn);
}

static void take_message(struct ledger_news *news, const struct link_event *e, uint64_t id)
{
	bool accepted = e->kind == LINK_ACCEPTED;

	db_column_u64(&news->messages[S_ORG], e->tenant);
	db_column_u64(&news->messages[S_ID], id);
	db_column_int(&news->messages[S_STATE], accepted ? LEDGER_QUEUED : ledger_state_of(e));
	db_column_int(&news->messages[S_CODE], e->code & INT16_MAX);
	db_column_int(&news->messages[S_ATTEMPT], e->attempt & INT16_MAX);
}

static void take_order(struct ledger_news *news, const struct link_event *e)
{
	char id[ID_TEXT_MAX], name[ID_TEXT_MAX + 16];

	(void)snprintf(name, sizeof(name), "%s:%u", id_format(e->job, id), e->row);
	db_column_u64(&news->orders[O_ORG], e->tenant);
	db_column_text(&news->orders[O_RECIPIENT], slice_str(name));
}

static void news_take(void *part, const struct link_event *e, uint64_t campaign, uint64_t seq)
{
	struct ledger_news *news = part;

	if ((subject_was_deleted(e) || subject_was_changed(e)))
		take_order(news, e);
	if (subject_is_submitted(e))
		return;
	if (campaign == 0)
		take_message(news, e, seq);
	else if (e->kind == LINK_ACCEPTED)
		take_piece(news, e, campaign, seq);
	else
		take_move(moves_of(news, e->tenant, campaign), e, seq);
}

static int write_moves(struct ledger_news *news, struct db *db)
{
	int r = 0;

	for (unsigned i = 0; i < news->n_moves && r >= 0; i++) {
		struct ledger_moves *m = &news->moves[i];
		const struct db_param whose[] = { p_int(m->org), p_int(m->campaign) };

		r = db_columns_run(
		    db,
		    "SELECT ledger_move($6, $7, $1::bigint[], $2::smallint[], $3::smallint[],"
		    " $4::smallint[], $5::smallint[])",
		    m->columns, M_COLUMNS, whose, 2);
	}
	return r;
}

static int news_write(void *part, struct db *db, int64_t engine UNUSED)
{
	struct ledger_news *news = part;
	int r = write_moves(news, db);

	if (r >= 0)
		r = db_columns_run(db, sql_campaigns_intake_pieces, news->pieces, C_COLUMNS, NULL,
				   0);
	if (r >= 0)
		r = db_columns_run(db, sql_campaigns_intake_adopt, news->pieces, C_COLUMNS, NULL,
				   0);
	if (r >= 0)
		r = db_columns_run(db, sql_campaigns_intake_leaving, news->orders, O_COLUMNS, NULL,
				   0);
	if (r >= 0)
		r = db_columns_run(db, sql_campaigns_intake_messages, news->messages, S_COLUMNS,
				   NULL, 0);
	return r;
}

const struct intake_part campaigns_intake = {
	.open = news_open,
	.close = news_close,
	.clear = news_clear,
	.take = news_take,
	.write = news_write,
};
