/* What replies order: another source next, and a hold. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/file.h"
#include "mta/egress/egress.h"
#include "tests/replay/engine_world.h"

#define A "127.0.0.2"
#define B "127.0.0.3"
#define ONE CONFIG "egress.sources = default " A " a.test\n"
#define TWO                                                                                        \
	CONFIG "egress.sources = default " A " a.test weight=50, default " B " b.test\n"           \
	       "site.connections_start = 1\n"
#define FROM(ip) conn_sim_messages_from(SLICE(ip))
#define REFUSES "say 220 mx.test\nreply RCPT 450 4.7.0 not from this address today\nserve\n"

static const char rules[] =
    "[elsewhere]\ntext = not from this address\nclass = spam-block\n"
    "action = other source\n"
    "[keep]\ntext = ask the postmaster first\nclass = policy\naction = hold\n"
    "[block]\ntext = address is blocked here\nclass = spam-block\n"
    "action = suspend source 1h\n"
    "[unwanted]\ntext = too many complaints of this customer\n"
    "class = policy\naction = suspend tenant 1h\n";

static char path[64];

static void begin(struct world *w, const char *config, const char *script)
{
	static char all[1024];

	(void)snprintf(path, sizeof(path), "/tmp/postern-act.%d", (int)getpid());
	assert_int_equal(file_write_atomic(path, slice_str(rules), 0600), 0);
	(void)snprintf(all, sizeof(all), "%sreplies.rules = %s\n", config, path);
	world_open(w, all, script);
}

static void end(struct world *w)
{
	world_end(w);
	(void)unlink(path);
}

static void mail(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, one_rcpt, 1, DAY, "control", w->next_id);
}

static void a_recipient_goes_at_once_from_another_source_and_not_again_from_the_first(void **state)
{
	struct world w;

	(void)state;
	begin(&w, TWO, REFUSES);
	mail(&w, 1);
	world_run(&w, SECOND / 2);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	bool first_was_a = conn_sim_open_from(SLICE(A)) > 0;
	world_host("127.0.1.1", decent);
	world_run(&w, 10 * SECOND);
	assert_int_equal(world_books(&w).delivered, 1);
	assert_int_equal(first_was_a ? FROM(B) : FROM(A), 1);
	assert_int_equal(COUNTER(&w, elsewhere), 1);
	end(&w);
}

/* The heavy source takes fifty messages for one of the other. */
static void those_that_wait_for_another_source_are_not_in_the_way_of_the_rest(void **state)
{
	struct world w;

	(void)state;
	begin(&w, TWO, REFUSES);
	mail(&w, 3);
	world_run(&w, SECOND / 2);
	world_host("127.0.1.1", decent);
	mail(&w, 100);
	world_run(&w, 10 * SECOND);
	assert_int_equal(world_books(&w).delivered, 103);
	end(&w);
}

static void when_every_source_has_said_so_the_schedule_counts(void **state)
{
	struct world w;

	(void)state;
	begin(&w, TWO, REFUSES);
	mail(&w, 1);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 2);
	world_run(&w, 8 * MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 2);
	world_run(&w, 2 * HOUR);
	assert_true(world_books(&w).deferred_attempts >= 3);
	end(&w);
}

static void a_pool_with_one_source_tries_by_the_schedule(void **state)
{
	struct world w;

	(void)state;
	begin(&w, ONE, REFUSES);
	mail(&w, 1);
	world_run(&w, 5 * MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	assert_int_equal(COUNTER(&w, elsewhere), 0);
	end(&w);
}

#define BLOCKS "say 220 mx.test\nreply RCPT 550 5.7.1 your address is blocked here\nserve\n"

static void a_block_moves_mail_to_another_source_when_the_options_say_so(void **state)
{
	struct world w;

	(void)state;
	begin(&w, TWO, BLOCKS);
	mail(&w, 1);
	world_run(&w, 5 * MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	end(&w);
	begin(&w, TWO "retry.blocked_elsewhere = yes\n", BLOCKS);
	mail(&w, 1);
	world_run(&w, 5 * MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 2);
	end(&w);
}

/* ---- hold -------------------------------------------------------------------------------- */

#define HOLDS "say 220 mx.test\nreply RCPT 550 5.7.1 ask the postmaster first\nserve\n"

struct seen {
	unsigned n;
	char key[200], value[400];
};

static int see(void *arg, struct slice key, struct slice value)
{
	struct seen *s = arg;

	s->n++;
	slice_copy(s->key, sizeof(s->key), key);
	slice_copy(s->value, sizeof(s->value), value);
	return 0;
}

static struct seen holds(struct world *w)
{
	struct seen s = { 0 };

	assert_int_equal(spool_each_rule(engine_spool(w->engine), SLICE("hold/rcpt/"), see, &s), 0);
	return s;
}

static void a_recipient_is_held_with_the_reply_as_the_reason_until_it_is_released(void **state)
{
	struct world w;
	struct seen s;

	(void)state;
	begin(&w, ONE, HOLDS);
	mail(&w, 1);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	assert_int_equal(COUNTER(&w, queued_held), 1);
	s = holds(&w);
	assert_int_equal(s.n, 1);
	assert_non_null(strstr(s.value, "ask the postmaster first"));
	assert_non_null(strstr(s.value, "keep"));
	world_restart(&w);
	world_host("127.0.1.1", decent);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).queued, 1);
	world_rule(&w, s.key, "");
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 1);
	end(&w);
}

