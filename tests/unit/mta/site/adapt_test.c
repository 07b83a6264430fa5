/* The laws of adaptive control, one by one, and against sites that a few lines describe. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/site/adapt.h"
#include "tests/sim/random_sim.h"
#include "base/random.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
static const int64_t DAY = 24 * HOUR, BEGIN = 1000000;
static const struct adapt_bounds usual = { .start = 2, .floor = 1, .most = 20, .rate_floor = 1440 };

static struct adapt fresh(void)
{
	struct adapt a;

	adapt_begin(&a, &usual, BEGIN);
	return a;
}

/* With a window that success has opened, and a second behind each hundred deliveries. */
static struct adapt grown(int64_t *ret_now)
{
	struct adapt a = fresh();

	*ret_now = BEGIN;
	for (unsigned i = 0; i < 3000; i++)
		adapt_good(&a, &usual, 1, true, *ret_now += 10);
	assert_int_equal(a.window, usual.most);
	return a;
}

static void it_starts_small_and_grows_by_one_per_delivery(void **state)
{
	struct adapt a = fresh();

	(void)state;
	assert_int_equal(a.window, 2);
	for (unsigned i = 0; i < 10; i++)
		adapt_good(&a, &usual, 1, true, BEGIN + i);
	assert_int_equal(a.window, 12);
	for (unsigned i = 0; i < 100; i++)
		adapt_good(&a, &usual, 1, true, BEGIN + i);
	assert_int_equal(a.window, 20);
	assert_int_equal(a.rate, 0);
}

static void it_does_not_grow_where_more_would_not_be_used(void **state)
{
	struct adapt a = fresh();

	(void)state;
	adapt_good(&a, &usual, 1000, false, BEGIN + 10);
	assert_int_equal(a.window, 2);
}

static void one_421_among_a_thousand_deliveries_changes_little(void **state)
{
	int64_t now;
	struct adapt a = grown(&now);

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		assert_false(adapt_bad(&a, &usual, 0, now));
		assert_in_range(a.window, 17, 20);
		assert_int_equal(a.rate, 0);
		for (unsigned k = 0; k < 1000; k++)
			adapt_good(&a, &usual, 1, true, now += 10);
	}
}

static void a_wall_is_noticed_after_six_refusals_or_a_second_of_them(void **state)
{
	int64_t now;
	struct adapt a = grown(&now), slow = a;
	unsigned n = 0;

	(void)state;
	while (!adapt_bad(&a, &usual, 0, now))
		n++;
	assert_in_range(n, 4, 5);
	assert_true(adapt_closed(&a, now));
	for (n = 0; !adapt_bad(&slow, &usual, 0, now += 300); n++)
		;
	assert_in_range(n, 2, 4);
}

static void a_wall_is_left_alone_twice_as_long_each_time_within_bounds(void **state)
{
	int64_t now, pause = ADAPT_PAUSE_MIN_MS;
	struct adapt a = grown(&now);

	(void)state;
	while (!adapt_bad(&a, &usual, 0, now))
		;
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(a.closed_until_ms, now + pause);
		assert_false(adapt_bad(&a, &usual, 0, now)); /* it was on its way */
		assert_int_equal(a.closed_until_ms, now + pause);
		now = a.closed_until_ms;
		assert_true(adapt_probes(&a, now));
		assert_true(adapt_bad(&a, &usual, 0, now)); /* one is enough */
		pause = MIN_OF(pause * 2, (int64_t)ADAPT_PAUSE_MAX_MS);
	}
	assert_int_equal(pause, ADAPT_PAUSE_MAX_MS);
}

static void a_time_that_the_site_names_is_kept_up_to_four_hours(void **state)
{
	int64_t now;
	struct adapt a = grown(&now), b = a;

	(void)state;
	while (!adapt_bad(&a, &usual, 300 * SECOND, now))
		;
	assert_int_equal(a.closed_until_ms, now + 300 * SECOND);
	while (!adapt_bad(&b, &usual, 5 * DAY, now))
		;
	assert_int_equal(b.closed_until_ms, now + 4 * HOUR);
}

static void after_a_wall_one_delivery_opens_and_the_rest_follow_by_and_by(void **state)
{
	int64_t now;
	struct adapt a = grown(&now);

	(void)state;
	while (!adapt_bad(&a, &usual, 0, now))
		;
	now = a.closed_until_ms;
	adapt_good(&a, &usual, 1, true, now);
	assert_false(adapt_probes(&a, now));
	assert_in_range(a.window, 1, 2);
	for (unsigned i = 0; i < 20; i++)
		adapt_good(&a, &usual, 1, true, now += 10);
	assert_in_range(a.window, 5, 11);
	assert_true(a.pause_ms > 0); /* a wall at once would be left alone for longer */
	for (unsigned i = 0; i < 100; i++)
		adapt_good(&a, &usual, 1, true, now += 10);
	assert_int_equal(a.pause_ms, 0);
}

