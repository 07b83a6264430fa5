/* New sources that are not welcome: what holds a plan back, what lets it go on; crashes and clocks;
 * and a fortnight at a provider that punishes. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "mta/inspect/why.h"
#include "mta/warmup/warmup.h"
#include "tests/replay/engine_world.h"
#include "tests/sim/model_sim.h"

#define COLD "127.0.0.2"
#define WARM "127.0.0.3"
#define ALONE CONFIG "egress.sources = default " COLD " a.test\n"
#define BOTH CONFIG "egress.sources = default " COLD " a.test, default " WARM " b.test\n"
#define PLAN "warmup.plans = " COLD " other "
#define FROM(ip) conn_sim_messages_from(SLICE(ip))

static void mail(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, one_rcpt, 1, 30 * DAY, "control", 1);
}

static void next_day(struct world *w)
{
	world_run(w, DAY - clock_wall_ms() % DAY + MINUTE);
}

static struct ip cold_ip(void)
{
	struct ip ip;

	assert_int_equal(ip_parse(SLICE(COLD), &ip), 0);
	return ip;
}

static void keep_fact(void *arg, const struct warmup_fact *f, const struct warmup_days *d)
{
	(void)d;
	*(struct warmup_fact *)arg = *f;
}

/* There is one pair. */
static struct warmup_fact fact_of(struct world *w)
{
	struct warmup_fact f = { .state = WARMUP_OFF };

	warmup_each(warmup_of(w->engine), keep_fact, &f);
	return f;
}

static void state_is(struct world *w, enum warmup_state s)
{
	struct warmup_fact f = fact_of(w);

	if (f.state != s)
		fail_msg("%s, not %s", warmup_state_name(f.state), warmup_state_name(s));
}

/* ---- what holds a plan back -------------------------------------------------------------- */

static const char blocks[] =
    "say 220 mx.test\n"
    "reply RCPT 550 5.7.1 Service unavailable; Client host blocked using bl.test\nserve\n";
static const char defers[] =
    "say 220 mx.test\nreply RCPT 421 4.7.0 too many messages from your address\nserve\n";
static const char bounces[] = "say 220 mx.test\nreply RCPT 550 5.1.1 no such user\nserve\n";

static void bad_answers_hold_a_plan_back_until_the_next_day_which_is_one_step_back(void **state)
{
	static const struct {
		const char *script;
		enum warmup_sign sign;
	} rows[] = {
		{ blocks, WARMUP_BLOCKED },
		{ defers, WARMUP_DEFERRED },
		{ bounces, WARMUP_BOUNCED },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		struct warmup_fact f;
		unsigned left;
		world_open(&w, ALONE PLAN "days=40:80:160\nwarmup.sample = 3\n", decent);
		next_day(&w);
		mail(&w, 40);
		world_run(&w, HOUR);
		next_day(&w);
		world_host("127.0.1.1", rows[i].script);
		mail(&w, 400);
		world_run(&w, 5 * HOUR);
		f = fact_of(&w);
		assert_int_equal(f.state, WARMUP_HELD);
		assert_int_equal(f.worst, rows[i].sign);
		assert_int_equal(f.today.step, 1);
		assert_true(f.today.leaves < 80);
		left = (unsigned)f.today.leaves;
		world_host("127.0.1.1", decent);
		world_run(&w, 12 * HOUR);
		assert_int_equal(fact_of(&w).today.leaves, left); /* nothing more */
		next_day(&w);
		world_run(&w, 12 * HOUR);
		f = fact_of(&w);
		assert_int_equal(f.today.step, 0);
		assert_int_equal(f.today.leaves, 40);
		assert_int_equal(f.today.n[WARMUP_DELIVERED], 40);
		next_day(&w);
		world_run(&w, HOUR);
		assert_int_equal(fact_of(&w).today.step, 1);
		world_end(&w);
	}
}

