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
						       .accepted_ms = 1700000000000,
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

/* Takes the arguments. */
static int ask_with(struct framed *c, const char *command, struct tree *arguments, bool preview,
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

static int ask(struct framed *c, const char *command, const char *name, const char *text,
	       bool preview, struct value *ret)
{
	struct tree *t = tree_new();

	(void)tree_map(t);
	if (name)
		branch_str(tree_map(t), name, text);
	return ask_with(c, command, t, preview, ret);
}

static int hold(struct framed *c, const char *what, const char *reason, struct value *ret)
{
	struct tree *t = tree_new();

	branch_str(tree_map(t), "what", what);
	if (reason)
		branch_str(tree_map(t), "reason", reason);
	return ask_with(c, "hold", t, false, ret);
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

static int64_t rules_in_force(struct framed *c)
{
	struct value v;

	assert_int_equal(ask(c, "rules", NULL, NULL, false, &v), 0);
	return list(&v, "rules")->count;
}

static const char *text(const struct value *v, const char *name)
{
	static char copy[512];
	const struct value *m = name ? value_member(v, slice_str(name)) : v;

	assert_true(m && m->type == VALUE_STRING);
	slice_copy(copy, sizeof(copy), m->s);
	return copy;
}

/* Tenant 3 is held, see feed(). */
static void held_counts_those_that_any_rule_holds_whatever_they_are_counted_by(void **state)
{
	static const char *const by[] = { "domain", "tenant", "campaign" };
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	for (unsigned i = 0; i < ARRAY_LEN(by); i++) {
		int64_t held = 0;
		assert_int_equal(ask(&c, "queue", "by", by[i], false, &v), 0);
		for (uint32_t k = 0; k < list(&v, "rows")->count; k++)
			held += number(&list(&v, "rows")->items[k], "held");
		assert_int_equal(held, 3);
	}
	assert_int_equal(hold(&c, "7.2:1", "one of them", &v), 0);
	assert_int_equal(ask(&c, "release", "what", "tenant/3", false, &v), 0);
	assert_int_equal(number(&v, "count"), 2);
	assert_int_equal(number(&v, "held"), 1);
	assert_int_equal(ask(&c, "queue", "by", "tenant", false, &v), 0);
	assert_int_equal(number(&list(&v, "rows")->items[0], "held"), 1);
	assert_int_equal(hold(&c, "one.example", NULL, &v), 0);
	assert_int_equal(ask(&c, "queue", "by", "tenant", false, &v), 0);
	assert_int_equal(number(&list(&v, "rows")->items[0], "held"), 2);
	stop(&b, &c);
}

static void what_can_be_no_domain_is_no_selector(void **state)
{
	static const char *const bad[] = {
		"@@@",          "a@one.example",   "domain/a@one.example",
		"one..example", "domain/-",        "one example",
		"tenant/x",     "job/one.example", ""
	};
	static const char *const commands[] = { "hold", "release", "retry", "cancel", "why" };
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		for (unsigned k = 0; k < ARRAY_LEN(commands); k++) {
			assert_int_equal(ask(&c, commands[k], "what", bad[i], false, &v), E_SYNTAX);
			assert_non_null(strstr(text(&v, NULL), "a selector is all"));
		}
	assert_int_equal(rules_in_force(&c), 1);
	stop(&b, &c);
}

static void a_selector_is_one_rule_however_it_is_written(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	assert_int_equal(hold(&c, "Two.EXAMPLE", NULL, &v), 0);
	assert_string_equal(text(&v, "selector"), "domain/two.example");
	assert_int_equal(number(&v, "count"), 1);
	assert_int_equal(hold(&c, "domain/two.example", NULL, &v), 0);
	assert_int_equal(hold(&c, "tenant/003", NULL, &v), 0);
	assert_int_equal(rules_in_force(&c), 2);
	assert_int_equal(ask(&c, "release", "what", "TWO.example", false, &v), 0);
	assert_int_equal(rules_in_force(&c), 1);
	stop(&b, &c);
}

static void a_hold_keeps_its_reason_until_it_is_released(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	assert_int_equal(hold(&c, "two.example", "first", &v), 0);
	assert_int_equal(hold(&c, "two.example", "second", &v), E_EXISTS);
	assert_string_equal(text(&v, NULL), "domain/two.example stands already: first; release it "
					    "first to hold it for another reason");
	assert_int_equal(hold(&c, "two.example", NULL, &v), 0);
	assert_int_equal(hold(&c, "two.example", "first", &v), 0);
	assert_int_equal(ask(&c, "why", "what", "two.example", false, &v), 0);
	assert_non_null(strstr(text(&list(&v, "reasons")->items[0], "text"), "first"));
	assert_int_equal(ask(&c, "release", "what", "two.example", false, &v), 0);
	assert_int_equal(hold(&c, "two.example", "second", &v), 0);
	stop(&b, &c);
}

static void release_counts_those_that_no_rule_holds_any_more(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	assert_int_equal(ask(&c, "release", "what", "all", true, &v), E_UNKNOWN);
	assert_non_null(strstr(text(&v, NULL), "these stand: tenant/3"));
	assert_int_equal(hold(&c, "all", NULL, &v), 0);
	assert_int_equal(ask(&c, "release", "what", "all", false, &v), 0);
	assert_int_equal(number(&v, "count"), 0);
	assert_int_equal(number(&v, "held"), 3);
	stop(&b, &c);
}

static void show_finds_an_address_and_says_when_nobody_is_there(void **state)
{
	static const char *const nobody[] = { "z@one.example", "a@nosuch.example", "nosuch.example",
					      "tenant/9",      "campaign/9",       "7.2:9" };
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	assert_int_equal(ask(&c, "show", "what", "B@One.example", false, &v), 0);
	assert_int_equal(list(&v, "recipients")->count, 1);
	assert_string_equal(text(&list(&v, "recipients")->items[0], "address"), "b@one.example");
	for (unsigned i = 0; i < ARRAY_LEN(nobody); i++)
		assert_int_equal(ask(&c, "show", "what", nobody[i], false, &v), E_UNKNOWN);
	assert_int_equal(ask(&c, "show", "what", "@@@", false, &v), E_SYNTAX);
	stop(&b, &c);
}

static void a_position_inside_a_record_is_a_wrong_question_and_no_damage(void **state)
{
	struct framed c;
	struct box b;
	struct value v;
	int64_t first;

	(void)state;
	start(&b, &c);
	assert_int_equal(ask(&c, "events", NULL, NULL, false, &v), 0);
	first = number(&list(&v, "events")->items[0], "lsn");
	assert_true(number(&list(&v, "events")->items[0], "at_ms") > 0);
	assert_string_equal(text(&list(&v, "events")->items[0], "sender"), "");
	for (int64_t at = first - 40; at <= first + 24; at += 4) {
		struct tree *t = tree_new();
		branch_int(tree_map(t), "from", at);
		int r = ask_with(&c, "events", t, false, &v);
		assert_int_equal(r, at == first ? 0 : E_SYNTAX);
		if (r < 0)
			assert_non_null(strstr(text(&v, NULL), "no event ends at position"));
	}
	stop(&b, &c);
}

static int refuse_file(struct engine_rereader *r, char *text)
{
	(void)r;
	(void)snprintf(text, OPTION_ERROR_MAX, "mta.conf:3: unknown option \"x\"");
	return E_SYNTAX;
}

static void a_reload_is_answered_with_what_came_of_it(void **state)
{
	struct engine_rereader bad = { refuse_file };
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	engine_set_rereader(b.engine, &bad);
	assert_int_equal(ask(&c, "reload", NULL, NULL, false, &v), E_SYNTAX);
	assert_string_equal(text(&v, NULL), "mta.conf:3: unknown option \"x\"");
	stop(&b, &c);
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

static int ask_value(struct framed *c, const char *command, const char *name, struct value arg,
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
	start(&b, &c);
	assert_int_equal(ask_value(&c, "show", "what", int_value(7), &v), E_SYNTAX);
	assert_int_equal(ask_value(&c, "show", "what", text_value(SLICE("one.example\0x")), &v),
			 E_SYNTAX);
	assert_int_equal(
	    ask_value(&c, "show", "what", text_value(slice_of(text, sizeof(text))), &v), E_SYNTAX);
	assert_int_equal(ask_value(&c, "queue", "by", text_value(slice_of(text, 16)), &v),
			 E_SYNTAX);
	assert_int_equal(ask_value(&c, "queue", "by", int_value(1), &v), E_SYNTAX);
	assert_int_equal(ask_value(&c, "hold", "reason", int_value(1), &v), E_SYNTAX);
	assert_int_equal(ask_value(&c, "queue", "max", int_value(-1), &v), E_SYNTAX);
	assert_int_equal(ask_value(&c, "queue", "max", text_value(SLICE("1")), &v), E_SYNTAX);
	assert_int_equal(ask_value(&c, "events", "from", int_value(-8), &v), E_SYNTAX);
	assert_int_equal(ask_value(&c, "events", "from", int_value(3), &v),
			 E_SYNTAX); /* no position */
	assert_int_equal(ask_value(&c, "hold", "what", text_value(SLICE("")), &v), E_SYNTAX);
	wait_for_queue(&c, 3); /* nothing came of any of them */
	stop(&b, &c);
}

static void no_more_rows_are_given_than_were_asked_for(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	assert_int_equal(ask_value(&c, "queue", "max", int_value(1), &v), 0);
	assert_int_equal(list(&v, "rows")->count, 1);
	assert_int_equal(number(&v, "queued"), 3); /* counted all the same */
	assert_int_equal(ask_value(&c, "events", "max", int_value(1), &v), 0);
	assert_int_equal(list(&v, "events")->count, 1);
	assert_int_equal(ask_value(&c, "queue", "by", text_value(SLICE("tenant")), &v), 0);
	assert_int_equal(number(&list(&v, "rows")->items[0], "tenant"), 3);
	assert_int_equal(ask_value(&c, "events", "from",
				   int_value((int64_t)spool_durable(engine_spool(b.engine))), &v),
			 0);
	assert_int_equal(list(&v, "events")->count, 0);
	stop(&b, &c);
}

static void every_order_may_be_previewed_first(void **state)
{
	static const char *const orders[] = { "hold", "retry", "cancel" };
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		assert_int_equal(ask(&c, orders[i], "what", "all", true, &v), 0);
		assert_int_equal(number(&v, "count"), 3);
	}
	/* Nothing is held by this selector: also a preview says so. */
	assert_int_equal(ask(&c, "release", "what", "all", true, &v), E_UNKNOWN);
	assert_int_equal(ask(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(list(&v, "rules")->count, 1); /* the one that was there */
	wait_for_queue(&c, 3);
	stop(&b, &c);
}

static void a_cancelled_job_may_be_released_for_what_comes_later(void **state)
{
	struct framed c;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	assert_int_equal(ask(&c, "cancel", "what", "campaign/4", false, &v), 0);
	assert_int_equal(number(&v, "count"), 3);
	assert_int_equal(ask(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(list(&v, "rules")->count, 2); /* a campaign stays cancelled */
	assert_int_equal(ask(&c, "release", "what", "campaign/4", false, &v), 0);
	assert_int_equal(ask(&c, "rules", NULL, NULL, false, &v), 0);
	assert_int_equal(list(&v, "rules")->count, 1);
	assert_int_equal(ask(&c, "retry", "what", "all", false, &v), 0);
	assert_int_equal(number(&v, "count"), 0); /* nobody is left */
	stop(&b, &c);
}

static void a_client_that_leaves_gets_no_answer_and_others_do(void **state)
{
	struct framed c, gone;
	struct box b;
	struct value v;

	(void)state;
	start(&b, &c);
	for (int i = 0; i < 20; i++) {
		framed_open(&gone, &b, "admin.sock");
		framed_send(&gone, &(struct link_frame){ .type = LINK_ADMIN,
							 .request = 1,
							 .admin.command = SLICE("queue") });
		framed_close(&gone);
		assert_int_equal(ask(&c, "queue", NULL, NULL, false, &v), 0);
		assert_int_equal(number(&v, "queued"), 3);
	}
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
		cmocka_unit_test(
		    held_counts_those_that_any_rule_holds_whatever_they_are_counted_by),
		cmocka_unit_test(what_can_be_no_domain_is_no_selector),
		cmocka_unit_test(a_selector_is_one_rule_however_it_is_written),
		cmocka_unit_test(a_hold_keeps_its_reason_until_it_is_released),
		cmocka_unit_test(release_counts_those_that_no_rule_holds_any_more),
		cmocka_unit_test(show_finds_an_address_and_says_when_nobody_is_there),
		cmocka_unit_test(a_position_inside_a_record_is_a_wrong_question_and_no_damage),
		cmocka_unit_test(a_reload_is_answered_with_what_came_of_it),
		cmocka_unit_test(every_fact_is_reported),
		cmocka_unit_test(the_socket_is_for_the_owner_alone),
		cmocka_unit_test(an_argument_of_the_wrong_type_or_size_is_refused),
		cmocka_unit_test(no_more_rows_are_given_than_were_asked_for),
		cmocka_unit_test(every_order_may_be_previewed_first),
		cmocka_unit_test(a_cancelled_job_may_be_released_for_what_comes_later),
		cmocka_unit_test(a_client_that_leaves_gets_no_answer_and_others_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
