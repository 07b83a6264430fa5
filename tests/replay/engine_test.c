/* Days of an engine's life: retries, restarts, dead hosts, expiry, orders. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "mta/fair.h"
#include "mta/inspect.h"
#include "tests/replay/engine_world.h"

#define CONFIG                                                                                     \
	"hostname = out.test\nlanes = 1\nroute.allow = 127.0.0.0/8\nretry.schedule = 10m, 1h\n"    \
	"retry.jitter = 0\nhost.bad = 5m\nsite.backoff_min = 1m\nsite.backoff_max = 10m\n"
enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
static const int64_t DAY = 24 * HOUR;

static const char decent[] = "say 220 mx.test\nserve\n";
static const char full[] = "say 220 mx.test\nreply RCPT 452 4.2.2 mailbox full\nserve\n";
static const char refuses[] = "refuse\n";

static void host(const char *ip, const char *script)
{
	char at[64];

	(void)snprintf(at, sizeof(at), "%s:25", ip);
	if (conn_sim_host(slice_str(at), slice_str(script)) < 0)
		fail_msg("%s", conn_sim_mistake());
}

static void domain(const char *name, const char *mx)
{
	resolver_sim_set(name, DNS_MX, 5, mx);
}

static void names(void)
{
	resolver_sim_set("mx1.test", DNS_A, 5, "127.0.1.1");
	resolver_sim_set("mx2.test", DNS_A, 5, "127.0.1.2");
	domain("one.test", "10 mx1.test");
	domain("two.test", "10 mx1.test,20 mx2.test");
}

static const char *const one_rcpt[] = { "u@one.test" };
static const char *const two_rcpt[] = { "u@two.test" };

static void a_message_is_delivered_and_leaves_the_queue(void **state)
{
	struct world w;
	struct books b;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", decent);
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 0);
	world_run(&w, 5 * SECOND);
	b = world_books(&w);
	assert_int_equal(b.delivered, 1);
	assert_int_equal(b.queued, 0);
	assert_int_equal(conn_sim_messages(), 1);
	world_end(&w);
}

static void the_next_mx_takes_over_from_a_dead_one(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", refuses);
	host("127.0.1.2", decent);
	world_submit(&w, two_rcpt, 1, DAY, "smtp", 0);
	world_run(&w, 5 * SECOND);
	assert_int_equal(world_books(&w).delivered, 1);
	assert_int_equal(world_books(&w).deferred_attempts, 0);
	world_end(&w);
}

static void a_dead_site_is_paused_and_found_again(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", refuses);
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 0);
	world_run(&w, 5 * MINUTE);
	assert_int_equal(world_books(&w).queued, 1);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	assert_in_range(conn_sim_opened(), 1,
			2); /* it is not knocked at while the recipient waits */
	host("127.0.1.1", decent);
	world_run(&w, 6 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void the_retry_schedule_survives_a_restart(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", full);
	world_submit(&w, one_rcpt, 1, 10 * DAY, "smtp", 0);
	world_run(&w, 11 * MINUTE); /* at 0 and at 10 min: the next is an hour later */
	assert_int_equal(world_books(&w).deferred_attempts, 2);
	world_restart(&w);
	world_run(&w, 50 * MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 2);
	world_run(&w, 15 * MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 3);
	world_end(&w);
}

static void mail_that_finds_no_taker_expires_after_its_life(void **state)
{
	struct world w;
	struct books b;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", full);
	world_submit(&w, one_rcpt, 1, 5 * DAY, "control", 0);
	world_run(&w, 5 * DAY - HOUR);
	b = world_books(&w);
	assert_int_equal(b.queued, 1);
	assert_in_range(b.deferred_attempts, 118, 122); /* once an hour */
	world_run(&w, 2 * HOUR);
	b = world_books(&w);
	assert_int_equal(b.expired, 1);
	assert_int_equal(b.queued, 0);
	world_end(&w);
}

static void mail_for_a_dead_site_expires_too(void **state)
{
	static const char *many[300];
	static char text[300][24];
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", refuses);
	for (unsigned i = 0; i < 300; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "u%u@one.test", i);
		many[i] = text[i];
	}
	world_submit(&w, many, 300, DAY, "control", 0);
	world_run(&w, DAY + HOUR);
	assert_int_equal(world_books(&w).expired, 300);
	world_end(&w);
}

