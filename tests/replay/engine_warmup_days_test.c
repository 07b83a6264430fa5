/* New sources over days: clocks that jump, kills at any moment, and a fortnight at a provider that
 * punishes whoever sends more than it trusts. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
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

static void keep_days(void *arg, const struct warmup_fact *f, const struct warmup_days *d)
{
	(void)f;
	*(struct warmup_days *)arg = *d;
}

static struct warmup_days days_of(struct world *w)
{
	struct warmup_days d = { .n = 0 };

	warmup_each(warmup_of(w->engine), keep_days, &d);
	return d;
}

static const struct warmup_day *last_of(const struct warmup_days *d)
{
	assert_true(d->n > 0);
	return &d->at[d->n - 1];
}

/* ---- clocks ------------------------------------------------------------------------------ */

static void a_clock_that_is_put_back_gives_no_day_twice(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ALONE PLAN "days=20:40:80:160\n", decent);
	next_day(&w);
	mail(&w, 1000);
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 20);
	next_day(&w);
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 60);
	clock_sim_jump_ms(-DAY); /* the first day again */
	world_run(&w, 10 * HOUR);
	assert_int_equal(FROM(COLD), 60);
	clock_sim_jump_ms(DAY); /* the second one */
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 60);
	world_restart(&w);
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 60);
	next_day(&w);
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 140);
	world_end(&w);
}

static void a_clock_that_jumps_ahead_skips_no_day_of_the_plan(void **state)
{
	struct warmup_days d;
	struct world w;

	(void)state;
	world_open(&w, ALONE PLAN "days=20:40:80:160\n", decent);
	next_day(&w);
	mail(&w, 1000);
	world_run(&w, HOUR);
	clock_sim_jump_ms(9 * DAY);
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 60);
	clock_sim_jump_ms(-9 * DAY); /* it was wrong */
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 60);
	next_day(&w); /* a date between: the one after the first */
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 100);
	d = days_of(&w);
	assert_int_equal(d.n, 3);
	assert_int_equal(d.at[0].step, 0);
	assert_int_equal(d.at[1].step, 1);
	assert_int_equal(d.at[2].step, 1);
	world_end(&w);
}

static void after_a_month_without_mail_the_plan_begins_again(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ALONE PLAN "days=20:40:80:160\n", decent);
	next_day(&w);
	mail(&w, 60);
	world_run(&w, HOUR);
	next_day(&w);
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 60);
	world_run(&w, (WARMUP_FORGET_DAYS + 1) * DAY);
	mail(&w, 100);
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 80);
	world_end(&w);
}

/* ---- restarts and kills ------------------------------------------------------------------ */

static void a_clean_stop_loses_no_count(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ALONE PLAN "days=200:400\n", decent);
	next_day(&w);
	for (unsigned i = 0; i < 40; i++) {
		mail(&w, 3);
		world_run(&w, 7 * SECOND);
		assert_int_equal(FROM(COLD), 3 * (i + 1));
		world_restart(&w);
	}
	mail(&w, 300);
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 200);
	world_end(&w);
}

/* The power goes at once: of what was written, what was not synced may be gone. */
static void kill_it(struct world *w)
{
	struct disk_sim *dead = w->disk;
	char name[IMAGE_NAME];

	disk_sim_crash_at(dead, disk_sim_ops(dead) + 1);
	w->engine = engine_free(w->engine);
	world_restart_on(
	    w, disk_sim_image(dead, (unsigned)random_below((uint32_t)disk_sim_images(dead)), name));
	disk_sim_free(dead);
}

enum { KILLS = 60, KILL_PLAN = 900 };

static void no_kill_lets_a_date_have_more_than_its_plan(void **state)
{
	const unsigned lease = MAX_OF(KILL_PLAN / 20, (int)WARMUP_LEASE_MIN);
	struct warmup_days d;
	struct world w;
	unsigned lost;

	(void)state;
	world_open(&w, ALONE PLAN "days=900:1000\nlog.level = error\n", decent);
	next_day(&w);
	for (unsigned i = 0; i < KILLS; i++) {
		unsigned before = FROM(COLD);
		int32_t counted;
		mail(&w, 30);
		world_run(&w, (int64_t)random_below(4U * SECOND));
		kill_it(&w);
		world_run(&w, 1100); /* the desk has looked */
		d = days_of(&w);
		counted = d.n ? last_of(&d)->leaves : 0;
		assert_true((unsigned)counted >= MIN_OF(FROM(COLD), before));
		assert_true(FROM(COLD) <= KILL_PLAN);
	}
	mail(&w, 2000);
	world_run(&w, 2 * HOUR);
	assert_true(FROM(COLD) <= KILL_PLAN);
	lost = KILL_PLAN - FROM(COLD);
	assert_true(lost <= KILLS * lease);
	d = days_of(&w);
	assert_int_equal(last_of(&d)->leaves, KILL_PLAN);
	next_day(&w);
	world_run(&w, 2 * HOUR);
	d = days_of(&w);
	assert_int_equal(last_of(&d)->step, 1);
	world_end(&w);
}

/* ---- a fortnight ------------------------------------------------------------------------- */

enum { FORTNIGHT = 14, PER_HOUR = 125, ENGAGED_PER_HOUR = 25, BAD_DATE = 6 };

