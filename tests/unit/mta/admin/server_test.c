/* The admin socket of a real engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tree.h"
#include "mta/admin/admin.h"
#include "mta/link/link.h"
#include "tests/unit/mta/engine_box.h"

/* Three recipients of campaign 4 in two domains, held so that they stay. */
static void feed(struct box *b)
{
	struct framed c;
	struct link_frame f;
	struct buf rows = { 0 };
	const struct id128 content = { 7, 1 };

	framed_open(&c, b, "link.sock");
	framed_send(
	    &c, &(struct link_frame){ .type = LINK_HELLO, .hello = { LINK_VERSION, SLICE("") } });
	assert_true(framed_next(&c, &f));
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
						       .expires_ms = INT64_MAX / 2,
						       .rows = 3,
						       .meta = SLICE("\x80"),
						       .data = buf_data(&rows) } });
	for (int i = 0; i < 3; i++) {
		assert_true(framed_next(&c, &f));
		assert_int_equal(f.type, LINK_ACK);
	}
	framed_close(&c);
	buf_free(&rows);
}

static int ask(struct framed *c, const char *command, const char *name, const char *text,
	       bool preview, struct value *ret)
{
	OWNED(tree) t = tree_new();
	struct link_frame f = { .type = LINK_ADMIN,
				.request = 5,
				.admin.command = slice_str(command) };

	if (name)
		branch_str(tree_map(t), name, text);
	branch_bool(tree_map(t), "preview", preview);
	f.admin.args = *tree_value(t);
	framed_send(c, &f);
	assert_true(framed_next(c, &f));
	assert_int_equal(f.request, 5);
	if (f.type == LINK_ERROR)
		return f.error.code;
	assert_int_equal(f.type, LINK_REPORT);
	*ret = f.report;
	return 0;
}

static int64_t number(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, slice_str(name));

	if (!m || m->type != VALUE_INT)
		fail_msg("no number %s", name);
	return m->i;
}

static const struct value *list(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, slice_str(name));

	assert_true(m && m->type == VALUE_LIST);
	return m;
}

/* Lanes load what was acknowledged in their own time. */
static void wait_for_queue(struct framed *c, int64_t queued)
{
	struct value v;

	for (int i = 0; i < 500; i++) {
		assert_int_equal(ask(c, "queue", NULL, NULL, false, &v), 0);
		if (number(&v, "queued") == queued)
			return;
		usleep(10000);
	}
	fail_msg("the queue never held %ld", queued);
}

static void start(struct box *b, struct framed *c)
{
	box_start(b, NULL);
	feed(b);
	framed_open(c, b, "admin.sock");
	wait_for_queue(c, 3);
}

static void stop(struct box *b, struct framed *c)
{
	framed_close(c);
	box_remove(b);
}

static void the_queue_is_counted_over_all_lanes(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	assert_int_equal(ask(&c, "queue", "by", "domain", false, &v), 0);
	assert_int_equal(list(&v, "rows")->count, 2);
	assert_int_equal(number(&list(&v, "rows")->items[0], "queued"), 2); /* largest first */
	assert_int_equal(ask(&c, "queue", "by", "campaign", false, &v), 0);
	assert_int_equal(list(&v, "rows")->count, 1); /* both lanes' shares in one row */
	assert_int_equal(number(&list(&v, "rows")->items[0], "queued"), 3);
	assert_int_equal(number(&list(&v, "rows")->items[0], "campaign"), 4);
	assert_int_equal(ask(&c, "queue", "by", "colour", false, &v), E_SYNTAX);
	stop(&b, &c);
}

static void show_and_why_tell_of_a_recipient(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	assert_int_equal(ask(&c, "show", "what", "7.2", false, &v), 0);
	assert_int_equal(list(&v, "recipients")->count, 3);
	assert_int_equal(number(value_member(&v, SLICE("job")), "rows_live"), 3);
	assert_int_equal(ask(&c, "show", "what", "7.2:1", false, &v), 0);
	assert_int_equal(list(&v, "recipients")->count, 1);
	assert_int_equal(ask(&c, "show", "what", "campaign/4", false, &v), 0);
	assert_int_equal(list(&v, "recipients")->count, 3);
	assert_int_equal(ask(&c, "why", "what", "7.2:0", false, &v), 0);
	const struct value *reason = &list(&v, "reasons")->items[0];
	assert_true(slice_eq(value_member(reason, SLICE("kind"))->s, SLICE("hold")));
	assert_int_equal(ask(&c, "show", "what", "9.9", false, &v), E_UNKNOWN);
	assert_int_equal(ask(&c, "why", "what", "nosuch.example", false, &v), E_UNKNOWN);
	assert_int_equal(ask(&c, "why", "what", "tenant/x", false, &v), E_SYNTAX);
	stop(&b, &c);
}