static void what_concerns_a_recipient_slows_nobody_down_and_is_no_wall(void **state)
{
	int64_t now;
	struct adapt a = grown(&now);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		adapt_answered(&a, now += 10);
	assert_int_equal(a.window, 20);
	assert_int_equal(a.rate, 0);
	assert_false(a.closed_until_ms);
	for (unsigned i = 0; i < 100; i++) { /* refusals among them are no wall either */
		adapt_answered(&a, now += 10);
		(void)adapt_bad(&a, &usual, 0, now);
	}
	assert_false(a.closed_until_ms);
}

static void what_was_in_flight_cannot_cut_twice(void **state)
{
	int64_t now;
	struct adapt a = grown(&now);
	unsigned window;

	(void)state;
	for (unsigned i = 0; i < 3; i++) { /* until the first that is not a lone one */
		adapt_good(&a, &usual, 20, true, now += 100);
		(void)adapt_bad(&a, &usual, 0, now);
	}
	window = a.window;
	for (unsigned i = 0; i < window / 2; i++) {
		(void)adapt_bad(&a, &usual, 0, now);
		adapt_good(&a, &usual, 1, false, now);
	}
	assert_int_equal(a.window, window);
}

/* Of 100,000 deliveries. */
static unsigned tries_beyond(struct adapt *a, unsigned had, bool slows, int64_t now)
{
	unsigned tries = 0;

	for (unsigned i = 0; i < 100000; i++) {
		adapt_good(a, &usual, 1, true, now += 10);
		if (a->window > had) {
			tries++;
			adapt_crowded(a, &usual, had, slows, now);
		}
	}
	return tries;
}

static void connections_that_are_not_let_in_tell_the_number_and_are_rarely_tried(void **state)
{
	int64_t now;
	struct adapt a = grown(&now), slow = a;

	(void)state;
	adapt_crowded(&a, &usual, 8, false, now);
	assert_int_equal(a.window, 8);
	assert_int_equal(a.rate, 0);
	assert_in_range(tries_beyond(&a, 8, false, now), 800, 2000);
	adapt_crowded(&slow, &usual, 8, true, now); /* one that makes the others slower: rarer */
	assert_in_range(tries_beyond(&slow, 8, true, now), 50, 400);
	adapt_crowded(&a, &usual, 0, false, now);
	assert_int_equal(a.window, 1);
}

/* ---- sites ------------------------------------------------------------------------------- */

/* A token bucket: so many a second, and a burst. */
struct bucket {
	double per_second, burst, tokens;
	int64_t at;
};

static bool takes(struct bucket *k, int64_t now)
{
	k->tokens = MIN_OF(k->tokens + k->per_second * (double)(now - k->at) / 1000, k->burst);
	k->at = now;
	if (k->tokens < 1)
		return false;
	k->tokens--;
	return true;
}

/* A message each 1/rate seconds, or each ms when there is no rate. */
static void run(struct adapt *a, struct bucket *k, int64_t ms, int64_t *now, unsigned *good,
		unsigned *bad)
{
	int64_t end = *now + ms;

	*good = *bad = 0;
	while (*now < end) {
		int64_t step = a->rate ? DAY / a->rate : 0;
		*now = a->closed_until_ms > *now
			   ? a->closed_until_ms
			   : *now + MAX_OF(step, (int64_t)(1 + 20 / a->window));
		if (takes(k, *now)) {
			++*good;
			adapt_good(a, &usual, 1, true, *now);
		} else {
			++*bad;
			(void)adapt_bad(a, &usual, 0, *now);
		}
	}
}

static void a_rate_limit_is_found_and_kept_with_few_refusals(void **state)
{
	static const double limits[] = { 50, 10, 2, 0.2 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(limits); i++) {
		struct bucket k = { limits[i], limits[i] * 30, limits[i] * 30, BEGIN };
		struct adapt a = fresh();
		int64_t now = BEGIN;
		unsigned good, bad;

		run(&a, &k, HOUR, &now, &good, &bad);
		assert_in_range(bad, 1, 100);
		run(&a, &k, 8 * HOUR, &now, &good, &bad);
		print_message("%.1f/s: %u delivered, %u refused\n", limits[i], good, bad);
		assert_true(good > limits[i] * 8 * 3600 * 0.85);
		assert_true(bad < 2 * 8 * 60); /* two a minute, whatever the rate */
		assert_true(bad < good / 25);
	}
}