static void greylisting_and_full_mailboxes_hold_nothing_back(void **state)
{
	static const char *const replies[] = { "452 4.2.2 mailbox full",
					       "451 4.7.1 greylisted, please try again later" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(replies); i++) {
		struct world w;
		char script[128];
		(void)snprintf(script, sizeof(script), "say 220 mx.test\nreply RCPT %s\nserve\n",
			       replies[i]);
		world_open(&w, ALONE PLAN "days=100:200\n", script);
		next_day(&w);
		mail(&w, 60);
		world_run(&w, 2 * MINUTE);
		state_is(&w, WARMUP_GOES);
		assert_int_equal(fact_of(&w).today.n[WARMUP_TRIED], 60);
		world_end(&w);
	}
}

static struct late_fact about(struct id128 job, unsigned kind)
{
	return (struct late_fact){ .kind = kind, .job = job, .key = job.lo };
}

static void complaints_hold_a_plan_back_and_each_recipient_complains_once(void **state)
{
	struct late_fact facts[3];
	struct world w;
	struct id128 job;

	(void)state;
	world_open(&w, ALONE PLAN "days=100:200\nwarmup.complaints = 15\n", decent);
	next_day(&w);
	job = world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	mail(&w, 90);
	world_run(&w, HOUR);
	for (unsigned i = 0; i < ARRAY_LEN(facts); i++)
		facts[i] = about(job, LATE_COMPLAINT);
	warmup_returned(warmup_of(w.engine), facts, 3);
	facts[0] = about((struct id128){ 9, 9 }, LATE_COMPLAINT); /* not ours */
	warmup_returned(warmup_of(w.engine), facts, 1);
	world_run(&w, MINUTE);
	state_is(&w, WARMUP_GOES);
	assert_int_equal(fact_of(&w).today.n[WARMUP_COMPLAINED], 1);
	facts[0] = about((struct id128){ job.hi, job.lo + 1 }, LATE_COMPLAINT);
	warmup_returned(warmup_of(w.engine), facts, 1);
	world_run(&w, MINUTE);
	assert_int_equal(fact_of(&w).worst, WARMUP_COMPLAINTS);
	state_is(&w, WARMUP_HELD);
	world_end(&w);
}

static void what_comes_back_of_mail_from_before_the_start_counts_too(void **state)
{
	struct late_fact fact;
	struct world w;
	struct id128 job;

	(void)state;
	world_open(&w, ALONE PLAN "days=100:200\nwarmup.complaints = 15\n", decent);
	next_day(&w);
	job = world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	mail(&w, 90);
	world_run(&w, HOUR);
	world_restart(&w);
	world_run(&w, MINUTE);
	for (unsigned i = 0; i < 3; i++) {
		fact = about((struct id128){ job.hi, job.lo + i / 2 },
			     i == 2 ? LATE_DSN : LATE_COMPLAINT);
		warmup_returned(warmup_of(w.engine), &fact, 1);
	}
	fact = about((struct id128){ 9, 9 }, LATE_COMPLAINT); /* not ours */
	warmup_returned(warmup_of(w.engine), &fact, 1);
	world_run(&w, MINUTE);
	assert_int_equal(fact_of(&w).today.n[WARMUP_COMPLAINED], 1);
	assert_int_equal(fact_of(&w).today.n[WARMUP_RETURNED], 1);
	world_end(&w);
}

/* ---- operators --------------------------------------------------------------------------- */

static void order(struct world *w, const char *key, const char *value)
{
	lsn_t lsn;

	assert_int_equal(
	    spool_put_rule(engine_spool(w->engine), slice_str(key), slice_str(value), &lsn), 0);
	assert_int_equal(spool_commit_now(engine_spool(w->engine)), 0);
	warmup_rule_changed(w->engine, slice_str(key), slice_str(value));
}

#define PAUSE "warmup-pause/" COLD "/other"
#define SET "warmup/" COLD "/other"

