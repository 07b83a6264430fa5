/* The postmaster's side of the admin socket; see the header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "tests/unit/mta/admin/ask.h"
#include "tests/unit/mta/link/speak.h"

/* Three recipients of campaign 4 in two domains, held so that they stay. */
static void feed(struct box *b)
{
	const struct id128 content = { 7, 1 };
	struct buf rows = { 0 };
	struct framed c;

	framed_open(&c, b, "link.sock");
	(void)speak_hello(&c, "");
	framed_send(&c,
		    &(struct link_frame){ .type = LINK_RULE,
					  .rule = { SLICE("hold/tenant/3"), SLICE("not yet") } });
	framed_send(&c, &(struct link_frame){
			    .type = LINK_CONTENT,
			    .content = { content, SLICE("\x80"), SLICE("S: x\r\n\r\n") } });
	assert_int_equal(wire_row_put(&rows, SLICE("a@one.example"), 0, NULL, 0), 0);
	assert_int_equal(wire_row_put(&rows, SLICE("b@one.example"), 1, NULL, 0), 0);
	assert_int_equal(wire_row_put(&rows, SLICE("c@two.example"), 2, NULL, 0), 0);
	framed_send(&c, &(struct link_frame){ .type = LINK_JOB,
					      .job = { .id = { 7, 2 },
						       .content = content,
						       .tenant = 3,
						       .campaign = 4,
						       .accepted_ms = 1700000000000,
						       .expires_ms = INT64_MAX / 2,
						       .rows = 3,
						       .meta = SLICE("\x80"),
						       .data = buf_data(&rows) } });
	for (int i = 0; i < 3; i++)
		(void)speak_expect_ack(&c, 0);
	framed_close(&c);
	buf_free(&rows);
}

int ask_with(struct framed *c, const char *command, struct tree *arguments, bool preview,
	     struct value *ret)
{
	OWNED(tree) t = arguments;
	struct link_frame f = { .type = LINK_ADMIN,
				.request = 5,
				.admin.command = slice_str(command) };

	branch_bool(tree_map(t), "preview", preview);
	f.admin.args = *tree_value(t);
	framed_send(c, &f);
	assert_true(framed_next(c, &f));
	assert_int_equal(f.request, 5);
	*ret = (struct value){ .type = VALUE_STRING };
	if (f.type == LINK_ERROR) {
		ret->s = f.error.text;
		return f.error.code;
	}
	assert_int_equal(f.type, LINK_REPORT);
	*ret = f.report;
	return 0;
}

int ask_for(struct framed *c, const char *command, const char *name, const char *text, bool preview,
	    struct value *ret)
{
	struct tree *t = tree_new();

	(void)tree_map(t);
	if (name)
		branch_str(tree_map(t), name, text);
	return ask_with(c, command, t, preview, ret);
}

int ask_hold(struct framed *c, const char *what, const char *reason, struct value *ret)
{
	struct tree *t = tree_new();

	branch_str(tree_map(t), "what", what);
	if (reason)
		branch_str(tree_map(t), "reason", reason);
	return ask_with(c, "hold", t, false, ret);
}

int64_t ask_number(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, slice_str(name));

	if (!m || m->type != VALUE_INT)
		fail_msg("no number %s", name);
	return m->i;
}

const struct value *ask_list(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, slice_str(name));

	assert_true(m && m->type == VALUE_LIST);
	return m;
}

const char *ask_text(const struct value *v, const char *name)
{
	static char copy[512];
	const struct value *m = name ? value_member(v, slice_str(name)) : v;

	assert_true(m && m->type == VALUE_STRING);
	slice_copy(copy, sizeof(copy), m->s);
	return copy;
}

void ask_until_queued(struct framed *c, int64_t queued)
{
	struct value v;

	for (int i = 0; i < 500; i++) {
		assert_int_equal(ask_for(c, "queue", NULL, NULL, false, &v), 0);
		if (ask_number(&v, "queued") == queued)
			return;
		usleep(10000);
	}
	fail_msg("the queue never held %ld", queued);
}

int64_t ask_rules_in_force(struct framed *c)
{
	struct value v;

	assert_int_equal(ask_for(c, "rules", NULL, NULL, false, &v), 0);
	return ask_list(&v, "rules")->count;
}

void ask_start(struct box *b, struct framed *c)
{
	box_start(b, NULL);
	feed(b);
	framed_open(c, b, "admin.sock");
	ask_until_queued(c, 3);
}

void ask_stop(struct box *b, struct framed *c)
{
	framed_close(c);
	box_remove(b);
}