static void a_limit_that_moves_is_followed(void **state)
{
	struct bucket k = { 5, 50, 50, BEGIN };
	struct adapt a = fresh();
	int64_t now = BEGIN;
	unsigned good, bad;

	(void)state;
	run(&a, &k, 4 * HOUR, &now, &good, &bad);
	k.per_second = 20;
	run(&a, &k, 30 * MINUTE, &now, &good, &bad);
	run(&a, &k, HOUR, &now, &good, &bad);
	print_message("up: %u delivered, %u refused\n", good, bad);
	assert_true(good > 20 * 3600 * 0.85);
	k.per_second = 2;
	run(&a, &k, 10 * MINUTE, &now, &good, &bad);
	print_message("down: %u delivered, %u refused\n", good, bad);
	assert_true(bad < 150);
	run(&a, &k, HOUR, &now, &good, &bad);
	assert_true(good > 2 * 3600 * 0.85);
}

/* So many an hour, and no word of when to come again. */
static void a_quota_by_the_hour_is_kept_after_it_was_met_once(void **state)
{
	struct adapt a = fresh();
	int64_t now = BEGIN, hour = 0;
	unsigned good = 0, bad = 0, used = 0;

	(void)state;
	while (now < BEGIN + 24 * HOUR) {
		now = a.closed_until_ms > now ? a.closed_until_ms
					      : now + (a.rate ? DAY / a.rate : 20);
		used = (now - BEGIN) / HOUR != hour ? 0 : used;
		hour = (now - BEGIN) / HOUR;
		if (used < 150) {
			used++;
			good++;
			adapt_good(&a, &usual, 1, true, now);
		} else {
			bad++;
			(void)adapt_bad(&a, &usual, 0, now);
		}
	}
	print_message("by the hour: %u delivered, %u refused\n", good, bad);
	assert_in_range(good, 24 * 150 * 85 / 100, 25 * 150);
	assert_in_range(bad, 1, 24 * 9); /* a probe each ten minutes would be 240 and more */
}

/* ---- bounds, and forgetting -------------------------------------------------------------- */

static void whatever_happens_window_and_rate_stay_within_their_bounds(void **state)
{
	const struct adapt_bounds b = { 3, 2, 12, 5000, 900000 };
	struct adapt a;
	int64_t now = BEGIN;

	(void)state;
	random_sim_seed(3);
	adapt_begin(&a, &b, now);
	for (unsigned i = 0; i < 300000; i++) {
		now += random_below(2000);
		switch (random_below(8)) {
		case 0:
		case 1:
			(void)adapt_bad(&a, &b, random_below(3) * 100000, now);
			break;
		case 2:
			adapt_crowded(&a, &b, random_below(20), random_below(2), now);
			break;
		case 3:
			adapt_answered(&a, now);
			break;
		case 4:
			(void)(random_below(20) ? 0 : adapt_refused(&a, &b, 0, now));
			break;
		case 5:
			if (!random_below(1000))
				adapt_fade(&a, &b, random_below(20) * DAY, now);
			break;
		default:
			adapt_good(&a, &b, 1 + random_below(64), random_below(2), now);
		}
		assert_in_range(a.window, b.floor, b.most);
		assert_true(!a.rate || (a.rate >= b.rate_floor && a.rate < b.rate_most));
		assert_true(a.closed_until_ms <= now + ADAPT_NAMED_MAX_MS);
		assert_in_range(a.level, 0, ADAPT_LEVEL_MAX);
		assert_in_range(a.share, 0, 65536);
	}
}

static void what_is_old_counts_for_less_until_it_is_forgotten(void **state)
{
	struct bucket k = { 5, 50, 50, BEGIN };
	struct adapt a = fresh(), day, fortnight;
	int64_t now = BEGIN;
	unsigned good, bad;

	(void)state;
	run(&a, &k, HOUR, &now, &good, &bad);
	assert_true(a.rate > 0);
	day = fortnight = a;
	adapt_fade(&a, &usual, HOUR, now);
	assert_int_equal(a.rate, day.rate);
	adapt_fade(&day, &usual, DAY + HOUR, now);
	assert_int_equal(day.rate, 2 * a.rate);
	adapt_fade(&fortnight, &usual, 14 * DAY, now);
	assert_int_equal(fortnight.rate, 0);
	assert_int_equal(fortnight.window, usual.start);
	assert_false(adapt_holds_back(&fortnight));
}

/* ---- a quota that names its time ---------------------------------------------------------- */

/* So many messages in each five minutes; who has more is to come again in five minutes. */
struct window_quota {
	struct adapt a;
	int64_t now, window, used, sent, walls;
};