static void a_hold_goes_when_its_recipient_expires(void **state)
{
	struct world w;

	(void)state;
	begin(&w, ONE, HOLDS);
	mail(&w, 1);
	world_run(&w, HOUR);
	assert_int_equal(holds(&w).n, 1);
	world_run(&w, 2 * DAY);
	assert_int_equal(world_books(&w).expired, 1);
	assert_int_equal(holds(&w).n, 0);
	end(&w);
}

/* ---- a tenant ---------------------------------------------------------------------------- */

#define UNWANTED                                                                                   \
	"say 220 mx.test\nreply RCPT 450 4.7.1 too many complaints of this customer\nserve\n"

static void mail_of(struct world *w, uint64_t tenant, unsigned n)
{
	w->tenant = tenant;
	mail(w, n);
}

static void refuse_tenant_1(struct world *w)
{
	begin(w, ONE, UNWANTED);
	mail_of(w, 1, 20);
	world_run(w, SECOND);
	world_host("127.0.1.1", decent);
	assert_int_equal(COUNTER(w, tenant_suspensions), 1);
}

static void a_tenant_that_is_not_wanted_waits_and_nobody_else_does(void **state)
{
	struct world w;
	uint64_t tries;

	(void)state;
	refuse_tenant_1(&w);
	tries = world_books(&w).deferred_attempts;
	assert_true(tries >= 3 && tries < 20);
	mail_of(&w, 2, 10);
	mail_of(&w, 1, 10);
	world_run(&w, 30 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 10);
	assert_int_equal(world_books(&w).deferred_attempts, tries);
	world_restart(&w);
	mail_of(&w, 2, 10);
	world_run(&w, 20 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 20);
	world_run(&w, 20 * MINUTE); /* the hour is over */
	assert_int_equal(world_books(&w).delivered, 50);
	end(&w);
}

static void an_order_suspends_a_tenant_and_another_ends_it(void **state)
{
	struct world w;

	(void)state;
	begin(&w, ONE, decent);
	world_rule(&w, "suspend-tenant/1/mx1.test", "99999999999999 by a test");
	mail_of(&w, 1, 5);
	mail_of(&w, 2, 5);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 5);
	world_rule(&w, "suspend-tenant/1/mx1.test", "");
	world_run(&w, SECOND);
	assert_int_equal(world_books(&w).delivered, 10);
	end(&w);
}

static void a_suspended_tenants_mail_expires_and_is_cancelled_like_any(void **state)
{
	struct world w;

	(void)state;
	begin(&w, ONE, decent);
	world_rule(&w, "suspend-tenant/1/mx1.test", "99999999999999 by a test");
	mail_of(&w, 1, 5);
	world_run(&w, HOUR);
	world_submit(&w, one_rcpt, 1, DAY, "control", 4711);
	world_run(&w, MINUTE);
	world_rule(&w, "cancel/campaign/4711", "by a test");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).cancelled, 1);
	world_run(&w, 2 * DAY);
	assert_int_equal(world_books(&w).expired, 5);
	end(&w);
}

int main(void)
{

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_recipient_goes_at_once_from_another_source_and_not_again_from_the_first),
		cmocka_unit_test(those_that_wait_for_another_source_are_not_in_the_way_of_the_rest),
		cmocka_unit_test(when_every_source_has_said_so_the_schedule_counts),
		cmocka_unit_test(a_pool_with_one_source_tries_by_the_schedule),
		cmocka_unit_test(a_block_moves_mail_to_another_source_when_the_options_say_so),
		cmocka_unit_test(
		    a_recipient_is_held_with_the_reply_as_the_reason_until_it_is_released),
		cmocka_unit_test(a_hold_goes_when_its_recipient_expires),
		cmocka_unit_test(a_tenant_that_is_not_wanted_waits_and_nobody_else_does),
		cmocka_unit_test(an_order_suspends_a_tenant_and_another_ends_it),
		cmocka_unit_test(a_suspended_tenants_mail_expires_and_is_cancelled_like_any),
	};
	return cmocka_run_group_tests_name("engine_act", tests, NULL, NULL);
}
