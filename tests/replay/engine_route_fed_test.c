/* Smart hosts of tenants, as the control plane tells them: for their own mail alone, at once, and
 * still after a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mta/senders/senders.h"
#include "tests/replay/engine_world.h"

#define SMART "127.0.3.1"
#define OTHER "127.0.3.2"
static const char smart[] = "say 220 smart.test\nserve\n";
static const char here_is_nobody[] = "say 220 mx.test\nreply RCPT 550 5.1.1 not here\nserve\n";
/* With AUTH PLAIN as "me" with "secret" only. */
static const char takes_us[] =
    "say 220 smart.test\nexpect EHLO\nraw 250-smart.test\\r\\n250 STARTTLS\\r\\n\n"
    "expect STARTTLS\nsay 220 go\ntls ca=smart.test\nexpect EHLO\n"
    "raw 250-smart.test\\r\\n250 AUTH PLAIN LOGIN\\r\\n\nexpect AUTH PLAIN AG1lAHNlY3JldA==\n"
    "say 235 2.7.0 welcome\nserve\n";

#define OPEN "host = smart.test\ntls = never\ndomain = one.test\n"
#define WITH_AUTH "host = smart.test\nauth = plain\ndomain = *\n\nuser = me\npassword = secret\n"

static struct senders *senders(struct world *w)
{
	return senders_of(w->engine);
}

static struct buf fact(enum wire_fact_kind kind, uint64_t tenant, uint64_t id, const char *text)
{
	struct wire_fact f = { .kind = kind, .tenant = tenant, .id = id, .hash = { 1 } };
	struct buf b = { 0 };

	f.text = slice_str(text);
	assert_int_equal(wire_fact_put(&b, &f), 0);
	return b;
}

/* As a change, over a set that is there. */
static void tell(struct world *w, enum wire_fact_kind kind, uint64_t tenant, uint64_t id,
		 const char *text)
{
	struct buf b = fact(kind, tenant, id, text);

	assert_int_equal(senders_change(senders(w), buf_data(&b)), 0);
	buf_free(&b);
}

static void whole_set(struct world *w)
{
	assert_int_equal(senders_begin(senders(w), w, SLICE("")), 0);
	assert_int_equal(senders_end(senders(w), w), 0);
}

static void smart_host(const char *ip, const char *script)
{
	char at[32];

	(void)snprintf(at, sizeof(at), "%s:587", ip);
	assert_int_equal(conn_sim_host(slice_str(at), slice_str(script)), 0);
}

/* Domains have hosts that refuse everybody, so that what is delivered went another way. */
static void open_it(struct world *w, const char *script)
{
	world_open(w, CONFIG, here_is_nobody);
	resolver_sim_set("smart.test", DNS_A, 5, SMART);
	smart_host(SMART, script);
	whole_set(w);
}

static void sends(struct world *w, uint64_t tenant, const char *rcpt)
{
	w->tenant = tenant;
	world_submit(w, &rcpt, 1, DAY, "control", 0);
	world_run(w, MINUTE);
}

static void it_is_for_the_tenants_own_mail_and_for_its_domains(void **state)
{
	struct world w;

	(void)state;
	open_it(&w, smart);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, OPEN);
	sends(&w, 7, "u@one.test");
	assert_int_equal(world_books(&w).delivered, 1);
	sends(&w, 8, "u@one.test"); /* another tenant's */
	sends(&w, 6, "u@one.test");
	sends(&w, 7, "u@two.test"); /* another domain's */
	assert_int_equal(world_books(&w).bounced, 3);
	world_end(&w);
}

static void it_ends_and_changes_at_once(void **state)
{
	struct world w;

	(void)state;
	open_it(&w, smart);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, OPEN);
	sends(&w, 7, "u@one.test");
	assert_int_equal(world_books(&w).delivered, 1);
	tell(&w, WIRE_FACT_NO_SMART_ROUTE, 8, 3, ""); /* another tenant's number */
	sends(&w, 7, "u@one.test");
	assert_int_equal(world_books(&w).delivered, 2);
	tell(&w, WIRE_FACT_NO_SMART_ROUTE, 7, 3, "");
	sends(&w, 7, "u@one.test");
	assert_int_equal(world_books(&w).bounced, 1);
	resolver_sim_set("other.test", DNS_A, 5, OTHER);
	smart_host(OTHER, smart);
	smart_host(SMART, refuses);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, "host = other.test\ntls = never\ndomain = *\n");
	sends(&w, 7, "u@two.test");
	assert_int_equal(world_books(&w).delivered, 3);
	whole_set(&w); /* which has none */
	sends(&w, 7, "u@two.test");
	assert_int_equal(world_books(&w).bounced, 2);
	world_end(&w);
}

