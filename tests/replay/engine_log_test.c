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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_that_failed_names_our_address),
		cmocka_unit_test(a_session_names_the_address_that_the_system_picked),
		cmocka_unit_test(an_outcome_names_the_address_that_the_system_picked),
		cmocka_unit_test(a_session_whose_tls_failed_names_our_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
