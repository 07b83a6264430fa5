/* What each kind of order does in a whole engine, and that it is there after a restart. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "mta/orders/orders.h"
#include "mta/queue/queue.h"
#include "tests/replay/engine_world.h"

static bool given;

static void on_given(struct order_writing *w, int err)
{
	(void)w;
	assert_int_equal(err, 0);
	given = true;
}

/* Gives it as the front desk does; its number. */
static uint64_t give(struct world *w, const struct order *o)
{
	struct order_writing writing = { .order = *o, .done = on_given };

	given = false;
	assert_int_equal(orders_give(orders_of(w->engine), &writing), 0);
	for (int i = 0; i < 100 && !given; i++)
		world_run(w, 10);
	assert_true(given);
	return writing.order.id;
}

static void undo(struct world *w, uint64_t id)
{
	struct order_writing writing = { .done = on_given };

	given = false;
	assert_int_equal(orders_end(orders_of(w->engine), id, ORDER_UNDONE, "a test", &writing), 0);
	for (int i = 0; i < 100 && !given; i++)
		world_run(w, 10);
	assert_true(given);
}

static enum order_end end_of(struct world *w, uint64_t id)
{
	struct order o;

	assert_int_equal(orders_find(orders_of(w->engine), id, &o), 0);
	return o.end;
}

static void submit_n(struct world *w, const char *const *rcpts, uint64_t campaign, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, rcpts, 1, DAY, "control", campaign);
}

static void a_cap_lets_a_rate_through_and_others_go_on(void **state)
{
	const struct order cap = { .kind = ORDER_CAP, .what = "campaign/7", .per_day = 86400 };
	struct world w;
	uint64_t id;

	(void)state;
	world_open(&w, CONFIG, decent);
	id = give(&w, &cap);
	submit_n(&w, one_rcpt, 7, 60);
	submit_n(&w, one_rcpt, 8, 60);
	world_run(&w, 10 * SECOND);
	assert_in_range(world_books(&w).delivered, 60 + 9, 60 + 13);
	world_restart(&w);
	world_run(&w, 10 * SECOND);
	assert_in_range(world_books(&w).delivered, 60 + 18, 60 + 26);
	undo(&w, id);
	world_run(&w, SECOND);
	assert_int_equal(world_books(&w).delivered, 120);
	world_end(&w);
}

static void a_capped_domain_does_not_stop_others_of_its_hosts(void **state)
{
	const struct order cap = { .kind = ORDER_CAP, .what = "domain/two.test", .per_day = 86400 };
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	(void)give(&w, &cap);
	for (unsigned i = 0; i < 30; i++) {
		submit_n(&w, two_rcpt, 7, 1);
		submit_n(&w, one_rcpt, 7, 1);
	}
	world_run(&w, 5 * SECOND);
	assert_in_range(world_books(&w).delivered, 30 + 4, 30 + 8);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 60);
	world_end(&w);
}

static void a_cap_of_messages_at_a_time_is_kept(void **state)
{
	static const char slow[] = "say 220 mx.test\nexpect EHLO\nsay 250 mx.test\nexpect MAIL\n"
				   "say 250 ok\nexpect RCPT\ndelay 10000\nsay 250 ok\nserve\n";
	const struct order cap = { .kind = ORDER_CAP, .what = "campaign/7", .connections = 2 };
	struct world w;

	(void)state;
	world_open(&w, CONFIG, slow);
	(void)give(&w, &cap);
	submit_n(&w, one_rcpt, 7, 10);
	world_run(&w, 5 * SECOND);
	assert_int_equal(COUNTER(&w, in_flight), 2);
	world_run(&w, 2 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 10);
	world_end(&w);
}

static void a_bounce_waits_for_its_time_and_survives_a_restart(void **state)
{
	struct order bounce = { .kind = ORDER_BOUNCE, .what = "campaign/7", .text = "closed" };
	struct world w;
	uint64_t first, second;

	(void)state;
	world_open(&w, CONFIG, full);
	submit_n(&w, one_rcpt, 7, 3);
	submit_n(&w, one_rcpt, 8, 3);
	world_run(&w, SECOND);
	bounce.act_ms = clock_wall_ms() + MINUTE;
	first = give(&w, &bounce);
	world_run(&w, MINUTE / 2);
	undo(&w, first);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).bounced, 0);
	bounce.act_ms = clock_wall_ms() + MINUTE;
	second = give(&w, &bounce);
	world_restart(&w);
	world_run(&w, MINUTE / 2);
	assert_int_equal(world_books(&w).bounced, 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).bounced, 3);
	assert_int_equal(world_books(&w).queued, 3);
	assert_int_equal(end_of(&w, second), ORDER_DONE);
	world_end(&w);
}

