/* What a whole engine does about sites that want less, or say so to some of the mail only. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "mta/inspect/why.h"
#include "mta/site/learned.h"
#include "tests/replay/engine_world.h"
#include "tests/sim/model_sim.h"

static const char walled[] =
    "say 220 mx.test\nreply MAIL 450 4.7.0 too many messages, try again in 300 seconds\nserve\n";

static void submit(struct world *w, unsigned n, const char *rcpt)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, &rcpt, 1, DAY, "control", 1);
}

/* Walled off at once, with `n` that wait. */
static void open_walled(struct world *w, unsigned n)
{
	world_open(w, CONFIG "site.connections_start = 10\n", walled);
	submit(w, n, "u@one.test");
	world_run(w, 2 * SECOND);
}

static void a_wall_costs_few_attempts_and_one_message_shows_that_it_is_gone(void **state)
{
	struct world w;
	uint64_t before;

	(void)state;
	open_walled(&w, 2000);
	before = COUNTER(&w, deferred);
	assert_in_range(before, 3, 40);
	world_run(&w, 290 * SECOND); /* as long as it named */
	assert_int_equal(COUNTER(&w, deferred), before);
	world_run(&w, 60 * SECOND);
	assert_int_equal(COUNTER(&w, deferred), before + 1); /* one, refused */
	world_host("127.0.1.1", decent);
	world_run(&w, HOUR);
	assert_in_range(world_books(&w).delivered, 1950, 2000);
	assert_int_equal(COUNTER(&w, site_backoffs), 0);
	world_end(&w);
}

static void what_concerns_a_recipient_alone_slows_nobody_down(void **state)
{
	static const char *const replies[] = { "452 4.2.2 mailbox full", "550 5.1.1 no such user",
					       "451 4.7.1 greylisted, please try again later" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(replies); i++) {
		struct world w;
		char script[128];
		(void)snprintf(script, sizeof(script), "say 220 mx.test\nreply RCPT %s\nserve\n",
			       replies[i]);
		world_open(&w, CONFIG, script);
		submit(&w, 500, "u@one.test");
		world_run(&w, 10 * SECOND);
		assert_int_equal(COUNTER(&w, deferred) + COUNTER(&w, bounced), 500);
		world_end(&w);
	}
}

/* ---- a host with a memory ---------------------------------------------------------------- */

struct door {
	struct model model;
	unsigned most, inside, peak, turned_away;
};

static struct model_answer at_the_door(struct model *m, enum model_step step,
				       struct model_caller *c)
{
	struct door *d = container_of(m, struct door, model);

	if (step == MODEL_CLOSED)
		d->inside--;
	if (step == MODEL_DOT)
		return (struct model_answer){ NULL, 1000, false };
	if (step != MODEL_GREET)
		return (struct model_answer){ 0 };
	if (d->inside >= d->most) {
		d->turned_away++;
		return (struct model_answer){ "421 too many connections", 0, true };
	}
	c->inside = true;
	d->inside++;
	d->peak = MAX_OF(d->peak, d->inside);
	return (struct model_answer){ 0 };
}

static void the_number_of_connections_that_are_let_in_is_found_without_a_deferral(void **state)
{
	struct door d = { .model = { at_the_door }, .most = 6 };
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	model_sim_add("door", &d.model);
	world_names();
	world_host("127.0.1.1", "model door");
	submit(&w, 3000, "u@one.test");
	world_run(&w, 15 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 3000);
	assert_int_equal(COUNTER(&w, deferred), 0);
	assert_int_equal(COUNTER(&w, site_backoffs), 0);
	assert_int_equal(d.peak, 6);
	assert_in_range(d.turned_away, 1, 60);
	world_end(&w);
}

static void a_wall_for_one_source_is_none_for_the_others(void **state)
{
	struct world w;

	(void)state;
	world_start(&w,
		    CONFIG "egress.sources = default 127.0.0.2 a.test, other 127.0.0.3 b.test\n");
	world_names();
	world_host("127.0.1.1", walled);
	submit(&w, 100, "u@one.test");
	world_run(&w, 2 * SECOND);
	world_host("127.0.1.1", decent);
	w.pool = "other";
	submit(&w, 100, "u@one.test");
	world_run(&w, 10 * SECOND);
	assert_int_equal(conn_sim_messages_from(slice_str("127.0.0.3")), 100);
	assert_int_equal(conn_sim_messages_from(slice_str("127.0.0.2")), 0);
	world_end(&w);
}

/* ---- restarts, and what is shown --------------------------------------------------------- */

static int find_reason(void *arg, const struct why_reason *r)
{
	char *text = arg;

	if (strcmp(r->kind, "adaptive") == 0)
		(void)snprintf(text, WHY_TEXT_MAX, "%s", r->text);
	return 0;
}

static void why_says(struct world *w, const char *part)
{
	char text[WHY_TEXT_MAX] = "";

	assert_true(world_why(w, "domain/one.test", find_reason, text) >= 0);
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void a_wall_outlives_a_restart(void **state)
{
	struct world w;
	uint64_t tries;

	(void)state;
	open_walled(&w, 500);
	why_says(&w, "because 450 too many messages");
	tries = conn_sim_opened();
	world_restart(&w);
	world_run(&w, 200 * SECOND);
	assert_int_equal(conn_sim_opened(), tries);
	why_says(&w, "because 450 too many messages");
	world_host("127.0.1.1", decent);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 500);
	world_end(&w);
}

static void a_kill_loses_at_most_what_is_younger_than_the_file(void **state)
{
	struct world w;
	struct disk_sim *dead;
	char name[IMAGE_NAME];
	uint64_t tries;

	(void)state;
	open_walled(&w, 500);
	world_run(&w, LEARNED_MS);
	assert_true(disk_sim_size(w.disk, LEARNED_FILE) > 0);
	disk_sim_crash_at(w.disk, disk_sim_ops(w.disk) + 1);
	tries = conn_sim_opened();
	dead = w.disk;
	world_restart_on(&w, disk_sim_image(dead, 0, name));
	disk_sim_free(dead);
	world_run(&w, 200 * SECOND);
	assert_int_equal(conn_sim_opened(), tries);
	world_end(&w);
}

static void a_damaged_file_is_begun_anew(void **state)
{
	struct world w;

	(void)state;
	open_walled(&w, 500);
	world_run(&w, LEARNED_MS);
	w.engine = engine_free(w.engine);
	disk_sim_flip(w.disk, LEARNED_FILE, 40, 3);
	world_host("127.0.1.1", decent);
	world_restart(&w);
	world_run(&w, MINUTE);
	assert_in_range(world_books(&w).delivered, 450, 500);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wall_costs_few_attempts_and_one_message_shows_that_it_is_gone),
		cmocka_unit_test(what_concerns_a_recipient_alone_slows_nobody_down),
		cmocka_unit_test(
		    the_number_of_connections_that_are_let_in_is_found_without_a_deferral),
		cmocka_unit_test(a_wall_for_one_source_is_none_for_the_others),
		cmocka_unit_test(a_wall_outlives_a_restart),
		cmocka_unit_test(a_kill_loses_at_most_what_is_younger_than_the_file),
		cmocka_unit_test(a_damaged_file_is_begun_anew),
	};

	return cmocka_run_group_tests_name("engine_adapt", tests, NULL, NULL);
}