/* It trusts a new source with more each date, and does not like to be surprised. */
struct strict_provider {
	struct model model;
	int64_t date, first;
	double trust;
	unsigned taken, engaged, refused; /* from the new source, on this date */
	unsigned asked, seen; /* engaged recipients: submitted, and named from any source */
	unsigned late;  /* of them waited, at most, while somebody else left from the new one */
	unsigned plain; /* the recipient who is not engaged; he comes first */
};

static void turn_date(struct strict_provider *p)
{
	if (p->date == clock_wall_ms() / DAY)
		return;
	p->date = clock_wall_ms() / DAY;
	if (!p->first)
		p->first = p->date;
	p->trust *= p->refused > 5 ? 0.8 : 1.3;
	p->taken = p->engaged = p->refused = 0;
}

static struct model_answer strict(struct model *m, enum model_step step, struct model_caller *c)
{
	struct strict_provider *p = container_of(m, struct strict_provider, model);
	struct ip cold;

	turn_date(p);
	if (step == MODEL_RCPT && !p->plain)
		p->plain = c->rcpt;
	assert_int_equal(ip_parse(SLICE(COLD), &cold), 0);
	if (step == MODEL_RCPT && c->rcpt != p->plain)
		p->seen++;
	if (step == MODEL_RCPT && c->rcpt == p->plain && ip_eq(&c->source, &cold) &&
	    p->asked > p->seen)
		p->late = MAX_OF(p->late, p->asked - p->seen);
	if (step != MODEL_RCPT || !ip_eq(&c->source, &cold))
		return (struct model_answer){ 0 };
	if (p->date - p->first == BAD_DATE) {
		p->refused++;
		return (struct model_answer){ "550 5.7.1 Client host [" COLD
					      "] blocked using bl.example.test",
					      0, false };
	}
	if (p->taken >= p->trust) {
		p->refused++;
		return (struct model_answer){ "450 4.7.1 you send too many messages", 0, false };
	}
	p->taken++;
	p->engaged += c->rcpt != p->plain;
	return (struct model_answer){ 0 };
}

static void submit_hour(struct world *w, struct strict_provider *p)
{
	static const char *const engaged[] = { "engaged@one.test" };

	w->engaged = true;
	for (unsigned i = 0; i < ENGAGED_PER_HOUR; i++)
		world_submit(w, engaged, 1, 30 * DAY, "control", 2);
	w->engaged = false;
	p->asked += ENGAGED_PER_HOUR;
	mail(w, PER_HOUR - ENGAGED_PER_HOUR);
}

/* The laws of one date, when it is over. */
static void check_date(const struct warmup_days *d, const struct strict_provider *p,
		       unsigned from_cold)
{
	const struct warmup_day *day = last_of(d), *before = d->n > 1 ? day - 1 : NULL;

	assert_true(day->leaves <= day->plan);
	assert_true(from_cold <= (unsigned)day->plan);
	assert_true(from_cold <= p->taken);
	if (before && before->held)
		assert_int_equal(day->step, before->step ? before->step - 1 : 0);
	if (before)
		assert_true(day->step <= before->step + 1);
	if (p->date - p->first == BAD_DATE) {
		assert_int_equal(day->held, WARMUP_BLOCKED);
		assert_true(day->leaves < day->plan / 2);
	}
}

static void a_fortnight_at_a_provider_that_punishes(void **state)
{
	struct strict_provider p = { .model = { strict }, .trust = 70 };
	unsigned held = 0, before, sent = 1;
	struct warmup_days d;
	struct world w;

	(void)state;
	world_start(&w, BOTH PLAN
		    "start=50 target=3000 curve=1.6x\nlog.level = error\nsite.connections = 3\n");
	model_sim_add("strict", &p.model);
	world_names();
	world_host("127.0.1.1", "model strict");
	mail(&w, 1);
	next_day(&w);
	before = FROM(COLD);
	p.first = 0;
	for (unsigned date = 0; date < FORTNIGHT; date++) {
		for (unsigned hour = 0; hour < 23; hour++) {
			submit_hour(&w, &p);
			sent += PER_HOUR;
			world_run(&w, HOUR);
		}
		d = days_of(&w);
		check_date(&d, &p, FROM(COLD) - before);
		held += last_of(&d)->held != WARMUP_GOOD;
		before = FROM(COLD);
		next_day(&w);
	}
	/* Nobody else leaves from it while those who are engaged wait; some are in hand. */
	assert_true(p.late <= 6);
	assert_in_range(held, 1, 6); /* the block, and each time that it went too fast */
	assert_true(last_of(&d)->plan > 300);
	world_run(&w, 3 * HOUR);
	assert_int_equal(world_books(&w).bounced, 0);
	assert_true(world_books(&w).delivered + 5 >= sent);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_is_put_back_gives_no_day_twice),
		cmocka_unit_test(a_clock_that_jumps_ahead_skips_no_day_of_the_plan),
		cmocka_unit_test(after_a_month_without_mail_the_plan_begins_again),
		cmocka_unit_test(a_clean_stop_loses_no_count),
		cmocka_unit_test(no_kill_lets_a_date_have_more_than_its_plan),
		cmocka_unit_test(a_fortnight_at_a_provider_that_punishes),
	};

	return cmocka_run_group_tests_name("engine_warmup_days", tests, NULL, NULL);
}
