/* message/judge/score.c - reads labelled replies and counts. */
#include "message/judge/score.h"

#include <stdio.h>

enum { COLUMNS_MAX = 16 };
enum column { REPLY, HARDNESS, STATUS_TEXT, REPLY_CODE, PROVIDER, REASON, COLUMNS };
static const char *const column_names[COLUMNS] = {
	[REPLY] = "reply",           [HARDNESS] = "hardness", [STATUS_TEXT] = "status",
	[REPLY_CODE] = "reply_code", [PROVIDER] = "provider", [REASON] = "reason",
};

struct score_table {
	const char *name;
	unsigned line;
	unsigned char column[COLUMNS_MAX]; /* what stands in the cell with this number */
	char *error;
};

static int fail(const struct score_table *t, const char *what)
{
	(void)snprintf(t->error, JUDGE_ERROR_MAX, "%.200s:%u: %s", t->name, t->line, what);
	return E_SYNTAX;
}

static int read_head(struct score_table *t, struct slice line)
{
	bool has[COLUMNS] = { 0 };

	memset(t->column, COLUMNS, sizeof(t->column));
	for (unsigned i = 0; i < COLUMNS_MAX && line.n; i++) {
		struct slice cell = slice_take(&line, '\t');
		for (unsigned c = 0; c < COLUMNS; c++) {
			if (!slice_eq(cell, slice_str(column_names[c])))
				continue;
			t->column[i] = (unsigned char)c;
			has[c] = true;
		}
	}
	if (!has[REPLY] || !has[HARDNESS])
		return fail(t, "the first line must name the columns reply and hardness, with tabs "
			       "between them");
	return 0;
}

static bool is_code(struct slice s)
{
	return s.n == 3 && s.p[0] >= '2' && s.p[0] <= '5' && s.p[1] >= '0' && s.p[1] <= '9' &&
	       s.p[2] >= '0' && s.p[2] <= '9';
}

void judge_score_ask(struct judge_reply *ret, struct slice code, struct slice status,
		     struct slice text, struct slice provider)
{
	uint64_t n;

	*ret = (struct judge_reply){ .text = text, .provider = provider };
	if (is_code(code) && slice_u64(code, 599, &n) == 0)
		ret->code = (uint16_t)n;
	if (!judge_words_status(status, &ret->status))
		ret->status = STATUS(0, 0, 0);
}

/* Statuses x.0.9nn are made up by the parser that labelled them. */
static struct slice real_status(struct slice s)
{
	return s.n > 4 && memcmp(s.p + 1, ".0.9", 4) == 0 ? slice_of("", 0) : s;
}

static void read_row(const struct score_table *t, struct slice line, struct judge_row *ret,
		     struct slice *ret_hardness, struct slice *ret_reason)
{
	struct slice cell[COLUMNS + 1] = { 0 };
	struct slice reply, code;

	for (unsigned i = 0; i < COLUMNS_MAX && line.n; i++) {
		struct slice text = slice_take(&line, '\t');
		cell[t->column[i]] = text;
	}
	reply = cell[REPLY];
	code = slice_of(reply.p, MIN_OF(reply.n, (size_t)3));
	*ret = (struct judge_row){ .whole = reply };
	judge_score_ask(&ret->reply, cell[REPLY_CODE].n ? cell[REPLY_CODE] : code,
			real_status(cell[STATUS_TEXT]),
			is_code(code) ? slice_skip(reply, MIN_OF(reply.n, (size_t)4)) : reply,
			cell[PROVIDER]);
	*ret_hardness = cell[HARDNESS];
	*ret_reason = cell[REASON];
	ret->hard = slice_eq(*ret_hardness, SLICE("hard"));
	ret->class_given = judge_class_parse(*ret_reason, &ret->class) == 0;
}

static bool count(struct judge_score *s, const struct judge_row *row,
		  const struct judgement *called)
{
	bool same_class = !row->class_given || row->class == called->class;

	s->n++;
	s->hits += row->hard && called->hard;
	s->false_hard += !row->hard && called->hard;
	s->lost += row->hard && !called->hard;
	s->same += row->hard == called->hard;
	s->classes += row->class_given;
	s->same_class += row->class_given && same_class;
	return row->hard == called->hard && same_class;
}

int judge_score(const struct judge *j, struct slice text, const char *name_for_errors,
		void (*differs)(void *context, const struct judge_row *row,
				const struct judgement *called),
		void *context, struct judge_score *ret, char *error)
{
	struct score_table t = { .name = name_for_errors, .line = 1, .error = error };
	struct slice hardness, reason;
	struct judge_row row;
	struct judgement called;
	int r = read_head(&t, slice_trim_set(slice_take(&text, '\n'), "\r"));

	*ret = (struct judge_score){ 0 };
	while (r == 0 && text.n) {
		struct slice line = slice_trim_set(slice_take(&text, '\n'), "\r");
		t.line++;
		if (!line.n || line.p[0] == '#')
			continue;
		read_row(&t, line, &row, &hardness, &reason);
		if (!row.hard && !slice_eq(hardness, SLICE("soft")))
			return fail(&t, "hardness is hard or soft");
		if (slice_eq(reason, SLICE("filtered")))
			continue;
		judge_reply(j, &row.reply, &called);
		if (!count(ret, &row, &called) && differs)
			differs(context, &row, &called);
	}
	return r;
}

unsigned judge_score_share(unsigned part, unsigned all)
{
	return all ? (unsigned)((uint64_t)part * 1000 / all) : 1000;
}

static void show_share(struct buf *out, const char *what, unsigned share)
{
	buf_putf(out, ", %s %u.%03u", what, share / 1000, share % 1000);
}

void judge_score_show(const struct judge_score *s, struct buf *out)
{
	buf_putf(out, "%u rows", s->n);
	show_share(out, "recall", judge_score_recall(s));
	show_share(out, "precision", judge_score_precision(s));
	show_share(out, "agreement", judge_score_share(s->same, s->n));
	if (s->classes) {
		show_share(out, "class", judge_score_share(s->same_class, s->classes));
		buf_putf(out, " of %u", s->classes);
	}
}
