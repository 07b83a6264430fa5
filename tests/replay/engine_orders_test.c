/* Orders to an engine: hold, release, cancel, suppress, retry; and why something waits. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "mta/inspect/inspect.h"
#include "mta/inspect/why.h"
#include "mta/senders/address.h"
#include "mta/senders/senders.h"
#include "tests/replay/engine_world.h"

static void a_held_campaign_waits_and_goes_when_released(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	world_rule(&w, "hold/campaign/7", "by a test");
	world_submit(&w, one_rcpt, 1, DAY, "control", 7);
	world_submit(&w, one_rcpt, 1, DAY, "control", 8);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 1);
	world_restart(&w); /* an order is as durable as mail */
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 1);
	world_rule(&w, "hold/campaign/7", "");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 2);
	world_end(&w);
}

static void order_life(struct world *w, int64_t until_ms)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld", (long long)until_ms);
	world_rule(w, "life/campaign/7", text);
}

static void the_time_that_a_campaign_is_paused_is_not_of_its_life(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, full);
	world_submit(&w, one_rcpt, 1, DAY, "control", 7); /* is deferred before the pause */
	world_run(&w, HOUR);
	order_life(&w, 253402300799000);
	world_rule(&w, "hold/campaign/7", "paused");
	world_submit(&w, one_rcpt, 1, DAY, "control", 7); /* comes in the pause */
	world_submit(&w, one_rcpt, 1, DAY, "control", 8);
	world_run(&w, 3 * DAY);
	assert_int_equal(world_books(&w).expired, 1); /* the other campaign's */
	world_restart(&w);
	world_run(&w, 3 * DAY);
	assert_int_equal(world_books(&w).expired, 1);
	order_life(&w, clock_wall_ms() + 23 * HOUR);
	world_rule(&w, "hold/campaign/7", "");
	world_run(&w, 22 * HOUR);
	assert_int_equal(world_books(&w).expired, 1);
	assert_int_equal(world_books(&w).queued, 2);
	world_run(&w, 2 * HOUR);
	assert_int_equal(world_books(&w).expired, 3);
	world_end(&w);
}

static void a_campaign_that_is_resumed_is_delivered(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	order_life(&w, 253402300799000);
	world_rule(&w, "hold/campaign/7", "paused");
	world_submit(&w, one_rcpt, 1, DAY, "control", 7);
	world_run(&w, 6 * DAY);
	order_life(&w, clock_wall_ms() + DAY);
	world_rule(&w, "hold/campaign/7", "");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void a_held_domain_waits_and_others_go(void **state)
{
	static const char *const both[] = { "u@one.test", "u@two.test" };
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	world_rule(&w, "hold/domain/one.test", "by a test");
	world_submit(&w, both, 2, DAY, "control", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	assert_int_equal(COUNTER(&w, queued_held), 1);
	world_rule(&w, "hold/domain/one.test", "");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 2);
	world_end(&w);
}

static void cancelling_ends_what_waits_wherever_it_waits(void **state)
{
	static const char *const three[] = { "u@one.test", "u@two.test", "u@nowhere.test" };
	struct world w;
	struct books b;

	(void)state;
	world_start(&w, CONFIG);
	world_names();
	resolver_sim_set("nowhere.test", DNS_MX, 5, "TEMP");
	world_host("127.0.1.1", full);
	world_rule(&w, "hold/domain/two.test", "by a test");
	world_submit(&w, three, 3, DAY, "control", 5);
	world_run(&w, MINUTE); /* deferred, held, and without an answer from DNS */
	assert_int_equal(world_books(&w).queued, 3);
	world_rule(&w, "cancel/campaign/5", "by a test");
	world_run(&w, MINUTE);
	b = world_books(&w);
	assert_int_equal(b.cancelled, 3);
	assert_int_equal(b.queued, 0);
	world_end(&w);
}

static void a_cancel_counts_for_what_is_in_flight_when_it_comes_back(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG,
		   "say 220 mx.test\nexpect EHLO\nsay 250 mx.test\nexpect MAIL\nsay 250 ok\n"
		   "expect RCPT\ndelay 20000\nsay 451 later\nexpect RSET\nsay 250 ok\nserve\n");
	world_submit(&w, one_rcpt, 1, DAY, "control", 5);
	world_run(&w, 5 * SECOND);
	world_rule(&w, "cancel/campaign/5", "by a test");
	world_run(&w, 5 * SECOND);
	assert_int_equal(world_books(&w).queued, 1);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).cancelled, 1);
	world_end(&w);
}