static void a_failure_of_submitted_mail_is_told_to_its_sender_once(void **state)
{
	struct world w;
	struct books b;

	(void)state;
	world_start(&w, CONFIG);
	names();
	domain("sender.test", "10 mx2.test");
	host("127.0.1.1",
	     "say 220 mx.test\nreply RCPT 550 5.1.1 no such user\nreply DATA 503 no recipients\nserve\n");
	host("127.0.1.2", decent);
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 0);
	world_run(&w, MINUTE);
	b = world_books(&w);
	assert_int_equal(b.bounced, 1);
	assert_int_equal(b.delivered, 1);
	assert_int_equal(conn_sim_messages(), 1);
	struct slice report = conn_sim_message(0);
	assert_non_null(memmem(report.p, report.n, "Status: 5.1.1", 13));
	assert_non_null(memmem(report.p, report.n, "Final-Recipient: rfc822; u@one.test", 35));
	world_run(&w, DAY);
	assert_int_equal(conn_sim_messages(), 1);
	world_end(&w);
}

static void a_report_that_fails_makes_no_further_report(void **state)
{
	struct world w;
	struct books b;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1",
	     "say 220 mx.test\nreply RCPT 550 5.1.1 no such user\nreply DATA 503 no recipients\nserve\n");
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 0); /* sender.test does not exist */
	world_run(&w, DAY);
	b = world_books(&w);
	assert_int_equal(b.accepted, 2);
	assert_int_equal(b.bounced, 2);
	world_end(&w);
}

static void a_held_campaign_waits_and_goes_when_released(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", decent);
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

static void a_held_domain_waits_and_others_go(void **state)
{
	static const char *const both[] = { "u@one.test", "u@two.test" };
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", decent);
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
	names();
	resolver_sim_set("nowhere.test", DNS_MX, 5, "TEMP");
	host("127.0.1.1", full);
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

static void a_suppressed_address_is_not_sent_to(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", decent);
	/* sha256("u@one.test"), its first half */
	world_rule(&w, "suppress/1/267ddb5793128f62bf2a61573f975cb0", "1");
	world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_submit(&w, two_rcpt, 1, DAY, "control", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	assert_int_equal(world_books(&w).cancelled, 1);
	assert_int_equal(COUNTER(&w, suppressed), 1);
	world_end(&w);
}

static void an_idle_connection_the_peer_ends_costs_no_try(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1",
	     "say 220 mx.test\nserve 1\nclose\n"); /* one message a connection, then gone */
	for (unsigned i = 0; i < 20; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_run(&w, 5 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 20);
	assert_int_equal(world_books(&w).deferred_attempts, 0);
	world_end(&w);
}

static void a_lost_answer_after_the_dot_is_tried_again_later(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", "say 220 mx.test\nexpect EHLO\nsay 250 mx.test\nexpect MAIL\nsay 250 ok\n"
			  "expect RCPT\nsay 250 ok\nexpect DATA\nsay 354 go\nbody\nclose\n");
	world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).queued, 1);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	assert_int_equal(COUNTER(&w, in_doubt), 1);
	world_end(&w);
}

static void recipients_of_one_message_at_one_site_share_a_transaction(void **state)
{
	static const char *const five[] = { "a@one.test", "b@one.test", "c@one.test", "d@one.test",
					    "e@one.test" };
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", decent);
	world_submit(&w, five, 5, DAY, "smtp", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 5);
	assert_int_equal(conn_sim_messages(), 1);
	world_end(&w);
}

static void domains_that_take_no_mail_bounce_with_their_reason(void **state)
{
	static const char *const three[] = { "u@null.test", "u@missing.test", "u@self.test" };
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	domain("null.test", "0 .");
	domain("self.test", "10 out.test");
	resolver_sim_set("out.test", DNS_A, 5, "127.0.9.9");
	world_submit(&w, three, 3, DAY, "control", 0);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).bounced, 3);
	world_end(&w);
}

static void a_restart_never_fires_everything_at_once(void **state)
{
	static const char *many[200];
	static char text[200][24];
	struct world w;
	unsigned before;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", full);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "u%u@one.test", i);
		many[i] = text[i];
	}
	for (unsigned i = 0; i < 200; i++)
		world_submit(&w, &many[i], 1, DAY, "control", i);
	world_run(&w, 5 * MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 200);
	w.engine = engine_free(w.engine);
	clock_sim_advance_ms(HOUR); /* all are overdue */
	w.engine = NULL;
	world_restart(&w);
	before = (unsigned)world_books(&w).deferred_attempts;
	world_run(&w, 5 * SECOND);
	assert_in_range(world_books(&w).deferred_attempts - before, 1, 100);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts - before, 200);
	world_end(&w);
}

