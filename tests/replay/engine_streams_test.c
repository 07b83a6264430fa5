/* Streams: the queue keeps what jobs of different streams wait for apart. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_queue_knows_the_stream_of_what_waits),
	};
	return cmocka_run_group_tests_name("engine_streams", tests, NULL, NULL);
}
