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
	struct trace_what t;

	assert_int_equal(trace_parse(slice_str(what), &t), 0);
	trace_begin(sites_of(engine_lane(w->engine, 0)), &t, MINUTE);
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
	static const char *const meant[] = { "all", "one.test", "domain/one.test", "tenant/1",
					     "campaign/5" };
	static const char *const others[] = { "two.example", "provider/gmail", "source/192.0.2.1",
					      "tenant/2",    "campaign/6",     "job/9.9" };
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

static void what_cannot_be_followed_is_refused(void **state)
{
	static const char *const bad[] = { "", "tenant/x", "provider/", "rcpt/1", "a/b", "job/x" };
	struct trace_what t;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(trace_parse(slice_str(bad[i]), &t), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sessions_that_are_meant_are_followed),
		cmocka_unit_test(lines_that_nobody_takes_are_bounded_and_counted),
		cmocka_unit_test(a_trace_that_nobody_asks_for_ends),
		cmocka_unit_test(what_cannot_be_followed_is_refused),
	};

	return cmocka_run_group_tests_name("engine_trace", tests, NULL, NULL);
}
