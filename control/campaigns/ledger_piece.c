/* control/campaigns/ledger_piece.c - cutting pieces, and cutting them again. */
#include "control/campaigns/ledger_piece.h"

#include <jansson.h>
#include <stdio.h>

#include "control/campaigns/statements.h"
#include "control/db/column.h"
#include "control/suppression/address.h"
#include "control/templates/value.h"
#include "schema/wire/rows.h"

enum row_column { R_SEQ, R_EMAIL, R_FIRST, R_LAST, R_FIELDS, R_GONE, R_STOP, R_HELD };
enum { URL_MAX = 1024 };
/* A fresh piece ends with the row that reaches this, so that a job stays far below LINK_FRAME_MAX
 * whatever tenants put into their fields. */
enum { PIECE_BYTES = 4 * 1024 * 1024 };

/* ---- one row ----------------------------------------------------------------------------- */

static struct value value_string(struct slice s)
{
	return (struct value){ .type = VALUE_STRING, .s = s };
}

static struct value own_field(const json_t *fields, struct slice name)
{
	char key[128];

	slice_copy(key, sizeof(key), name);
	return templates_value_of(json_object_get(fields, key));
}

static struct value field_value(const struct ledger_piece_maker *m, const struct db_result *rows,
				unsigned i, unsigned slot, const json_t *fields, struct slice url)
{
	switch ((enum recipe_field)m->recipe->fields[slot]) {
	case FIELD_FIRST_NAME:
		return value_string(db_text(rows, i, R_FIRST));
	case FIELD_LAST_NAME:
		return value_string(db_text(rows, i, R_LAST));
	case FIELD_UNSUBSCRIBE:
		return value_string(url);
	case FIELD_OWN:
		break;
	}
	return own_field(fields, program_field_name(m->recipe->program, slot));
}

static struct slice unsubscribe_url(const struct ledger_piece_maker *m, uint64_t seq,
				    struct slice email, char url[URL_MAX])
{
	struct ticket_subject who = { m->recipe->org, m->recipe->campaign, (uint32_t)seq, "" };
	char ticket[TICKET_TEXT_MAX];
	int n;

	slice_copy(who.address, sizeof(who.address), email);
	n = snprintf(url, URL_MAX, "%s/u/%s", m->public_url, ticket_make(m->key, &who, ticket));

	return n > 0 && n < URL_MAX ? slice_of(url, (size_t)n) : SLICE("");
}

static int put_row(const struct ledger_piece_maker *m, const struct db_result *rows, unsigned i,
		   struct feeder_piece *c)
{
	struct value values[PROGRAM_FIELDS_MAX];
	unsigned n = program_field_count(m->recipe->program);
	uint64_t seq = (uint64_t)db_int(rows, i, R_SEQ);
	char url[URL_MAX];
	struct slice link = unsubscribe_url(m, seq, db_text(rows, i, R_EMAIL), url);
	json_t *fields = NULL;
	int r;

	if (m->recipe->own_fields) {
		struct slice text = db_text(rows, i, R_FIELDS);
		fields = json_loadb(text.p, text.n, 0, NULL);
	}
	for (unsigned slot = 0; slot < n; slot++)
		values[slot] = field_value(m, rows, i, slot, fields, link);
	r = wire_row_put(&c->data, db_text(rows, i, R_EMAIL), seq, values, n);
	json_decref(fields);
	c->rows++;
	return r;
}

static int put_nowhere(struct feeder_piece *c, uint64_t seq)
{
	if (c->n_gone == ARRAY_LEN(c->gone))
		return E_LIMIT;
	c->gone[c->n_gone++] = c->rows++;
	return wire_row_put(&c->data, SLICE("removed@removed.invalid"), seq, NULL, 0);
}

