/* Live sessions as an operator follows them: who is followed, what is seen, what is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/buf.h"
#include "mta/site/trace.h"
#include "tests/replay/engine_world.h"

struct seen {
	struct buf text;
	unsigned n;
	uint64_t lost;
};

static void note(void *arg, const struct trace_line *l)
{
	struct seen *s = arg;

	s->n++;
	buf_putf(&s->text, "%c %.*s\n", "><**"[l->who],
		 l -> who == TRANSCRIPT_BODY ? 0 : (int)l -> n, l -> text);
}

static void begin(struct world *w, const char *what)
{
	struct selector s;

	assert_int_equal(selector_parse(slice_str(what), &s), 0);
	assert_int_equal(trace_begin(sites_of(engine_lane(w->engine, 0)), &s, MINUTE), 0);
}

static bool take(struct world *w, struct seen *s)
{
	uint64_t lost = 0;
	bool on;

	buf_clear(&s->text);
	s->n = 0;
	on = trace_take(sites_of(engine_lane(w->engine, 0)), note, s, &lost);
	s->lost = lost;
	return on;
}

static void the_sessions_that_are_meant_are_followed(void **state)
{
	static const char *const meant[] = {
		"all",
		"domain/one.test",
		"tenant/1",
		"campaign/5",
		"site/mx1.test",
		"pool/default",
		"recipient/u@one.test",
		"tenant/1 campaign/5 domain/one.test",
		"site/mx1.test pool/default stream/bulk",
		"source/127.0.0.99 tenant/1 age<1h attempts=0",
	};
	static const char *const others[] = {
		"domain/two.example",
		"provider/gmail",
		"source/192.0.2.1",
		"tenant/2",
		"campaign/6",
		"job/9.9",
		"tenant/1 campaign/6",
		"tenant/1 source/192.0.2.1",
		"tenant/1 recipient/v@one.test",
		"pool/default provider/gmail",
		"campaign/5 age>1h",
		"campaign/5 sender/<>",
	};
	struct seen s = { 0 };
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.idle = 1m\n", decent);
	world_submit(&w, one_rcpt, 1, DAY, "control", 5);
	world_run(&w, SECOND); /* the domain is known, a connection is open */
	for (unsigned i = 0; i < ARRAY_LEN(meant); i++) {
		begin(&w, meant[i]);
		world_submit(&w, one_rcpt, 1, DAY, "control", 5);
		world_run(&w, SECOND);
		assert_true(take(&w, &s));
		assert_non_null(strstr(buf_cstr(&s.text), "> RCPT TO:<u@one.test>\n"));
		assert_non_null(strstr(buf_cstr(&s.text), "< 250"));
		assert_null(strstr(buf_cstr(&s.text), "Subject"));
	}
	for (unsigned i = 0; i < ARRAY_LEN(others); i++) {
		begin(&w, others[i]);
		world_submit(&w, one_rcpt, 1, DAY, "control", 5);
		world_run(&w, SECOND);
		assert_true(take(&w, &s));
		assert_int_equal(s.n, 0);
	}
	buf_free(&s.text);
	world_end(&w);
}

static void lines_that_nobody_takes_are_bounded_and_counted(void **state)
{
	struct seen s = { 0 };
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	begin(&w, "all");
	for (unsigned i = 0; i < 2000; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 5);
	world_run(&w, 2 * SECOND);
	assert_true(take(&w, &s));
	assert_in_range(s.n, 100, TRACE_LINES);
	assert_true(s.lost > 1000);
	buf_free(&s.text);
	world_end(&w);
}

static void a_trace_that_nobody_asks_for_ends(void **state)
{
	struct seen s = { 0 };
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	begin(&w, "all");
	world_run(&w, TRACE_IDLE_MS + SECOND);
	world_submit(&w, one_rcpt, 1, DAY, "control", 5);
	world_run(&w, SECOND);
	assert_false(take(&w, &s));
	assert_int_equal(world_books(&w).delivered, 1);
	buf_free(&s.text);
	world_end(&w);
}

/* Two tenants take turns on one connection. */
static void what_others_send_on_a_connection_is_not_shown(void **state UNUSED)
{
	struct seen s = { 0 };
	struct world w;

	world_open(&w, CONFIG "site.idle = 1m\n", decent);
	begin(&w, "tenant/2 domain/one.test");
	for (unsigned i = 0; i < 4; i++) {
		w.tenant = 1 + i % 2;
		world_submit(&w, one_rcpt, 1, DAY, "control", 10 + i);
		world_run(&w, SECOND);
	}
	assert_true(take(&w, &s));
	assert_int_equal(world_books(&w).delivered, 4);
	unsigned mails = 0;
	for (const char *at = buf_cstr(&s.text); (at = strstr(at, "> MAIL FROM")); at++)
		mails++;
	assert_int_equal(mails, 2);
	buf_free(&s.text);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sessions_that_are_meant_are_followed),
		cmocka_unit_test(lines_that_nobody_takes_are_bounded_and_counted),
		cmocka_unit_test(a_trace_that_nobody_asks_for_ends),
		cmocka_unit_test(what_others_send_on_a_connection_is_not_shown),
	};

	return cmocka_run_group_tests_name("engine_trace", tests, NULL, NULL);
}
