/* What the log says of sessions: among other things, from which of our addresses they went. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/log.h"
#include "tests/replay/engine_world.h"

#define SOURCES CONFIG "egress.sources = default 127.0.0.2 a.test\n"

struct heard {
	char text[64 * 1024];
	int fds[2];
};

static void listen_to(struct heard *h)
{
	assert_int_equal(pipe(h->fds), 0);
	log_open(h->fds[1], LOG_INFO);
}

static void stop_listening(struct heard *h)
{
	ssize_t n;

	log_open(STDERR_FILENO, LOG_ERROR);
	(void)close(h->fds[1]);
	n = read(h->fds[0], h->text, sizeof(h->text) - 1);
	(void)close(h->fds[0]);
	h->text[MAX_OF(n, (ssize_t)0)] = '\0';
}

/* How many lines of the event there are; each must have the words. */
static unsigned lines_with(const struct heard *h, const char *event, const char *words)
{
	struct slice rest = slice_str(h->text);
	unsigned n = 0;

	while (rest.n) {
		struct slice line = slice_take(&rest, '\n');
		if (!memmem(line.p, line.n, event, strlen(event)))
			continue;
		if (!memmem(line.p, line.n, words, strlen(words)))
			fail_msg("no %s in %.*s", words, (int)line.n, line.p);
		n++;
	}
	return n;
}

static void play(struct heard *h, const char *config, const char *script)
{
	struct world w;

	world_open(&w, config, script);
	listen_to(h);
	world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, 20 * MINUTE);
	stop_listening(h);
	world_end(&w);
}

static void a_session_that_failed_names_our_address(void **state)
{
	static const char *const scripts[] = { refuses, "say 554 go away\n", "say 421 later\n",
					       "say 220 mx.test\nexpect EHLO\nclose\n" };
	struct heard h;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(scripts); i++) {
		play(&h, SOURCES, scripts[i]);
		assert_true(lines_with(&h, "event=session.failed", "source=\"127.0.0.2\"") > 0);
	}
}

static void a_session_whose_tls_failed_names_our_address(void **state)
{
	struct heard h;

	(void)state;
	play(&h, SOURCES,
	     "say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 STARTTLS\\r\\n\n"
	     "expect STARTTLS\nsay 220 go\nclose\n");
	assert_true(lines_with(&h, "event=session.tls-failed", "source=\"127.0.0.2\"") > 0);
}

/* Without egress.sources; the simulated system picks 127.0.0.99. */
static void a_session_names_the_address_that_the_system_picked(void **state)
{
	struct heard h;

	(void)state;
	play(&h, CONFIG, "say 554 go away\n");
	assert_true(lines_with(&h, "event=session.failed", "source=\"127.0.0.99\"") > 0);
}

static int look_at(void *arg, const struct event *e)
{
	unsigned *n = arg;

	if (e->kind != OUTCOME_DELIVERED && e->kind != OUTCOME_BOUNCED)
		return 0;
	assert_true(slice_eq(e->o.source, SLICE("127.0.0.99")));
	++*n;
	return 0;
}

static void an_outcome_names_the_address_that_the_system_picked(void **state)
{
	static const char *const scripts[] = {
		decent, "say 220 mx.test\nreply RCPT 550 5.1.1 who\nserve\n"
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(scripts); i++) {
		struct world w;
		unsigned n = 0;
		lsn_t next;
		world_open(&w, CONFIG, scripts[i]);
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
		world_run(&w, MINUTE);
		assert_int_equal(spool_events(engine_spool(w.engine), 0, 100, look_at, &n, &next),
				 0);
		assert_int_equal(n, 1);
		world_end(&w);
	}
}

/* It takes 300 ms over TLS and 700 ms over the recipient. */
#define SLOW_HOST                                                                                  \
	"say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 STARTTLS\\r\\n\nexpect STARTTLS\n" \
	"say 220 go\ndelay 300\ntls\nexpect EHLO\nsay 250 mx.test\nexpect MAIL\nsay 250 ok\n"      \
	"expect RCPT\ndelay 700\nsay %s\nserve\n"

static int look_at_times(void *arg, const struct event *e)
{
	struct outcome_took *took = arg;

	if (e->kind == OUTCOME_DELIVERED || e->kind == OUTCOME_DEFERRED)
		*took = e->o.took;
	return 0;
}

/* DNS: two questions of 5 ms for the host, and what follows about its policies. */
static void an_attempt_has_its_durations_in_the_record_and_in_the_line(void **state UNUSED)
{
	static const char *const replies[] = { "250 ok", "450 later" };

	for (unsigned i = 0; i < ARRAY_LEN(replies); i++) {
		struct outcome_took took = { 0 };
		struct heard h;
		struct world w;
		char script[1024], words[64];
		lsn_t next;

		(void)snprintf(script, sizeof(script), SLOW_HOST, replies[i]);
		world_open(&w, CONFIG "log.deliveries = yes\n", script);
		listen_to(&h);
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
		world_run(&w, MINUTE);
		stop_listening(&h);
		assert_int_equal(
		    spool_events(engine_spool(w.engine), 0, 100, look_at_times, &took, &next), 0);
		world_end(&w);
		assert_true(took.known);
		assert_in_range(took.dns_ms, 10, 100);
		assert_in_range(took.connect_ms, 0, 100);
		assert_in_range(took.tls_ms, 300, 400);
		assert_in_range(took.transaction_ms, 700, 900);
		(void)snprintf(words, sizeof(words), "tls_ms=%u transaction_ms=%u ", took.tls_ms,
			       took.transaction_ms);
		assert_int_equal(
		    lines_with(&h, i ? "event=rcpt.deferred" : "event=rcpt.delivered", words), 1);
	}
}

static int look_at_failure(void *arg, const struct event *e)
{
	unsigned *n = arg;

	if (e->kind != OUTCOME_DEFERRED)
		return 0;
	assert_false(e->o.took.known);
	assert_true(slice_eq(e->o.ip, SLICE("127.0.1.1")));
	assert_true(slice_eq(e->o.host, SLICE("mx1.test")));
	assert_true(slice_eq(e->o.source, SLICE("127.0.0.2")));
	++*n;
	return 0;
}

static void an_attempt_without_a_connection_says_where_from_and_where_to(void **state UNUSED)
{
	struct world w;
	unsigned n = 0;
	lsn_t next;

	world_open(&w, SOURCES, refuses);
	world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, MINUTE);
	assert_int_equal(spool_events(engine_spool(w.engine), 0, 100, look_at_failure, &n, &next),
			 0);
	assert_true(n > 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_that_failed_names_our_address),
		cmocka_unit_test(a_session_names_the_address_that_the_system_picked),
		cmocka_unit_test(an_outcome_names_the_address_that_the_system_picked),
		cmocka_unit_test(a_session_whose_tls_failed_names_our_address),
		cmocka_unit_test(an_attempt_has_its_durations_in_the_record_and_in_the_line),
		cmocka_unit_test(an_attempt_without_a_connection_says_where_from_and_where_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