static void send_for(struct window_quota *q, int64_t ms, int64_t quota)
{
	for (int64_t end = q->now + ms; q->now < end;) {
		int64_t gap = q->a.rate ? DAY / q->a.rate : 10;
		q->now = MAX_OF(q->now + gap, q->a.closed_until_ms);
		if (q->now / (5 * MINUTE) != q->window)
			q->used = 0;
		q->window = q->now / (5 * MINUTE);
		if (q->used++ < quota) {
			q->sent++;
			adapt_good(&q->a, &usual, 1, true, q->now);
			continue;
		}
		(void)adapt_bad(&q->a, &usual, 5 * MINUTE, q->now);
		q->walls += adapt_bad(&q->a, &usual, 5 * MINUTE, q->now);
	}
}

static struct window_quota with_a_quota(int64_t quota)
{
	struct window_quota q = { .a = fresh(), .now = BEGIN };

	send_for(&q, 3 * DAY, quota);
	q.sent = q.walls = 0;
	return q;
}

static void a_quota_that_stays_is_used_to_its_last_percent(void **state UNUSED)
{
	static const int64_t quotas[] = { 50, 80, 400, 3000 };

	for (unsigned i = 0; i < ARRAY_LEN(quotas); i++) {
		struct window_quota q = with_a_quota(quotas[i]);
		send_for(&q, 4 * DAY, quotas[i]);
		assert_in_range(q.sent, 4 * 288 * quotas[i] / 1000 * 975, 4 * 288 * quotas[i]);
		assert_in_range(q.walls, 1, 4 * 6);
	}
}

static void a_quota_that_rises_or_falls_is_found_within_hours(void **state UNUSED)
{
	struct window_quota q = with_a_quota(400);

	send_for(&q, 12 * HOUR, 300); /* falls by a quarter */
	q.sent = 0;
	send_for(&q, DAY, 300);
	assert_in_range(q.sent, 288 * 300 / 100 * 95, 288 * 300);
	send_for(&q, 30 * HOUR, 600); /* doubles */
	q.sent = 0;
	send_for(&q, DAY, 600);
	assert_in_range(q.sent, 288 * 600 / 100 * 93, 288 * 600);
}

/* A lone trouble of another kind takes it far below: it climbs back, whatever was learned. */
static void what_falls_below_a_quota_climbs_back_at_once(void **state UNUSED)
{
	struct window_quota q = with_a_quota(400);
	int64_t rate = q.a.rate;

	for (unsigned i = 0; i < 8; i++) {
		(void)adapt_bad(&q.a, &usual, 0, q.now += MINUTE);
		adapt_good(&q.a, &usual, 100, true, q.now);
	}
	assert_true(q.a.rate < rate * 9 / 10);
	q.a.hold_until_ms = q.now + 8 * HOUR; /* it has just begun */
	send_for(&q, 6 * HOUR, 400);
	assert_true(q.a.rate > rate * 95 / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_starts_small_and_grows_by_one_per_delivery),
		cmocka_unit_test(it_does_not_grow_where_more_would_not_be_used),
		cmocka_unit_test(one_421_among_a_thousand_deliveries_changes_little),
		cmocka_unit_test(a_wall_is_noticed_after_six_refusals_or_a_second_of_them),
		cmocka_unit_test(a_wall_is_left_alone_twice_as_long_each_time_within_bounds),
		cmocka_unit_test(a_time_that_the_site_names_is_kept_up_to_four_hours),
		cmocka_unit_test(after_a_wall_one_delivery_opens_and_the_rest_follow_by_and_by),
		cmocka_unit_test(what_concerns_a_recipient_slows_nobody_down_and_is_no_wall),
		cmocka_unit_test(what_was_in_flight_cannot_cut_twice),
		cmocka_unit_test(
		    connections_that_are_not_let_in_tell_the_number_and_are_rarely_tried),
		cmocka_unit_test(a_rate_limit_is_found_and_kept_with_few_refusals),
		cmocka_unit_test(a_limit_that_moves_is_followed),
		cmocka_unit_test(a_quota_by_the_hour_is_kept_after_it_was_met_once),
		cmocka_unit_test(whatever_happens_window_and_rate_stay_within_their_bounds),
		cmocka_unit_test(what_is_old_counts_for_less_until_it_is_forgotten),
		cmocka_unit_test(a_quota_that_stays_is_used_to_its_last_percent),
		cmocka_unit_test(a_quota_that_rises_or_falls_is_found_within_hours),
		cmocka_unit_test(what_falls_below_a_quota_climbs_back_at_once),
	};

	return cmocka_run_group_tests_name("mta_site_adapt", tests, NULL, NULL);
}