static void its_password_is_told_to_a_proved_host_alone(void **state)
{
	struct world w;

	(void)state;
	open_it(&w, takes_us);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, WITH_AUTH);
	sends(&w, 7, "u@one.test");
	assert_null(conn_sim_mistake());
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void it_holds_after_a_restart_without_a_control_plane(void **state)
{
	struct world w;

	(void)state;
	open_it(&w, takes_us);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, WITH_AUTH);
	world_restart(&w);
	sends(&w, 7, "u@two.test");
	assert_int_equal(world_books(&w).delivered, 1);
	assert_int_equal(world_books(&w).deferred_attempts, 0); /* its host was looked up first */
	world_end(&w);
}

/* Whatever a text says, it reads no file and speaks for nobody else. */
static void what_only_an_operator_may_say_is_refused(void **state)
{
	static const char *const bad[] = {
		OPEN "tenant = 8\n",
		OPEN "pool = default\n",
		OPEN "credentials = /etc/passwd\n",
		OPEN "token_file = /etc/passwd\n",
		OPEN "mx = yes\n",
		OPEN "[t8/r1]\n",
		"tls = never\ndomain = *\n",
		("host = smart.test\ntls = never\nauth = plain\ndomain = *\n\nuser = a\n"
		 "password = b\n"),
		"host = smart.test\nauth = plain\ndomain = *\n",
		"host = smart.test\ndomain = *\n\nuser = a\npassword = b\n",
	};
	struct world w;

	(void)state;
	open_it(&w, smart);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, OPEN);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, bad[i]);
		sends(&w, 7, "u@one.test");
		if (world_books(&w).bounced != i + 1)
			fail_msg("%s", bad[i]);
	}
	world_end(&w);
}

static void it_goes_before_the_operators(void **state)
{
	static const char routes[] = "[all]\nhost = other.test\ntls = never\ndomain = *\n";
	char path[] = "/tmp/postern-fed.XXXXXX", config[512];
	struct world w;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	assert_true(f && fputs(routes, f) >= 0 && fclose(f) == 0);
	(void)snprintf(config, sizeof(config), CONFIG "route.file = %s\n", path);
	world_open(&w, config, here_is_nobody);
	resolver_sim_set("smart.test", DNS_A, 5, SMART);
	resolver_sim_set("other.test", DNS_A, 5, OTHER);
	smart_host(SMART, smart);
	smart_host(OTHER, here_is_nobody);
	whole_set(&w);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, OPEN);
	sends(&w, 7, "u@one.test");
	assert_int_equal(world_books(&w).delivered, 1);
	sends(&w, 8, "u@one.test");
	assert_int_equal(world_books(&w).bounced, 1);
	world_end(&w);
	assert_int_equal(remove(path), 0);
}

static void a_private_address_defers_unless_the_operator_allows_it(void **state)
{
	struct world w;

	(void)state;
	open_it(&w, smart);
	resolver_sim_set("smart.test", DNS_A, 5, "10.0.0.7");
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, OPEN);
	sends(&w, 7, "u@one.test");
	assert_int_equal(world_books(&w).delivered, 0);
	assert_int_equal(world_books(&w).bounced, 0);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	world_end(&w);
}

/* Its host does not answer, so no turn of theirs would ever come. */
static void those_that_wait_for_a_route_that_ends_go_another_way(void **state)
{
	static const char *const changes[] = {
		NULL, "host = smart.test\ntls = never\ndomain = two.test\n",
		"host = other.test\ntls = never\ndomain = *\n"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct world w;
		open_it(&w, "no-connect\n");
		world_host("127.0.1.1", decent);
		resolver_sim_set("other.test", DNS_A, 5, OTHER);
		smart_host(OTHER, smart);
		tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, OPEN);
		w.tenant = 7;
		for (unsigned n = 0; n < 20; n++)
			world_submit(&w, one_rcpt, 1, DAY, "control", 0);
		world_run(&w, SECOND);
		assert_int_equal(world_books(&w).queued, 20);
		if (changes[i])
			tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, changes[i]);
		else
			tell(&w, WIRE_FACT_NO_SMART_ROUTE, 7, 3, "");
		/* A connection to the old host of the same route has its time. */
		world_run(&w, i == 2 ? MINUTE : 2 * SECOND);
		assert_int_equal(world_books(&w).delivered, 20);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_for_the_tenants_own_mail_and_for_its_domains),
		cmocka_unit_test(it_ends_and_changes_at_once),
		cmocka_unit_test(its_password_is_told_to_a_proved_host_alone),
		cmocka_unit_test(it_holds_after_a_restart_without_a_control_plane),
		cmocka_unit_test(what_only_an_operator_may_say_is_refused),
		cmocka_unit_test(it_goes_before_the_operators),
		cmocka_unit_test(those_that_wait_for_a_route_that_ends_go_another_way),
		cmocka_unit_test(a_private_address_defers_unless_the_operator_allows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