static int read_rows(struct db *db, const struct ledger_piece_maker *m, uint64_t first,
		     uint64_t last, struct db_result **ret)
{
	return db_run(db, ret, sql_campaigns_piece_rows, p_int(m->recipe->org),
		      p_int(m->recipe->campaign), p_int(first), p_int(last),
		      p_bool(m->recipe->own_fields));
}

/* ---- cutting ----------------------------------------------------------------------------- */

enum head_column { H_FIRST, H_LAST };
enum ahead_column { A_FIRST, A_LAST };

struct piece_cut {
	const struct ledger_piece_maker *maker;
	struct feeder_piece *piece;
	uint64_t after;
};

static bool must_not(const struct db_result *rows, unsigned i)
{
	return db_bool(rows, i, R_GONE) || db_bool(rows, i, R_STOP);
}

/* Recipients that must not be sent to reach their terminal state here: the first n, or those of
 * them that want no mail. */
static int pass_over(struct db *db, const struct ledger_piece_maker *m,
		     const struct db_result *rows, unsigned n, bool only_held)
{
	struct db_column seqs, states, zeros, reasons;
	int r = 0;

	db_column_init(&seqs), db_column_init(&states), db_column_init(&zeros),
	    db_column_init(&reasons);
	for (unsigned i = 0; i < n; i++) {
		bool gone = db_bool(rows, i, R_GONE);

		if (only_held && !db_bool(rows, i, R_HELD))
			continue;
		db_column_int(&seqs, db_int(rows, i, R_SEQ));
		db_column_int(&states, gone ? LEDGER_CANCELLED : LEDGER_SUPPRESSED);
		db_column_int(&zeros, 0);
		db_column_int(&reasons, gone ? REASON_CONTACT_GONE : REASON_AT_SENDING);
	}
	if (seqs.n)
		r = db_run(
		    db, NULL,
		    "SELECT ledger_move($1, $2, $3::bigint[], $4::smallint[], $5::smallint[], "
		    "$5::smallint[],"
		    " $6::smallint[])",
		    p_int(m->recipe->org), p_int(m->recipe->campaign),
		    p_str(db_column_array(&seqs)), p_str(db_column_array(&states)),
		    p_str(db_column_array(&zeros)), p_str(db_column_array(&reasons)));
	db_column_free(&seqs), db_column_free(&states), db_column_free(&zeros),
	    db_column_free(&reasons);
	return r;
}

static int move_head(struct db *db, const struct ledger_piece_maker *m, uint64_t next)
{
	int r = db_run(db, NULL, "UPDATE campaigns SET next_seq = $3 WHERE org_id = $1 AND id = $2",
		       p_int(m->recipe->org), p_int(m->recipe->campaign), p_int(next));

	return r < 0 ? r : 0;
}

static int store_cut(struct db *db, const struct ledger_piece_maker *m,
		     const struct feeder_piece *c, uint64_t next)
{
	int r = 0;

	if (c->rows)
		r = db_run(db, NULL, sql_campaigns_piece_insert, p_int(m->recipe->org),
			   p_int(m->recipe->campaign), p_int(c->first), p_int(c->last),
			   p_int(c->rows));
	return r < 0 ? r : move_head(db, m, next);
}

static int fill_cut(struct db *db, const struct piece_cut *k, uint64_t next, uint64_t last)
{
	OWNED(db_result) rows = NULL;
	unsigned i = 0, from;
	int n = read_rows(db, k->maker, next, last, &rows), r;

	if (n < 0)
		return n;
	while (i < (unsigned)n && must_not(rows, i))
		i++;
	r = pass_over(db, k->maker, rows, i, false);
	for (from = i; r >= 0 && i < (unsigned)n && !must_not(rows, i) &&
		       buf_len(&k->piece->data) < PIECE_BYTES;
	     i++)
		r = put_row(k->maker, rows, i, k->piece);
	if (r < 0)
		return r;
	k->piece->first = next + from;
	k->piece->last = next + i - 1;
	return store_cut(db, k->maker, k->piece, next + i);
}