static void a_pause_stops_it_and_its_end_goes_on_where_it_was(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ALONE PLAN "days=50:100\n", decent);
	next_day(&w);
	mail(&w, 20);
	world_run(&w, HOUR);
	order(&w, PAUSE, "17 by ann: we look at it");
	mail(&w, 40);
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 20);
	state_is(&w, WARMUP_PAUSED);
	assert_string_equal(fact_of(&w).paused, "by ann: we look at it");
	world_restart(&w);
	world_run(&w, 30 * MINUTE);
	assert_int_equal(FROM(COLD), 20);
	order(&w, PAUSE, "");
	world_run(&w, 30 * MINUTE);
	assert_int_equal(FROM(COLD), 50);
	state_is(&w, WARMUP_SPENT);
	world_end(&w);
}

static void an_order_replaces_the_plan_at_once_and_keeps_its_place(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ALONE PLAN "days=50:100\n", decent);
	next_day(&w);
	mail(&w, 400);
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 50);
	order(&w, SET, "days=30:60:90\nby ann");
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 50); /* 30 is the last that is not more */
	order(&w, SET, "days=30:60:90 day=3\nby ann");
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 90);
	order(&w, SET, "");
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 90);
	order(&w, SET, "off\nby ann");
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 400);
	world_end(&w);
}

static void a_release_lets_it_go_on_today(void **state)
{
	struct world w;
	struct ip ip = cold_ip();

	(void)state;
	world_open(&w, ALONE PLAN "days=60:100\nwarmup.sample = 3\n", bounces);
	next_day(&w);
	mail(&w, 10);
	world_run(&w, MINUTE);
	state_is(&w, WARMUP_HELD);
	world_host("127.0.1.1", decent);
	mail(&w, 100);
	assert_int_equal(warmup_release(warmup_of(w.engine), &ip, SLICE("other")), 1);
	assert_int_equal(warmup_release(warmup_of(w.engine), &ip, SLICE("other")), 0);
	world_run(&w, HOUR);
	state_is(&w, WARMUP_SPENT);
	assert_int_equal(fact_of(&w).today.leaves, 60);
	world_end(&w);
}

static int note_kind(void *arg, const struct why_reason *r)
{
	if (strcmp(r->kind, "warmup") == 0)
		*(struct why_reason *)arg = *r;
	return 0;
}

static void why_says_since_when_until_when_and_what_would_release_it(void **state)
{
	struct why_reason r = { .kind = "" };
	struct selector s;
	struct world w;
	struct why *why;

	(void)state;
	world_open(&w, ALONE PLAN "days=30:60\n", decent);
	next_day(&w);
	mail(&w, 100);
	world_run(&w, HOUR);
	assert_int_equal(selector_parse(SLICE("domain/one.test"), &s), 0);
	why = why_new(engine_lane(w.engine, 0), &s);
	while (why_go(why, SECOND * 1000))
		;
	assert_true(why_tell(why, note_kind, &r) > 0);
	(void)why_free(why);
	assert_string_equal(r.text, COLD " has sent 30 of the 30 messages that day 1 of its "
					 "warm-up allows to other");
	assert_int_equal(r.until_ms % DAY, 0);
	assert_in_range(r.until_ms, clock_wall_ms(), clock_wall_ms() + DAY);
	assert_in_range(r.since_ms, clock_wall_ms() - HOUR, clock_wall_ms());
	assert_true(strstr(r.release, "postern warmup"));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    bad_answers_hold_a_plan_back_until_the_next_day_which_is_one_step_back),
		cmocka_unit_test(greylisting_and_full_mailboxes_hold_nothing_back),
		cmocka_unit_test(complaints_hold_a_plan_back_and_each_recipient_complains_once),
		cmocka_unit_test(what_comes_back_of_mail_from_before_the_start_counts_too),
		cmocka_unit_test(a_pause_stops_it_and_its_end_goes_on_where_it_was),
		cmocka_unit_test(an_order_replaces_the_plan_at_once_and_keeps_its_place),
		cmocka_unit_test(a_release_lets_it_go_on_today),
		cmocka_unit_test(why_says_since_when_until_when_and_what_would_release_it),
	};

	return cmocka_run_group_tests_name("engine_warmup_hold", tests, NULL, NULL);
}