static void a_preview_counts_and_changes_nothing(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	assert_int_equal(ask(&c, "cancel", "what", "one.example", true, &v), 0);
	assert_int_equal(number(&v, "count"), 2);
	assert_int_equal(ask(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(list(&v, "rules")->count, 1);
	wait_for_queue(&c, 3);
	stop(&b, &c);
}

static void a_cancel_is_answered_when_the_recipients_have_ended(void **state)
{
	struct framed c;
	struct books k;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	assert_int_equal(ask(&c, "cancel", "what", "one.example", false, &v), 0);
	assert_int_equal(number(&v, "count"), 2);
	assert_int_equal(number(&v, "left"), 0);
	spool_books(engine_spool(b.engine), &k);
	assert_int_equal(k.cancelled, 2);
	assert_int_equal(k.queued, 1);
	/* A domain's next mail is not cancelled: the rule is gone. */
	assert_int_equal(ask(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(list(&v, "rules")->count, 1);
	/* A job stays cancelled. */
	assert_int_equal(ask(&c, "cancel", "what", "7.2", false, &v), 0);
	assert_int_equal(ask(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(list(&v, "rules")->count, 2);
	stop(&b, &c);
}

static void a_hold_survives_a_restart_until_it_is_released(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	assert_int_equal(ask(&c, "hold", "what", "two.example", false, &v), 0);
	assert_int_equal(number(&v, "count"), 1);
	framed_close(&c);
	box_stop(&b);
	box_start_again(&b, NULL);
	framed_open(&c, &b, "admin.sock");
	assert_int_equal(ask(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(list(&v, "rules")->count, 2);
	assert_int_equal(ask(&c, "release", "what", "two.example", false, &v), 0);
	assert_int_equal(ask(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(list(&v, "rules")->count, 1);
	assert_int_equal(ask(&c, "release", "what", "two.example", false, &v), E_UNKNOWN);
	stop(&b, &c);
}

static void every_fact_is_reported(void **state)
{
	static const struct {
		const char *command, *member;
	} facts[] = {
		{ "status", "books" },      { "books", "accepted" }, { "events", "events" },
		{ "metrics", "text" },      { "config", "options" }, { "consumers", "consumers" },
		{ "flush-dns", "flushed" },
	};
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		assert_int_equal(ask(&c, facts[i].command, NULL, NULL, false, &v), 0);
		if (!value_member(&v, slice_str(facts[i].member)))
			fail_msg("%s has no %s", facts[i].command, facts[i].member);
	}
	assert_int_equal(ask(&c, "shutdown", NULL, NULL, false, &v), E_UNKNOWN);
	stop(&b, &c);
}

static void the_socket_is_for_the_owner_alone(void **state)
{
	char path[128];
	struct stat st;
	struct framed c;
	struct box b;
	struct link_frame f;

	(void)state;
	start(&b, &c);
	(void)snprintf(path, sizeof(path), "%s/admin.sock", b.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	framed_send(&c, &(struct link_frame){ .type = LINK_SUBSCRIBE, .request = 1 });
	assert_true(framed_next(&c, &f));
	assert_true(f.type == LINK_ERROR && f.error.code == E_DENIED);
	stop(&b, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_queue_is_counted_over_all_lanes),
		cmocka_unit_test(show_and_why_tell_of_a_recipient),
		cmocka_unit_test(a_preview_counts_and_changes_nothing),
		cmocka_unit_test(a_cancel_is_answered_when_the_recipients_have_ended),
		cmocka_unit_test(a_hold_survives_a_restart_until_it_is_released),
		cmocka_unit_test(every_fact_is_reported),
		cmocka_unit_test(the_socket_is_for_the_owner_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
