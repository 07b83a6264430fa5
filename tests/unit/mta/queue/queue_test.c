/* Slab, lists and wheel: what ten million recipients need. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/queue/fair.h"
#include "mta/queue/wheel.h"
#include "mta/site/limits.h"

static rcpt_ref take(struct wheel *w, const struct slab *s, uint32_t now_s)
{
	unsigned looks = UINT32_MAX;

	return wheel_take(w, s, now_s, &looks);
}

static void a_number_is_lent_again_after_it_was_given_back(void **state)
{
	struct slab s = { .free = RCPT_NONE };
	rcpt_ref a = rcpt_new(&s), b = rcpt_new(&s);

	(void)state;
	rcpt_at(&s, a)->state = RCPT_READY;
	rcpt_free(&s, a);
	assert_int_equal(rcpt_new(&s), a);
	assert_int_not_equal(a, b);
	assert_int_equal(s.live, 2);
	slab_free(&s);
}

static void numbers_reach_over_many_chunks(void **state)
{
	struct slab s = { .free = RCPT_NONE };

	(void)state;
	for (uint32_t i = 0; i < 3 * SLAB_SIZE; i++) {
		rcpt_ref ref = rcpt_new(&s);
		assert_int_equal(ref, i);
		rcpt_at(&s, ref)->job = i;
	}
	for (uint32_t i = 0; i < 3 * SLAB_SIZE; i++)
		assert_int_equal(rcpt_at(&s, i)->job, i);
	assert_int_equal(s.n_chunks, 3);
	slab_free(&s);
}

static void lists_keep_their_order(void **state)
{
	struct slab s = { .free = RCPT_NONE };
	struct fifo f = FIFO_EMPTY, g = FIFO_EMPTY;

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		fifo_push(&s, i < 3 ? &f : &g, rcpt_new(&s));
	fifo_push_front(&s, &f, rcpt_new(&s)); /* number 6 */
	fifo_join(&s, &f, &g);
	assert_int_equal(g.count, 0);
	assert_int_equal(f.count, 7);
	static const rcpt_ref order[] = { 6, 0, 1, 2, 3, 4, 5, RCPT_NONE };
	for (unsigned i = 0; i < ARRAY_LEN(order); i++)
		assert_int_equal(fifo_pop(&s, &f), order[i]);
	fifo_push(&s, &f, 3); /* an emptied list may be used again */
	assert_int_equal(fifo_pop(&s, &f), 3);
	slab_free(&s);
}

static rcpt_ref deferred(struct slab *s, struct wheel *w, uint32_t due_s)
{
	rcpt_ref ref = rcpt_new(s);

	rcpt_at(s, ref)->state = RCPT_DEFERRED;
	rcpt_at(s, ref)->due_s = due_s;
	wheel_add(w, s, ref);
	return ref;
}

static void nobody_leaves_the_wheel_before_his_second(void **state)
{
	static const uint32_t after[] = {
		1, 2, 59, 3600, WHEEL_SLOTS - 1, WHEEL_SLOTS, WHEEL_SLOTS + 1, 3 * WHEEL_SLOTS + 7
	};
	struct slab s = { .free = RCPT_NONE };
	struct wheel w;

	(void)state;
	wheel_init(&w, 1000);
	for (unsigned i = 0; i < ARRAY_LEN(after); i++)
		(void)deferred(&s, &w, 1000 + after[i]);
	for (unsigned i = 0; i < ARRAY_LEN(after); i++) {
		assert_int_equal(take(&w, &s, 1000 + after[i] - 1), RCPT_NONE);
		assert_int_equal(take(&w, &s, 1000 + after[i]), i);
	}
	assert_int_equal(w.count, 0);
	wheel_free(&w);
	slab_free(&s);
}