static void an_order_is_over_when_its_time_is(void **state)
{
	struct order hold = { .kind = ORDER_HOLD, .what = "campaign/7" };
	struct world w;
	uint64_t id;

	(void)state;
	world_open(&w, CONFIG, decent);
	hold.until_ms = clock_wall_ms() + HOUR;
	id = give(&w, &hold);
	submit_n(&w, one_rcpt, 7, 3);
	world_restart(&w);
	world_run(&w, HOUR / 2);
	assert_int_equal(world_books(&w).delivered, 0);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 3);
	assert_int_equal(end_of(&w, id), ORDER_EXPIRED);
	world_end(&w);
}

static void a_hold_by_class_is_there_after_a_restart(void **state)
{
	const struct order hold = { .kind = ORDER_HOLD, .what = "class/quota" };
	struct world w;

	(void)state;
	world_open(&w, CONFIG, full);
	submit_n(&w, one_rcpt, 7, 3);
	world_run(&w, MINUTE);
	(void)give(&w, &hold);
	world_restart(&w);
	world_host("127.0.1.1", decent);
	submit_n(&w, one_rcpt, 7, 2);
	world_run(&w, 3 * HOUR);
	assert_int_equal(world_books(&w).delivered, 2);
	assert_int_equal(COUNTER(&w, queued_held), 3);
	world_end(&w);
}

static unsigned pool_number(struct world *w, const char *name)
{
	return egress_pool(queue_of(engine_lane(w->engine, 0))->egress, slice_str(name));
}

/* Recipients that leave from the pool. */
static unsigned in_pool(struct world *w, const char *name)
{
	struct queue *q = queue_of(engine_lane(w->engine, 0));
	unsigned n = 0;

	for (rcpt_ref ref = 0; ref < q->slab.used; ref++) {
		const struct rcpt *r = queue_rcpt(q, ref);
		n += r->state == RCPT_READY && queue_pool_of(q, r) == pool_number(w, name);
	}
	return n;
}

static void some_of_a_campaign_are_moved_and_come_back(void **state)
{
	static const char config[] = CONFIG "egress.sources = spare 127.0.0.2 spare.test\n";
	const struct order move = { .kind = ORDER_MOVE,
				    .what = "campaign/7 domain/two.test",
				    .pool = "spare" };
	const struct order no = { .kind = ORDER_SUSPEND, .what = "source/127.0.0.2" };
	struct world w;
	uint64_t id;

	(void)state;
	world_open(&w, config, decent);
	w.pool = "nowhere"; /* it has no source: all wait */
	for (unsigned i = 0; i < 150; i++) {
		submit_n(&w, two_rcpt, 7, 1);
		submit_n(&w, one_rcpt, 7, 1);
	}
	(void)give(&w, &no);
	world_run(&w, SECOND);
	assert_int_equal(in_pool(&w, "spare"), 0);
	id = give(&w, &move);
	world_run(&w, SECOND);
	assert_int_equal(world_books(&w).delivered, 0); /* the source rests */
	assert_true(in_pool(&w, "spare") > 0);
	undo(&w, id);
	world_run(&w, SECOND);
	assert_int_equal(in_pool(&w, "spare"), 0);
	(void)give(&w, &move);
	undo(&w, 1);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 150);
	assert_int_equal(world_books(&w).queued, 150);
	world_end(&w);
}

static void what_is_over_is_forgotten_at_last_but_numbers_go_on(void **state)
{
	struct order retry = { .kind = ORDER_RETRY, .what = "all", .end = ORDER_DONE };
	struct world w;
	struct order o;
	uint64_t last = 0;

	(void)state;
	world_open(&w, CONFIG, decent);
	for (unsigned i = 0; i < ORDERS_KEPT + 20; i++) {
		retry.ended_ms = clock_wall_ms();
		last = give(&w, &retry);
	}
	world_run(&w, SECOND);
	assert_int_equal(orders_find(orders_of(w.engine), 1, &o), E_UNKNOWN);
	assert_int_equal(orders_find(orders_of(w.engine), last, &o), 0);
	world_restart(&w);
	world_run(&w, (ORDERS_KEPT_DAYS + 1) * DAY);
	assert_int_equal(give(&w, &retry), last + 1);
	assert_int_equal(orders_find(orders_of(w.engine), last, &o), E_UNKNOWN);
	world_end(&w);
}

/* ---- the connections of a cap ------------------------------------------------------------ */

/* It takes two transactions at a time. */
static const char pipelines[] =
    "say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 PIPELINING\\r\\n\nserve\n";

/* The most connections that were open at a time. */
static unsigned run_and_count(struct world *w, int64_t ms)
{
	unsigned most = 0;

	for (int64_t i = 0; i < ms; i += 50) {
		unsigned open = conn_sim_open_from(SLICE("127.0.0.99"));
		most = MAX_OF(most, open);
		world_run(w, 50);
	}
	return most;
}

