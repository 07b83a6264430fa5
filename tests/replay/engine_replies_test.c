/* What follows from what a reply means: who ends, who is tried again and when, and what is
 * recorded. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/file.h"
#include "mta/metrics/write.h"
#include "tests/replay/engine_world.h"

#define REFUSES(reply) "say 220 mx.test\nreply RCPT " reply "\nserve\n"

static const char blocked[] = REFUSES("554 5.7.1 Client host [127.0.0.99] blocked using bl.test");

struct last {
	unsigned n;
	char class[32], rule[128];
	uint16_t flags;
};

static int look_at(void *arg, const struct event *e)
{
	struct last *l = arg;

	if (e->kind == EVENT_ACCEPTED)
		return 0;
	l->n++;
	l->flags = e->o.flags;
	slice_copy(l->class, sizeof(l->class), e->o.class);
	slice_copy(l->rule, sizeof(l->rule), e->o.rule);
	return 0;
}

static struct last last_outcome(struct world *w)
{
	struct last l = { 0 };
	lsn_t next;

	assert_int_equal(spool_events(engine_spool(w->engine), 0, 1000, look_at, &l, &next), 0);
	return l;
}

static void begin(struct world *w, const char *config, const char *script)
{
	world_open(w, config, script);
	world_submit(w, one_rcpt, 1, DAY, "control", 1);
}

static void a_block_of_our_address_ends_nobody(void **state)
{
	struct buf metrics = { 0 };
	struct writer writer;
	struct world w;
	struct last l;

	(void)state;
	begin(&w, CONFIG, blocked);
	world_run(&w, MINUTE);
	l = last_outcome(&w);
	assert_int_equal(world_books(&w).bounced, 0);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	assert_string_equal(l.class, "spam-block");
	assert_non_null(strstr(l.rule, ".rules:"));
	assert_int_equal(l.flags & OUTCOME_HARD, 0);
	writer_init(&writer, w.engine, &(struct gather){ .engine = w.engine });
	writer_write(&writer, &metrics);
	writer_end(&writer);
	assert_non_null(
	    strstr(buf_cstr(&metrics), "\npostern_replies_total{class=\"spam-block\"} 1"));
	buf_free(&metrics);
	world_host("127.0.1.1", decent);
	world_run(&w, 11 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void an_unknown_recipient_ends_and_is_hard(void **state)
{
	struct world w;
	struct last l;

	(void)state;
	begin(&w, CONFIG, REFUSES("550 5.1.1 user unknown"));
	world_run(&w, MINUTE);
	l = last_outcome(&w);
	assert_int_equal(world_books(&w).bounced, 1);
	assert_string_equal(l.class, "invalid-recipient");
	assert_true(l.flags & OUTCOME_HARD);
	world_end(&w);
}

static void a_domain_that_does_not_exist_is_hard(void **state)
{
	struct world w;
	struct last l;

	(void)state;
	world_start(&w, CONFIG);
	world_domain("one.test", NULL);
	world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, MINUTE);
	l = last_outcome(&w);
	assert_int_equal(world_books(&w).bounced, 1);
	assert_string_equal(l.class, "bad-domain");
	assert_true(l.flags & OUTCOME_HARD);
	world_end(&w);
}

static void a_host_is_tried_again_when_it_said(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CONFIG, REFUSES("450 4.7.1 greylisted, try again in 90 seconds"));
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	assert_string_equal(last_outcome(&w).class, "greylisted");
	world_host("127.0.1.1", decent);
	world_run(&w, MINUTE); /* the schedule says ten */
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void a_host_that_says_so_for_ever_is_tried_by_the_schedule(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CONFIG, REFUSES("450 4.7.1 greylisted, try again in 60 seconds"));
	world_run(&w, DAY);
	assert_in_range(world_books(&w).deferred_attempts, 20, 40);
	world_end(&w);
}

/* A rule file of the operator's, and a configuration that names it. */
static const char *with_rules(const char *rules, char *path, char *config, size_t cap)
{
	(void)snprintf(path, 64, "/tmp/postern-rules.%d", (int)getpid());
	assert_int_equal(file_write_atomic(path, slice_str(rules), 0600), 0);
	(void)snprintf(config, cap, CONFIG "replies.rules = %s\n", path);
	return config;
}

static void the_operators_rule_ends_what_would_be_tried_again(void **state)
{
	char path[64], config[1024];
	struct world w;
	struct last l;

	(void)state;
	begin(&w,
	      with_rules("[gone]\ntext = mailbox full\nclass = inactive-mailbox\naction = end\n",
			 path, config, sizeof(config)),
	      full);
	(void)unlink(path);
	world_run(&w, MINUTE);
	l = last_outcome(&w);
	assert_int_equal(world_books(&w).bounced, 1);
	assert_string_equal(l.class, "inactive-mailbox");
	assert_non_null(strstr(l.rule, ":1 gone"));
	assert_int_equal(l.flags & OUTCOME_HARD, 0); /* no 4xx is */
	world_end(&w);
}

static void a_rule_of_a_provider_binds_the_hosts_that_a_shape_gives_it(void **state)
{
	static const char *const classes[] = { "quota", "policy" };
	char path[64], shape[64], config[1024], more[1200];
	struct world w;

	(void)state;
	(void)with_rules("[big]\nprovider = big\ntext = mailbox full\nclass = policy\n", path,
			 config, sizeof(config));
	(void)snprintf(shape, sizeof(shape), "/tmp/postern-shape.%d", (int)getpid());
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(file_write_atomic(shape,
						   i ? SLICE("[provider big]\nmx = mx1.test\n")
						     : SLICE("[provider big]\nmx = mx9.test\n"),
						   0600),
				 0);
		(void)snprintf(more, sizeof(more), "%sshape.file = %s\n", config, shape);
		begin(&w, more, full);
		world_run(&w, MINUTE);
		assert_string_equal(last_outcome(&w).class, classes[i]);
		world_end(&w);
	}
	(void)unlink(path);
	(void)unlink(shape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_of_our_address_ends_nobody),
		cmocka_unit_test(an_unknown_recipient_ends_and_is_hard),
		cmocka_unit_test(a_domain_that_does_not_exist_is_hard),
		cmocka_unit_test(a_host_is_tried_again_when_it_said),
		cmocka_unit_test(a_host_that_says_so_for_ever_is_tried_by_the_schedule),
		cmocka_unit_test(a_rule_of_a_provider_binds_the_hosts_that_a_shape_gives_it),
		cmocka_unit_test(the_operators_rule_ends_what_would_be_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