static int note_reason(void *arg, const struct inspect_reason *r)
{
	struct buf *out = arg;

	buf_putf(out, "%s;", r->kind);
	return 0;
}

static void why_tells_what_holds_a_recipient(void **state)
{
	struct selector s = { .kind = SELECT_JOB };
	struct world w;
	struct buf out;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", full);
	s.job = world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_run(&w, MINUTE);
	buf_init(&out, 0);
	assert_in_range(inspect_why(engine_lane(w.engine, 0), &s, note_reason, &out), 1, 10);
	assert_string_equal(buf_cstr(&out), "retry;reply;");
	buf_clear(&out);
	world_rule(&w, "hold/all", "maintenance");
	assert_in_range(inspect_why(engine_lane(w.engine, 0), &s, note_reason, &out), 1, 10);
	assert_string_equal(buf_cstr(&out), "hold;retry;reply;");
	buf_free(&out);
	world_end(&w);
}

static void an_ordered_retry_does_not_wait_for_its_time(void **state)
{
	struct selector s = { .kind = SELECT_ALL };
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", full);
	world_submit(&w, one_rcpt, 1, DAY, "control", 0);
	world_run(&w, MINUTE);
	host("127.0.1.1", decent);
	assert_int_equal(inspect_retry(engine_lane(w.engine, 0), &s), 1);
	world_run(&w, 10 * SECOND);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

/* Place of the first message of a campaign in the order of arrival; -1: it did not arrive. */
static int place_of(unsigned campaign)
{
	char subject[32];
	int n = snprintf(subject, sizeof(subject), "Subject: %u\r\n", campaign);

	for (unsigned i = 0; i < conn_sim_messages(); i++)
		if (memmem(conn_sim_message(i).p, conn_sim_message(i).n, subject, (size_t)n))
			return (int)i;
	return -1;
}

static void a_pool_gets_its_part_of_a_sites_connections_however_busy_the_other_is(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "site.connections = 4\nsite.connections_start = 4\nsite.messages = 100000\n"
			       "egress.sources = default 127.0.0.2 a.test, other 127.0.0.3 b.test\n");
	names();
	host("127.0.1.1", "say 220 mx.test\nslow 100 10\nserve\n");
	for (unsigned i = 0; i < 1000; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	w.pool = "other";
	world_submit(&w, one_rcpt, 1, DAY, "control", 2);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 1001);
	assert_in_range(place_of(2), 0, 50);
	world_end(&w);
}

static void nobodys_bulk_delays_another_tenant_or_a_password(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "site.connections = 1\nsite.connections_start = 1\n");
	names();
	host("127.0.1.1", "say 220 mx.test\nserve\n");
	for (unsigned i = 0; i < 300; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_submit(&w, one_rcpt, 1, DAY, "control", 2);
	world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 3);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 302);
	assert_in_range(place_of(3), 0, 3);
	assert_in_range(place_of(2), 0, 20);
	world_end(&w);
}

static void bulk_is_not_starved_by_passwords(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "site.connections = 1\nsite.connections_start = 1\n");
	names();
	host("127.0.1.1", "say 220 mx.test\nserve\n");
	for (unsigned i = 0; i < 300; i++)
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 1);
	world_submit(&w, one_rcpt, 1, DAY, "control", 2);
	world_run(&w, HOUR);
	assert_in_range(place_of(2), 0, 40);
	world_end(&w);
}

/* A second for each message, two of them in hand. */
static const char slow[] =
	"say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 PIPELINING\\r\\n\nmark\n"
	"expect MAIL\nsay 250 ok\nexpect RCPT\nsay 250 ok\nexpect DATA\nsay 354 go\nbody\n"
	"delay 1000\nsay 250 ok\nagain\n";