#define SOURCE CONFIG "egress.sources = default 127.0.0.99 a.test\n"

static const char slow_host[] =
    "say 220 mx.test\nexpect EHLO\nsay 250 mx.test\nmark\nexpect MAIL\nsay 250 ok\nexpect RCPT\n"
    "delay 2000\nsay 250 ok\nexpect DATA\nsay 354 go\nbody\nsay 250 taken\nagain\n";

static void a_cap_counts_connections_and_none_opens_for_nothing(void **state UNUSED)
{
	struct order cap = { .kind = ORDER_CAP, .what = "campaign/7" };
	struct world w;

	for (unsigned n = 1; n < 4; n++) {
		world_open(&w, SOURCE, slow_host);
		cap.connections = n;
		(void)give(&w, &cap);
		submit_n(&w, one_rcpt, 7, 24);
		assert_int_equal(run_and_count(&w, 2 * MINUTE), n);
		assert_int_equal(world_books(&w).delivered, 24);
		assert_in_range(conn_sim_opened_from(SLICE("127.0.0.99")), n, n + 1);
		world_end(&w);
	}
}

static void a_connection_may_have_two_messages_of_a_cap_in_hand(void **state UNUSED)
{
	const struct order cap = { .kind = ORDER_CAP, .what = "campaign/7", .connections = 1 };
	struct world w;

	world_open(&w, SOURCE, pipelines);
	(void)give(&w, &cap);
	submit_n(&w, one_rcpt, 7, 200);
	world_run(&w, 200);
	assert_int_equal(world_books(&w).delivered, 200); /* no wait between them */
	assert_in_range(conn_sim_opened_from(SLICE("127.0.0.99")), 1, 200 / 100 + 1);
	world_end(&w);
}

static void others_open_and_go_on_beside_a_cap(void **state UNUSED)
{
	const struct order cap = { .kind = ORDER_CAP, .what = "campaign/7", .connections = 1 };
	struct world w;

	world_open(&w, SOURCE, slow_host);
	(void)give(&w, &cap);
	submit_n(&w, one_rcpt, 7, 30);
	world_run(&w, 5 * SECOND);
	submit_n(&w, one_rcpt, 8, 8);
	world_run(&w, 12 * SECOND);
	assert_true(world_books(&w).delivered >= 8 + 5);
	world_run(&w, 2 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 38);
	world_end(&w);
}

/* One connection for two sites: they have it in turn. */
static void a_seat_is_given_up_when_another_site_waits_for_it(void **state UNUSED)
{
	static const char *const other[] = { "u@other.test" };
	const struct order cap = { .kind = ORDER_CAP, .what = "tenant/1", .connections = 1 };
	struct world w;

	world_open(&w, SOURCE, slow_host);
	resolver_sim_set("mx3.test", DNS_A, 5, "127.0.1.3");
	world_domain("other.test", "10 mx3.test");
	world_host("127.0.1.3", slow_host);
	(void)give(&w, &cap);
	submit_n(&w, one_rcpt, 7, 40);
	world_run(&w, 5 * SECOND);
	submit_n(&w, other, 8, 1);
	assert_int_equal(run_and_count(&w, 15 * SECOND), 1);
	assert_in_range(world_place_of(8), 1, 9); /* long before the forty */
	submit_n(&w, other, 9, 12);
	assert_int_equal(run_and_count(&w, 3 * MINUTE), 1);
	assert_int_equal(world_books(&w).delivered, 53);
	assert_in_range(world_place_of(9), 9, 15);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cap_lets_a_rate_through_and_others_go_on),
		cmocka_unit_test(a_capped_domain_does_not_stop_others_of_its_hosts),
		cmocka_unit_test(a_cap_of_messages_at_a_time_is_kept),
		cmocka_unit_test(a_bounce_waits_for_its_time_and_survives_a_restart),
		cmocka_unit_test(an_order_is_over_when_its_time_is),
		cmocka_unit_test(a_hold_by_class_is_there_after_a_restart),
		cmocka_unit_test(some_of_a_campaign_are_moved_and_come_back),
		cmocka_unit_test(what_is_over_is_forgotten_at_last_but_numbers_go_on),
		cmocka_unit_test(a_cap_counts_connections_and_none_opens_for_nothing),
		cmocka_unit_test(a_connection_may_have_two_messages_of_a_cap_in_hand),
		cmocka_unit_test(others_open_and_go_on_beside_a_cap),
		cmocka_unit_test(a_seat_is_given_up_when_another_site_waits_for_it),
	};

	return cmocka_run_group_tests_name("engine_order_kinds", tests, NULL, NULL);
}
