/* The admin socket of a real engine: who may ask, arguments, facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/tree.h"
#include "tests/unit/mta/admin/ask.h"

static void a_position_inside_a_record_is_a_wrong_question_and_no_damage(void **state)
{
	struct framed c;
	struct box b;
	struct value v;
	int64_t first;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for(&c, "events", NULL, NULL, false, &v), 0);
	first = ask_number(&ask_list(&v, "events")->items[0], "lsn");
	assert_true(ask_number(&ask_list(&v, "events")->items[0], "at_ms") > 0);
	assert_string_equal(ask_text(&ask_list(&v, "events")->items[0], "sender"), "");
	for (int64_t at = first - 40; at <= first + 24; at += 4) {
		struct tree *t = tree_new();
		branch_int(tree_map(t), "from", at);
		int r = ask_with(&c, "events", t, false, &v);
		assert_int_equal(r, at == first ? 0 : E_SYNTAX);
		if (r < 0)
			assert_non_null(strstr(ask_text(&v, NULL), "no event ends at position"));
	}
	ask_stop(&b, &c);
}

static void every_fact_is_reported(void **state)
{
	static const struct {
		const char *command, *member;
	} facts[] = {
		{ "status", "books" },      { "books", "accepted" },  { "events", "events" },
		{ "metrics", "text" },      { "config", "options" },  { "consumers", "consumers" },
		{ "flush-dns", "flushed" }, { "sources", "sources" },
	};
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		assert_int_equal(ask_for(&c, facts[i].command, NULL, NULL, false, &v), 0);
		if (!value_member(&v, slice_str(facts[i].member)))
			fail_msg("%s has no %s", facts[i].command, facts[i].member);
	}
	assert_int_equal(ask_for(&c, "shutdown", NULL, NULL, false, &v), E_UNKNOWN);
	ask_stop(&b, &c);
}

static void the_socket_is_for_the_owner_alone(void **state)
{
	char path[128];
	struct stat st;
	struct framed c;
	struct box b;
	struct link_frame f;

	(void)state;
	ask_start(&b, &c);
	(void)snprintf(path, sizeof(path), "%s/admin.sock", b.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	framed_send(&c, &(struct link_frame){ .type = LINK_SUBSCRIBE, .request = 1 });
	assert_true(framed_next(&c, &f));
	assert_true(f.type == LINK_ERROR && f.error.code == E_DENIED);
	ask_stop(&b, &c);
}

static int ask_for_value(struct framed *c, const char *command, const char *name, struct value arg,
			 struct value *ret)
{
	struct value_member members[] = { { slice_str(name), arg } };
	struct link_frame f = {
		.type = LINK_ADMIN,
		.request = 6,
		.admin = { slice_str(command),
			   { .type = VALUE_MAP, .count = 1, .members = members } },
	};

	framed_send(c, &f);
	assert_true(framed_next(c, &f));
	assert_int_equal(f.request, 6);
	if (f.type == LINK_ERROR)
		return f.error.code;
	*ret = f.report;
	return 0;
}

static struct value text_value(struct slice s)
{
	return (struct value){ .type = VALUE_STRING, .s = s };
}

static struct value int_value(int64_t i)
{
	return (struct value){ .type = VALUE_INT, .i = i };
}

static void an_argument_of_the_wrong_type_or_size_is_refused(void **state)
{
	char text[1000];
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	memset(text, 'x', sizeof(text));
	ask_start(&b, &c);
	assert_int_equal(ask_for_value(&c, "show", "what", int_value(7), &v), E_SYNTAX);
	assert_int_equal(ask_for_value(&c, "show", "what", text_value(SLICE("one.example\0x")), &v),
			 E_SYNTAX);
	assert_int_equal(
	    ask_for_value(&c, "show", "what", text_value(slice_of(text, sizeof(text))), &v),
	    E_SYNTAX);
	assert_int_equal(ask_for_value(&c, "queue", "by", text_value(slice_of(text, 16)), &v),
			 E_SYNTAX);
	assert_int_equal(ask_for_value(&c, "queue", "by", int_value(1), &v), E_SYNTAX);
	assert_int_equal(ask_for_value(&c, "hold", "reason", int_value(1), &v), E_SYNTAX);
	assert_int_equal(ask_for_value(&c, "queue", "max", int_value(-1), &v), E_SYNTAX);
	assert_int_equal(ask_for_value(&c, "queue", "max", text_value(SLICE("1")), &v), E_SYNTAX);
	assert_int_equal(ask_for_value(&c, "events", "from", int_value(-8), &v), E_SYNTAX);
	assert_int_equal(ask_for_value(&c, "events", "from", int_value(3), &v),
			 E_SYNTAX); /* no position */
	assert_int_equal(ask_for_value(&c, "hold", "what", text_value(SLICE("")), &v), E_SYNTAX);
	ask_until_queued(&c, 3); /* nothing came of any of them */
	ask_stop(&b, &c);
}

static void no_more_rows_are_given_than_were_asked_for(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	assert_int_equal(ask_for_value(&c, "queue", "max", int_value(1), &v), 0);
	assert_int_equal(ask_list(&v, "rows")->count, 1);
	assert_int_equal(ask_number(&v, "queued"), 3); /* counted all the same */
	assert_int_equal(ask_for_value(&c, "events", "max", int_value(1), &v), 0);
	assert_int_equal(ask_list(&v, "events")->count, 1);
	assert_int_equal(ask_for_value(&c, "queue", "by", text_value(SLICE("tenant")), &v), 0);
	assert_int_equal(ask_number(&ask_list(&v, "rows")->items[0], "tenant"), 3);
	assert_int_equal(ask_for_value(&c, "events", "from",
				       int_value((int64_t)spool_durable(engine_spool(b.engine))),
				       &v),
			 0);
	assert_int_equal(ask_list(&v, "events")->count, 0);
	ask_stop(&b, &c);
}

static void a_client_that_leaves_gets_no_answer_and_others_do(void **state)
{
	struct framed c, gone;
	struct box b;
	struct value v;

	(void)state;
	ask_start(&b, &c);
	for (int i = 0; i < 20; i++) {
		framed_open(&gone, &b, "admin.sock");
		framed_send(&gone, &(struct link_frame){ .type = LINK_ADMIN,
							 .request = 1,
							 .admin.command = SLICE("queue") });
		framed_close(&gone);
		assert_int_equal(ask_for(&c, "queue", NULL, NULL, false, &v), 0);
		assert_int_equal(ask_number(&v, "queued"), 3);
	}
	ask_stop(&b, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_position_inside_a_record_is_a_wrong_question_and_no_damage),
		cmocka_unit_test(every_fact_is_reported),
		cmocka_unit_test(the_socket_is_for_the_owner_alone),
		cmocka_unit_test(an_argument_of_the_wrong_type_or_size_is_refused),
		cmocka_unit_test(no_more_rows_are_given_than_were_asked_for),
		cmocka_unit_test(a_client_that_leaves_gets_no_answer_and_others_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