/* Milliseconds until a password reset that is queued now is with its host. */
static int64_t reset_takes(struct world *w, unsigned campaign)
{
	int64_t start = clock_mono_ms();

	world_submit_as(w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", campaign);
	while (place_of(campaign) < 0 && clock_mono_ms() - start < MINUTE)
		world_run(w, 10);
	return clock_mono_ms() - start;
}

static void a_password_reset_waits_for_no_bulk_transaction(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "site.messages = 1000000\n");
	names();
	host("127.0.1.1", slow);
	for (unsigned i = 0; i < 100000; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	for (unsigned i = 0; i < 10; i++) { /* while connections are few, and when they are all there */
		assert_in_range(reset_takes(&w, 10 + i), 0, SECOND / 2);
		assert_in_range(conn_sim_live(), 1, 20);
		world_run(&w, (i % 2 ? 7 : 4) * SECOND + 330);
	}
	assert_in_range(COUNTER(&w, sessions_open), 19, 20); /* what is kept ends when it rests */
	world_run(&w, 20 * SECOND);
	assert_int_equal(COUNTER(&w, sessions_open), 19);
	world_end(&w);
}

static void passwords_do_not_pass_what_the_site_bears(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "site.connections = 8\nsite.connections_kept = 5\n");
	names();
	host("127.0.1.1", slow);
	for (unsigned i = 0; i < 200; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, 10 * SECOND);
	assert_int_equal(conn_sim_live(), 6); /* a quarter is kept at most */
	for (unsigned i = 0; i < 100; i++)
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 2);
	for (unsigned i = 0; i < 100; i++) {
		world_run(&w, 20);
		assert_in_range(conn_sim_live(), 6, 8);
	}
	assert_int_equal(conn_sim_live(), 8);
	world_end(&w);
}

static void a_hundred_campaigns_are_one_tenant(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "site.connections = 1\nsite.messages = 1000000\n");
	names();
	host("127.0.1.1", slow);
	for (unsigned i = 0; i < 1000; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 100 + i % 100);
	w.tenant = 2;
	world_submit(&w, one_rcpt, 1, DAY, "control", 2);
	w.tenant = 1; /* its passwords are no way around another's, either */
	for (unsigned i = 0; i < 300; i++)
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 200 + i % 50);
	w.tenant = 3;
	world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 3);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 1302);
	assert_in_range(place_of(3), 0, 4);
	assert_in_range(place_of(2), 0, 10 * (FAIR_BURST_BULK + 2)); /* one turn in ten is bulk's */
	world_end(&w);
}

/* Of the first n messages, how many have the campaign as their Subject. */
static unsigned among_first(unsigned n, unsigned campaign)
{
	char subject[32];
	int length = snprintf(subject, sizeof(subject), "Subject: %u\r\n", campaign);
	unsigned found = 0;

	for (unsigned i = 0; i < n && i < conn_sim_messages(); i++)
		if (memmem(conn_sim_message(i).p, conn_sim_message(i).n, subject, (size_t)length))
			found++;
	return found;
}

static void a_tenant_has_its_weight_and_passwords_their_share(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "site.connections = 1\nsite.messages = 1000000\n"
			       "tenant.weight = 2 3\ntransactional.share = 60\n");
	names();
	host("127.0.1.1", slow);
	for (w.tenant = 1; w.tenant <= 2; w.tenant++)
		for (unsigned i = 0; i < 400; i++)
			world_submit(&w, one_rcpt, 1, DAY, "control", w.tenant);
	for (unsigned i = 0; i < 700; i++)
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 3);
	world_run(&w, HOUR);
	assert_in_range(among_first(800, 3), 475, 485);
	assert_in_range(among_first(800, 1), 70, 90);
	assert_in_range(among_first(800, 2), 230, 250);
	world_end(&w);
}

static void a_rate_limit_spreads_messages_over_time(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "site.rate = 2\n");
	names();
	host("127.0.1.1", decent);
	for (unsigned i = 0; i < 100; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, 10 * SECOND);
	assert_in_range(world_books(&w).delivered, 15, 25);
	world_run(&w, 60 * SECOND);
	assert_int_equal(world_books(&w).delivered, 100);
	world_end(&w);
}

static void connections_never_pass_the_sites_limit(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "site.connections = 3\n");
	names();
	host("127.0.1.1", "say 220 mx.test\nserve\n");
	for (unsigned i = 0; i < 200; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	for (unsigned i = 0; i < 100; i++) {
		world_run(&w, 1);
		assert_in_range(conn_sim_live(), 0, 3);
	}
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 200);
	world_end(&w);
}