static void a_clock_that_jumps_ahead_makes_all_it_passed_due(void **state)
{
	struct slab s = { .free = RCPT_NONE };
	struct wheel w;
	unsigned n = 0;

	(void)state;
	wheel_init(&w, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		(void)deferred(&s, &w, 1001 + i * 977);
	while (take(&w, &s, 1000 + 10 * WHEEL_SLOTS) != RCPT_NONE)
		n++;
	assert_int_equal(n, 1000);
	wheel_free(&w);
	slab_free(&s);
}

static void a_clock_that_jumps_back_loses_nobody(void **state)
{
	struct slab s = { .free = RCPT_NONE };
	struct wheel w;

	(void)state;
	wheel_init(&w, 100000);
	assert_int_equal(take(&w, &s, 50000), RCPT_NONE);
	rcpt_ref ref = deferred(&s, &w, 50010); /* by the clock that was set back */
	assert_int_equal(take(&w, &s, 100001), ref);
	wheel_free(&w);
	slab_free(&s);
}

static void changed_times_count_after_a_redo(void **state)
{
	struct slab s = { .free = RCPT_NONE };
	struct wheel w;

	(void)state;
	wheel_init(&w, 1000);
	rcpt_ref a = deferred(&s, &w, 5000), b = deferred(&s, &w, 6000);
	rcpt_at(&s, b)->due_s = 1000;
	wheel_redo(&w);
	assert_int_equal(take(&w, &s, 1000), b);
	assert_int_equal(take(&w, &s, 4999), RCPT_NONE);
	assert_int_equal(take(&w, &s, 5000), a);
	assert_int_equal(w.count, 0);
	wheel_free(&w);
	slab_free(&s);
}

static void slots_are_taken_up_to_the_limit_and_no_further(void **state)
{
	_Atomic int n = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(slots_take(&n, 3));
	assert_false(slots_take(&n, 3));
	slots_give(&n);
	assert_true(slots_take(&n, 3));
}

enum { DAY_S = 86400 };

static void a_slow_rate_lets_one_go_and_a_pace_of_bytes_their_time(void **state)
{
	struct limits *l = limits_new();
	struct site_limits *s = limits_site(l, SLICE("mx.test"));
	const int64_t now = 1000000000, mib = 1024 * 1024;

	(void)state;
	assert_int_equal(limits_wait(&s->messages, 24, now), 0);
	limits_spend(&s->messages, 24, 1, now);
	assert_in_range(limits_wait(&s->messages, 24, now), 3598 * 1000000LL, 3600 * 1000000LL);
	limits_spend(&s->bytes, mib * DAY_S, 100 * mib, now);
	assert_in_range(limits_wait(&s->bytes, mib * DAY_S, now), 99 * 1000000LL, 100 * 1000000LL);
	limits_free(l);
}

static void a_rate_holds_over_a_second(void **state)
{
	struct limits *l = limits_new();
	struct site_limits *s = limits_site(l, SLICE("mx.test"));
	unsigned gone = 0;
	int64_t wait, now = 1000000000;

	(void)state;
	assert_ptr_equal(s, limits_site(l, SLICE("mx.test")));
	assert_ptr_not_equal(s, limits_site(l, SLICE("mx2.test")));
	for (int64_t at = now; at < now + 1000000; at += wait) {
		wait = limits_wait(&s->messages, 50 * DAY_S, at);
		if (wait)
			continue;
		limits_spend(&s->messages, 50 * DAY_S, 1, at);
		gone++;
		wait = 1;
	}
	assert_in_range(gone, 50, 57); /* and a burst of a tenth of a second */
	assert_int_equal(limits_wait(&s->messages, 0, now), 0);
	limits_free(l);
}

/* ---- fairness ---------------------------------------------------------------------------- */

enum { FLOWS_MAX = 128, BED_PERCENT = 90 };
struct fair_bed {
	struct slab slab;
	struct fair fair;
	struct flow flows[FLOWS_MAX];
	unsigned n_flows;
};

static void bed_make(struct fair_bed *b)
{
	*b = (struct fair_bed){ .slab.free = RCPT_NONE };
	fair_init(&b->fair, &b->slab);
}

static void bed_end(struct fair_bed *b)
{
	fair_end(&b->fair);
	slab_free(&b->slab);
}

static struct flow *bed_flow(struct fair_bed *b, uint8_t class, uint64_t tenant, uint16_t weight)
{
	struct flow *f = &b->flows[b->n_flows];

	*f = (struct flow){ .index = b->n_flows++,
			    .class = class,
			    .tenant = tenant,
			    .weight = weight,
			    .turns = 1 };
	return f;
}

static void bed_push(struct fair_bed *b, struct flow *flow, unsigned n)
{
	while (n--) {
		rcpt_ref ref = rcpt_new(&b->slab);
		struct rcpt *r = rcpt_at(&b->slab, ref);
		r->flow = flow->index;
		r->job = ref;
		(void)fair_push(&b->fair, flow, ref, false);
	}
}

/* The flow whose turn it is; NULL when nobody waits. */
static struct flow *bed_take(struct fair_bed *b, bool bulk)
{
	struct line *line;
	rcpt_ref ref = fair_take(&b->fair, BED_PERCENT, bulk, &line);

	return ref == RCPT_NONE ? NULL : &b->flows[rcpt_at(&b->slab, ref)->flow];
}

/* Takes until it is the flow's turn; how many went before it. */
static unsigned bed_wait(struct fair_bed *b, const struct flow *flow)
{
	unsigned n = 0;

	for (const struct flow *f; (f = bed_take(b, true)) != flow; n++)
		assert_non_null(f);
	return n;
}

static void a_tenants_wait_does_not_grow_with_anothers_campaigns(void **state)
{
	static const unsigned campaigns[] = { 1, 10, 100 };
	struct fair_bed b;

	(void)state;
	for (unsigned k = 0; k < ARRAY_LEN(campaigns); k++) {
		bed_make(&b);
		for (unsigned i = 0; i < campaigns[k]; i++)
			bed_push(&b, bed_flow(&b, CLASS_BULK, 1, 1), 1000);
		struct flow *late = bed_flow(&b, CLASS_BULK, 2, 1);
		(void)bed_take(&b, true);
		bed_push(&b, late, 1);
		assert_in_range(bed_wait(&b, late), 0, FAIR_BURST_BULK);
		bed_end(&b);
	}
}

static void tenants_get_turns_by_weight_and_campaigns_of_one_alike(void **state)
{
	struct fair_bed b;
	unsigned taken[FLOWS_MAX] = { 0 };

	(void)state;
	bed_make(&b);
	bed_push(&b, bed_flow(&b, CLASS_BULK, 1, 1), 5000);
	bed_push(&b, bed_flow(&b, CLASS_BULK, 2, 4), 5000);
	bed_push(&b, bed_flow(&b, CLASS_BULK, 2, 4), 5000);
	for (unsigned i = 0; i < 20 * 5 * FAIR_BURST_BULK; i++)
		taken[bed_take(&b, true)->index]++;
	assert_int_equal(taken[0], 20 * FAIR_BURST_BULK);
	assert_int_equal(taken[1], 20 * 2 * FAIR_BURST_BULK);
	assert_int_equal(taken[2], 20 * 2 * FAIR_BURST_BULK);
	bed_end(&b);
}

static void transactional_mail_goes_first_up_to_its_share(void **state)
{
	struct fair_bed b;
	unsigned bulk_turns = 0;

	(void)state;
	bed_make(&b);
	struct flow *bulk = bed_flow(&b, CLASS_BULK, 1, 1);
	struct flow *mine = bed_flow(&b, CLASS_TRANSACTIONAL, 1, 1);
	struct flow *other = bed_flow(&b, CLASS_TRANSACTIONAL, 2, 1);
	bed_push(&b, bulk, 1000);
	for (unsigned i = 0; i < 50; i++)
		assert_ptr_equal(bed_take(&b, true), bulk);
	bed_push(&b, mine, 1000);
	assert_ptr_equal(bed_take(&b, true), mine);
	bed_push(&b, other, 1);
	assert_in_range(bed_wait(&b, other), 0, 1);
	for (unsigned i = 0; i < 500; i++)
		bulk_turns += bed_take(&b, true) == bulk;
	assert_in_range(bulk_turns, 500 * (100 - BED_PERCENT) / 100 - 1,
			500 * (100 - BED_PERCENT) / 100 + 1);
	bed_end(&b);
}

static void a_place_kept_for_transactional_mail_takes_no_bulk(void **state)
{
	struct fair_bed b;

	(void)state;
	bed_make(&b);
	struct flow *bulk = bed_flow(&b, CLASS_BULK, 1, 1);
	struct flow *reset = bed_flow(&b, CLASS_TRANSACTIONAL, 1, 1);
	bed_push(&b, bulk, 10);
	assert_null(bed_take(&b, false));
	bed_push(&b, reset, 30);
	for (unsigned i = 0; i < 30; i++)
		assert_ptr_equal(bed_take(&b, false), reset);
	assert_null(bed_take(&b, false));
	assert_int_equal(fair_ready(&b.fair), 10);
	bed_end(&b);
}

static void those_of_a_held_flow_wait_and_keep_nobody(void **state)
{
	struct fair_bed b;

	(void)state;
	bed_make(&b);
	struct flow *a = bed_flow(&b, CLASS_BULK, 1, 1), *c = bed_flow(&b, CLASS_BULK, 1, 1);
	bed_push(&b, a, 20);
	bed_push(&b, c, 5);
	a->held = true;
	fair_rules_changed(&b.fair);
	bed_push(&b, a, 1);
	assert_int_equal(fair_ready(&b.fair), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_ptr_equal(bed_take(&b, true), c);
	assert_null(bed_take(&b, true));
	a->held = false;
	fair_rules_changed(&b.fair);
	for (unsigned i = 0; i < 21; i++)
		assert_ptr_equal(bed_take(&b, true), a);
	assert_null(bed_take(&b, true));
	bed_end(&b);
}

static void recipients_of_a_job_ride_along_until_their_line_ends(void **state)
{
	struct fair_bed b;
	struct line *line;
	rcpt_ref ref;

	(void)state;
	bed_make(&b);
	struct flow *f = bed_flow(&b, CLASS_BULK, 1, 1);
	bed_push(&b, f, 4);
	rcpt_at(&b.slab, 1)->job = 0;
	rcpt_at(&b.slab, 2)->job = 0;
	ref = fair_take(&b.fair, BED_PERCENT, true, &line);
	assert_int_equal(ref, 0);
	assert_int_equal(fair_take_same(&b.fair, line, 0), 1);
	assert_int_equal(fair_take_same(&b.fair, line, 0), 2);
	assert_int_equal(fair_take_same(&b.fair, line, 0), RCPT_NONE);
	assert_int_equal(fair_take_same(&b.fair, line, 3), 3);
	assert_int_equal(fair_take_same(&b.fair, line, 3), RCPT_NONE);
	assert_int_equal(fair_ready(&b.fair), 0);
	bed_end(&b);
}

/* In any order of arrivals, holds and releases, everybody goes once, in the order of its flow. */
static void nobody_is_lost_and_flows_keep_their_order(void **state)
{
	struct fair_bed b;
	uint32_t seed = 1, pushed = 0, gone = 0, last[16];

	(void)state;
	bed_make(&b);
	memset(last, 0, sizeof(last));
	for (unsigned i = 0; i < 16; i++)
		(void)bed_flow(&b, i & 1, i / 4, (uint16_t)(1 + i / 4));
	for (unsigned i = 0; i < 200000 || pushed > gone; i++) {
		struct flow *f = &b.flows[(seed >> 8) % 16];
		unsigned what = (seed >> 16) % 100;
		seed = seed * 1664525 + 1013904223;
		if (what < 40 && i < 200000) {
			bed_push(&b, f, 1);
			pushed++;
		} else if (what < 45) {
			f->held = i < 200000 && !f->held;
			fair_rules_changed(&b.fair);
		} else {
			rcpt_ref ref = fair_take(&b.fair, BED_PERCENT, what & 1, NULL);
			if (ref == RCPT_NONE)
				continue;
			uint32_t flow = rcpt_at(&b.slab, ref)->flow;
			assert_false(b.flows[flow].held);
			assert_true(ref >= last[flow]);
			last[flow] = ref + 1;
			gone++;
		}
	}
	assert_int_equal(pushed, gone);
	assert_int_equal(fair_ready(&b.fair), 0);
	bed_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_lent_again_after_it_was_given_back),
		cmocka_unit_test(numbers_reach_over_many_chunks),
		cmocka_unit_test(lists_keep_their_order),
		cmocka_unit_test(nobody_leaves_the_wheel_before_his_second),
		cmocka_unit_test(a_clock_that_jumps_ahead_makes_all_it_passed_due),
		cmocka_unit_test(a_clock_that_jumps_back_loses_nobody),
		cmocka_unit_test(changed_times_count_after_a_redo),
		cmocka_unit_test(slots_are_taken_up_to_the_limit_and_no_further),
		cmocka_unit_test(a_rate_holds_over_a_second),
		cmocka_unit_test(a_slow_rate_lets_one_go_and_a_pace_of_bytes_their_time),
		cmocka_unit_test(a_tenants_wait_does_not_grow_with_anothers_campaigns),
		cmocka_unit_test(tenants_get_turns_by_weight_and_campaigns_of_one_alike),
		cmocka_unit_test(transactional_mail_goes_first_up_to_its_share),
		cmocka_unit_test(a_place_kept_for_transactional_mail_takes_no_bulk),
		cmocka_unit_test(those_of_a_held_flow_wait_and_keep_nobody),
		cmocka_unit_test(recipients_of_a_job_ride_along_until_their_line_ends),
		cmocka_unit_test(nobody_is_lost_and_flows_keep_their_order),
	};

	return cmocka_run_group_tests_name("mta_queue", tests, NULL, NULL);
}