/* As the control plane does over the link. */
static void suppress(struct world *w, enum wire_fact_kind kind, const char *address)
{
	struct senders *s = senders_of(w->engine);
	struct wire_fact f = { .kind = kind, .tenant = 1 };
	struct buf fact = { 0 };

	assert_int_equal(senders_address_hash(slice_str(address), f.hash), 0);
	assert_int_equal(wire_fact_put(&fact, &f), 0);
	if (!senders_facts(s).fed) {
		assert_int_equal(senders_begin(s, w, SLICE("")), 0);
		assert_int_equal(senders_end(s, w), 0);
	}
	assert_int_equal(senders_change(s, buf_data(&fact)), 0);
	buf_free(&fact);
}

static void a_suppressed_address_is_not_sent_to_also_after_a_restart(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	suppress(&w, WIRE_FACT_STOPS_BULK, "U@ONE.test");
	world_restart(&w);
	world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_submit(&w, two_rcpt, 1, DAY, "control", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	assert_int_equal(world_books(&w).cancelled, 1);
	assert_int_equal(COUNTER(&w, suppressed), 1);
	world_end(&w);
}

static int note_reason(void *arg, const struct why_reason *r)
{
	struct buf *out = arg;

	buf_putf(out, "%s;", r->kind);
	return 0;
}

static void why_tells_what_holds_a_recipient(void **state)
{
	struct world w;
	struct buf out;
	char text[64], id[ID_TEXT_MAX];

	(void)state;
	world_open(&w, CONFIG, full);
	(void)snprintf(text, sizeof(text), "job/%s",
		       id_format(world_submit(&w, one_rcpt, 1, DAY, "control", 0), id));
	world_run(&w, MINUTE);
	buf_init(&out, 0);
	assert_in_range(world_why(&w, text, note_reason, &out), 1, 10);
	assert_string_equal(buf_cstr(&out), "retry;reply;");
	buf_clear(&out);
	world_rule(&w, "hold/all", "maintenance");
	assert_in_range(world_why(&w, text, note_reason, &out), 1, 10);
	assert_string_equal(buf_cstr(&out), "hold;retry;reply;");
	buf_free(&out);
	world_end(&w);
}

static bool retry_one(void *arg, rcpt_ref ref)
{
	inspect_retry(arg, ref);
	return true;
}

static void an_ordered_retry_does_not_wait_for_its_time(void **state)
{
	const struct selector all = { 0 };
	struct walk *walk;
	struct world w;

	(void)state;
	world_open(&w, CONFIG, full);
	world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	w.not_before_ms = clock_wall_ms() + HOUR; /* RFC 4865: its sender wants it to wait */
	world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_run(&w, MINUTE);
	world_host("127.0.1.1", decent);
	walk = walk_new(engine_lane(w.engine, 0), &all);
	assert_false(walk_go(walk, INT32_MAX, retry_one, walk));
	inspect_retry_end(walk);
	walk_free(walk);
	world_run(&w, 10 * SECOND);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_held_campaign_waits_and_goes_when_released),
		cmocka_unit_test(the_time_that_a_campaign_is_paused_is_not_of_its_life),
		cmocka_unit_test(a_campaign_that_is_resumed_is_delivered),
		cmocka_unit_test(a_held_domain_waits_and_others_go),
		cmocka_unit_test(cancelling_ends_what_waits_wherever_it_waits),
		cmocka_unit_test(a_cancel_counts_for_what_is_in_flight_when_it_comes_back),
		cmocka_unit_test(a_suppressed_address_is_not_sent_to_also_after_a_restart),
		cmocka_unit_test(why_tells_what_holds_a_recipient),
		cmocka_unit_test(an_ordered_retry_does_not_wait_for_its_time),
	};

	return cmocka_run_group_tests_name("engine_orders", tests, NULL, NULL);
}