static void a_greeting_of_421_pauses_the_site(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", "say 421 4.3.2 too busy\nclose\n");
	for (unsigned i = 0; i < 500; i++)
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, 30 * SECOND);
	assert_int_equal(world_books(&w).queued, 500);
	assert_in_range(conn_sim_opened(), 1, 4);
	world_end(&w);
}

static void a_failed_handshake_gives_way_to_the_clear(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1",
	     "say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 STARTTLS\\r\\n\nexpect STARTTLS\n"
	     "say 220 go\ntls-fail\n");
	world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, 2 * SECOND);
	assert_int_equal(conn_sim_opened(), 2);
	/* The script wanted STARTTLS a second time, and got the envelope. */
	assert_non_null(conn_sim_mistake());
	assert_non_null(strstr(conn_sim_mistake(), "MAIL"));
	world_end(&w);
}

static void without_its_key_a_message_waits_unsent(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG "keys.dir = /nonexistent\n");
	names();
	host("127.0.1.1", decent);
	w.sign_domain = SLICE("signed.test");
	world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, HOUR);
	assert_int_equal(conn_sim_messages(), 0);
	assert_int_equal(world_books(&w).queued, 1);
	assert_in_range(world_books(&w).deferred_attempts, 1, 3);
	/* What was submitted names its From's domain without a promise: it goes as it came. */
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 2);
	world_run(&w, MINUTE);
	assert_int_equal(conn_sim_messages(), 1);
	assert_int_equal(place_of(2), 0);
	world_end(&w);
}

static void a_cancel_counts_for_what_is_in_flight_when_it_comes_back(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	host("127.0.1.1", "say 220 mx.test\nexpect EHLO\nsay 250 mx.test\nexpect MAIL\nsay 250 ok\n"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_delivered_and_leaves_the_queue),
		cmocka_unit_test(the_next_mx_takes_over_from_a_dead_one),
		cmocka_unit_test(a_dead_site_is_paused_and_found_again),
		cmocka_unit_test(the_retry_schedule_survives_a_restart),
		cmocka_unit_test(mail_that_finds_no_taker_expires_after_its_life),
		cmocka_unit_test(mail_for_a_dead_site_expires_too),
		cmocka_unit_test(a_failure_of_submitted_mail_is_told_to_its_sender_once),
		cmocka_unit_test(a_report_that_fails_makes_no_further_report),
		cmocka_unit_test(a_held_campaign_waits_and_goes_when_released),
		cmocka_unit_test(a_held_domain_waits_and_others_go),
		cmocka_unit_test(cancelling_ends_what_waits_wherever_it_waits),
		cmocka_unit_test(a_suppressed_address_is_not_sent_to),
		cmocka_unit_test(an_idle_connection_the_peer_ends_costs_no_try),
		cmocka_unit_test(a_lost_answer_after_the_dot_is_tried_again_later),
		cmocka_unit_test(recipients_of_one_message_at_one_site_share_a_transaction),
		cmocka_unit_test(domains_that_take_no_mail_bounce_with_their_reason),
		cmocka_unit_test(a_restart_never_fires_everything_at_once),
		cmocka_unit_test(why_tells_what_holds_a_recipient),
		cmocka_unit_test(an_ordered_retry_does_not_wait_for_its_time),
		cmocka_unit_test(a_pool_gets_its_part_of_a_sites_connections_however_busy_the_other_is),
		cmocka_unit_test(nobodys_bulk_delays_another_tenant_or_a_password),
		cmocka_unit_test(bulk_is_not_starved_by_passwords),
		cmocka_unit_test(a_password_reset_waits_for_no_bulk_transaction),
		cmocka_unit_test(passwords_do_not_pass_what_the_site_bears),
		cmocka_unit_test(a_hundred_campaigns_are_one_tenant),
		cmocka_unit_test(a_tenant_has_its_weight_and_passwords_their_share),
		cmocka_unit_test(a_rate_limit_spreads_messages_over_time),
		cmocka_unit_test(connections_never_pass_the_sites_limit),
		cmocka_unit_test(a_greeting_of_421_pauses_the_site),
		cmocka_unit_test(a_failed_handshake_gives_way_to_the_clear),
		cmocka_unit_test(without_its_key_a_message_waits_unsent),
		cmocka_unit_test(a_cancel_counts_for_what_is_in_flight_when_it_comes_back),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
