/* Streams: the queue keeps what jobs of different streams wait for apart, and they may leave from
 * different pools. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/queue/queue.h"
#include "tests/replay/engine_world.h"

/* Recipients that wait in flows of this stream. */
static unsigned waiting(const struct world *w, struct slice stream)
{
	struct queue *q = queue_of(engine_lane(w->engine, 0));
	unsigned n = 0;

	for (uint32_t i = 0; i < q->flows.n; i++) {
		const struct flow *f = flow_at(&q->flows, i);
		if (f && slice_eq(queue_stream_of(q, f), stream))
			n += f->live;
	}
	return n;
}

static void the_queue_knows_the_stream_of_what_waits(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, full);
	w.stream = "receipts";
	world_submit(&w, one_rcpt, 1, DAY, "control", 7);
	w.stream = "news";
	world_submit(&w, one_rcpt, 1, DAY, "control", 7);
	world_submit(&w, two_rcpt, 1, DAY, "control", 7);
	w.stream = NULL;
	world_submit(&w, one_rcpt, 1, DAY, "control", 7);
	world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 7);
	world_run(&w, MINUTE);
	for (unsigned restarts = 0; restarts < 2; restarts++) {
		assert_int_equal(waiting(&w, SLICE("receipts")), 1);
		assert_int_equal(waiting(&w, SLICE("news")), 2);
		assert_int_equal(waiting(&w, SLICE("bulk")), 1);
		assert_int_equal(waiting(&w, SLICE("transactional")), 1);
		world_restart(&w);
		world_run(&w, SECOND);
	}
	world_end(&w);
}

/* ---- pools ------------------------------------------------------------------------------- */

#define A "127.0.0.2"
#define B "127.0.0.3"
#define C "127.0.0.4"
#define SOURCES                                                                                    \
	CONFIG "egress.sources = default " A " a.test, fast " B " b.test, slow " C " c.test\n"
#define FROM(ip) conn_sim_messages_from(SLICE(ip))

static void mail(struct world *w, const char *stream, const char *pool, uint64_t campaign)
{
	w->stream = stream;
	w->pool = pool;
	world_submit(w, one_rcpt, 1, DAY, "control", campaign);
	world_run(w, MINUTE);
}

static void mail_that_names_no_pool_gets_that_of_the_first_rule_that_holds(void **state)
{
	struct world w;

	(void)state;
	world_open(&w,
		   SOURCES "pool.assign = tenant/1 stream/receipts fast, campaign/9 slow, "
			   "stream/bulk default, tenant/1 slow\n",
		   decent);
	mail(&w, "receipts", NULL, 1);
	assert_int_equal(FROM(B), 1);
	mail(&w, "receipts", NULL, 9);
	assert_int_equal(FROM(B), 2);
	mail(&w, "news", NULL, 9);
	assert_int_equal(FROM(C), 1);
	mail(&w, NULL, NULL, 1);
	assert_int_equal(FROM(A), 1);
	mail(&w, "news", NULL, 1);
	assert_int_equal(FROM(C), 2);
	w.tenant = 2;
	mail(&w, "receipts", NULL, 1);
	assert_int_equal(FROM(A), 2);
	world_end(&w);
}

static void a_move_goes_before_the_jobs_pool_and_that_before_the_rules(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, SOURCES "pool.assign = tenant/1 slow\n", decent);
	mail(&w, NULL, "fast", 1);
	assert_int_equal(FROM(B), 1);
	mail(&w, NULL, "default", 1);
	assert_int_equal(FROM(A), 1);
	mail(&w, NULL, NULL, 1);
	assert_int_equal(FROM(C), 1);
	world_rule(&w, "move/tenant/1", "default by a test");
	mail(&w, NULL, "fast", 1);
	mail(&w, NULL, NULL, 1);
	assert_int_equal(FROM(A), 3);
	world_end(&w);
}

static void a_reload_moves_what_waits_already(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, SOURCES "pool.assign = stream/news nowhere\n", decent);
	for (unsigned i = 0; i < 20; i++)
		mail(&w, "news", NULL, 1);
	mail(&w, NULL, "nowhere", 1);
	assert_int_equal(world_books(&w).queued, 21);
	world_reload(&w, SOURCES "pool.assign = stream/news fast\n");
	world_run(&w, 2 * HOUR); /* those that were deferred come back */
	assert_int_equal(FROM(B), 20);
	assert_int_equal(world_books(&w).queued, 1); /* its job names the pool */
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_queue_knows_the_stream_of_what_waits),
		cmocka_unit_test(mail_that_names_no_pool_gets_that_of_the_first_rule_that_holds),
		cmocka_unit_test(a_move_goes_before_the_jobs_pool_and_that_before_the_rules),
		cmocka_unit_test(a_reload_moves_what_waits_already),
	};
	return cmocka_run_group_tests_name("engine_streams", tests, NULL, NULL);
}