static void start_over(struct feeder_piece *c)
{
	buf_clear(&c->data);
	c->rows = 0;
	c->n_gone = 0;
}

/* After a restore there may be pieces that only the engine knew of: they are passed, and nothing is
 * cut across them.  *next moves up; *most comes down. */
static int mind_pieces_ahead(struct db *db, const struct ledger_piece_maker *m, uint64_t *next,
			     uint64_t *most)
{
	for (;;) {
		OWNED(db_result) piece = NULL;
		int n = db_run(db, &piece, sql_campaigns_piece_ahead, p_int(m->recipe->org),
			       p_int(m->recipe->campaign), p_int(*next));

		if (n <= 0)
			return n;
		if ((uint64_t)db_int(piece, 0, A_FIRST) > *next) {
			*most = MIN_OF(*most, (uint64_t)db_int(piece, 0, A_FIRST) - 1);
			return 0;
		}
		*next = (uint64_t)db_int(piece, 0, A_LAST) + 1;
	}
}

/* The campaign's row is locked until the end, as pause and cancel lock it: a piece is cut before
 * them or not at all. */
static int work_cut(struct db *db, void *arg)
{
	struct piece_cut *k = arg;
	OWNED(db_result) head = NULL;
	const struct recipe *recipe = k->maker->recipe;
	int n = db_run(db, &head, sql_campaigns_piece_lock, p_int(recipe->org),
		       p_int(recipe->campaign), p_int(k->maker->number));

	start_over(k->piece);
	if (n <= 0)
		return n;
	uint64_t next = (uint64_t)db_int(head, 0, H_FIRST),
		 most = (uint64_t)db_int(head, 0, H_LAST);
	n = mind_pieces_ahead(db, k->maker, &next, &most);
	if (n >= 0 && next > most)
		n = move_head(db, k->maker, next);
	else if (n >= 0)
		n = fill_cut(db, k, next, MIN_OF(next + FEEDER_ROWS - 1, most));
	return n < 0 ? n : 1;
}

int ledger_piece_cut(struct db *db, const struct ledger_piece_maker *m, struct feeder_piece *ret)
{
	struct piece_cut k = { .maker = m, .piece = ret };
	int r;

	do
		r = db_tx(db, m->recipe->org, work_cut, &k);
	while (r > 0 && ret->rows == 0); /* nobody in it was left to send to */
	return r;
}

static int work_again(struct db *db, void *arg)
{
	struct piece_cut *k = arg;
	OWNED(db_result) head = NULL;
	OWNED(db_result) rows = NULL;
	const struct recipe *recipe = k->maker->recipe;
	int n = db_run(db, &head, sql_campaigns_piece_in_doubt, p_int(recipe->org),
		       p_int(recipe->campaign), p_int(k->after));
	int r = 0;

	start_over(k->piece);
	if (n <= 0)
		return n;
	k->piece->first = (uint64_t)db_int(head, 0, H_FIRST);
	k->piece->last = (uint64_t)db_int(head, 0, H_LAST);
	n = read_rows(db, k->maker, k->piece->first, k->piece->last, &rows);
	if (n > 0)
		r = pass_over(db, k->maker, rows, (unsigned)n, true);
	for (unsigned i = 0; n >= 0 && r >= 0 && i < (unsigned)n; i++)
		r = db_bool(rows, i, R_GONE) || db_bool(rows, i, R_HELD)
			? put_nowhere(k->piece, k->piece->first + i)
			: put_row(k->maker, rows, i, k->piece);
	return n < 0 ? n : r < 0 ? r : 1;
}

int ledger_piece_in_doubt(struct db *db, const struct ledger_piece_maker *m, uint64_t after,
			  struct feeder_piece *ret)
{
	struct piece_cut k = { .maker = m, .piece = ret, .after = after };

	return db_tx(db, m->recipe->org, work_again, &k);
}
