/* Tokens of tenants' own smart hosts: the control plane tells the refresh token, the one that the
 * endpoint gives instead outlives a restart, and an endpoint is a host that a stranger named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mta/senders/senders.h"
#include "tests/replay/engine_world.h"

#define SMART "127.0.3.1"
#define ROUTE_OF(url, refresh)                                                                     \
	"host = smart.test\nauth = xoauth2\ntoken_url = " url "\ndomain = *\n\nuser = me@x.test\n" \
	"client_id = app\nclient_secret = s&e c\nrefresh_token = " refresh "\n"
#define URL "https://login.test/v2/token"
/* "user=me@x.test^Aauth=Bearer tok1^A^A" */
static const char takes_1[] =
    "say 220 smart.test\nexpect EHLO\nraw 250-smart.test\\r\\n250 STARTTLS\\r\\n\n"
    "expect STARTTLS\nsay 220 go\ntls ca=smart.test\nexpect EHLO\n"
    "raw 250-smart.test\\r\\n250 AUTH XOAUTH2\\r\\n\n"
    "expect AUTH XOAUTH2 dXNlcj1tZUB4LnRlc3QBYXV0aD1CZWFyZXIgdG9rMQEB\n"
    "say 235 2.7.0 welcome\nserve\n";
static const char here_is_nobody[] = "say 220 mx.test\nreply RCPT 550 5.1.1 not here\nserve\n";

static void tell(struct world *w, enum wire_fact_kind kind, uint64_t tenant, uint64_t id,
		 const char *text)
{
	struct wire_fact f = { .kind = kind, .tenant = tenant, .id = id, .hash = { 1 } };
	struct buf b = { 0 };

	f.text = slice_str(text);
	assert_int_equal(wire_fact_put(&b, &f), 0);
	assert_int_equal(senders_change(senders_of(w->engine), buf_data(&b)), 0);
	buf_free(&b);
}

static void endpoint(const char *json)
{
	fetch_sim_set("login.test", FETCH_OK, 200, false, json);
}

#define GIVES(refresh)                                                                             \
	"{\"access_token\": \"tok1\", \"expires_in\": 60, \"refresh_token\": \"" refresh "\"}"

static void open_it(struct world *w, const char *config)
{
	world_open(w, config, here_is_nobody);
	resolver_sim_set("smart.test", DNS_A, 5, SMART);
	resolver_sim_set("login.test", DNS_A, 5, "127.0.9.9");
	assert_int_equal(conn_sim_host(SLICE(SMART ":587"), slice_str(takes_1)), 0);
	assert_int_equal(senders_begin(senders_of(w->engine), w, SLICE("")), 0);
	assert_int_equal(senders_end(senders_of(w->engine), w), 0);
	endpoint(GIVES("r2"));
}

#define ALLOWED CONFIG "site.idle = 0s\ntoken.allow = 127.0.9.0/24\n"

static void sends(struct world *w, uint64_t tenant)
{
	static const char *const to[] = { "u@one.test" };

	w->tenant = tenant;
	world_submit(w, to, 1, DAY, "control", 0);
	world_run(w, MINUTE);
}

static void assert_form(const char *what)
{
	struct slice form = fetch_sim_upload();

	if (!memmem(form.p, form.n, what, strlen(what)))
		fail_msg("%s is not in %.*s", what, (int)form.n, form.p);
}

static void the_token_that_the_endpoint_gives_instead_outlives_a_restart(void **state)
{
	struct world w;

	(void)state;
	open_it(&w, ALLOWED);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, ROUTE_OF(URL, "r1"));
	sends(&w, 7);
	assert_int_equal(world_books(&w).delivered, 1);
	assert_form("refresh_token=r1&client_id=app&client_secret=s%26e%20c");
	world_restart(&w);
	endpoint(GIVES("r3"));
	sends(&w, 7);
	assert_form("refresh_token=r2&");
	/* What has nothing to do with the grant changes nothing of it. */
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, ROUTE_OF(URL, "r1") "scope = mail\n");
	sends(&w, 7);
	assert_form("refresh_token=r3&");
	assert_form("scope=mail");
	assert_int_equal(world_books(&w).delivered, 3);
	assert_null(conn_sim_mistake());
	world_end(&w);
}

static void another_grant_begins_with_its_own_token(void **state)
{
	static const char *const others[] = {
		ROUTE_OF(URL, "r8"),
		ROUTE_OF("https://login.test/other", "r8"),
		ROUTE_OF("https://login.test/other", "r9") "client_id = else\n",
	};
	static const char *const asked[] = { "refresh_token=r8&", "refresh_token=r8&",
					     "refresh_token=r9&client_id=else" };
	struct world w;

	(void)state;
	open_it(&w, ALLOWED);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, ROUTE_OF(URL, "r1"));
	sends(&w, 7);
	for (unsigned i = 0; i < ARRAY_LEN(others); i++) {
		tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, others[i]);
		sends(&w, 7);
		assert_form(asked[i]);
	}
	assert_int_equal(world_books(&w).delivered, 4);
	world_end(&w);
}

/* A number that comes again, which a restored database can do, is not the old route. */
static void a_route_that_goes_takes_its_token_along(void **state)
{
	struct world w;

	(void)state;
	open_it(&w, ALLOWED);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, ROUTE_OF(URL, "r1"));
	sends(&w, 7);
	tell(&w, WIRE_FACT_NO_SMART_ROUTE, 7, 3, "");
	world_run(&w, SECOND);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, ROUTE_OF(URL, "r1"));
	sends(&w, 7);
	assert_form("refresh_token=r1&");
	world_restart(&w);
	tell(&w, WIRE_FACT_NO_SMART_ROUTE, 7, 3, "");
	world_run(&w, SECOND);
	world_restart(&w);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, ROUTE_OF(URL, "r1"));
	sends(&w, 7);
	assert_form("refresh_token=r1&");
	world_end(&w);
}

static void a_token_of_one_tenant_is_nobody_elses(void **state)
{
	struct world w;

	(void)state;
	open_it(&w, ALLOWED);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, ROUTE_OF(URL, "r1"));
	tell(&w, WIRE_FACT_SMART_ROUTE, 8, 4, ROUTE_OF(URL, "r1"));
	sends(&w, 7);
	sends(&w, 8);
	assert_form("refresh_token=r1&"); /* not r2, which was tenant 7's */
	assert_int_equal(fetch_sim_asked(), 2);
	world_end(&w);
}

static void an_endpoint_inside_is_asked_only_where_the_operator_allows_it(void **state)
{
	struct world w;

	(void)state;
	open_it(&w, CONFIG);
	tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, ROUTE_OF(URL, "r1"));
	sends(&w, 7);
	assert_int_equal(fetch_sim_asked(), 0);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	world_end(&w);
}

static void what_a_text_may_not_say_makes_no_route(void **state)
{
	static const char *const bad[] = {
		ROUTE_OF("http://login.test/", "r1"),
		ROUTE_OF("https://login.test:8443/", "r1"),
		ROUTE_OF("https://127.0.9.9/", "r1"),
		ROUTE_OF("https://user@login.test/", "r1"),
		ROUTE_OF(URL, ""),
		ROUTE_OF(URL, "r1") "password = x\n",
		("host = smart.test\nauth = xoauth2\ntoken_url = " URL "\ndomain = *\n\n"
		 "user = me\nclient_id = app\n"),
		("host = smart.test\nauth = plain\ntoken_url = " URL "\ndomain = *\n\n"
		 "user = me\nclient_id = app\nrefresh_token = r\n"),
		("host = smart.test\nauth = xoauth2\ntoken_url = " URL "\ndomain = *\n"),
	};
	struct world w;

	(void)state;
	open_it(&w, ALLOWED);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		tell(&w, WIRE_FACT_SMART_ROUTE, 7, 3, bad[i]);
		sends(&w, 7);
		if (world_books(&w).bounced != i + 1 || fetch_sim_asked())
			fail_msg("%s", bad[i]);
	}
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_token_that_the_endpoint_gives_instead_outlives_a_restart),
		cmocka_unit_test(another_grant_begins_with_its_own_token),
		cmocka_unit_test(a_route_that_goes_takes_its_token_along),
		cmocka_unit_test(a_token_of_one_tenant_is_nobody_elses),
		cmocka_unit_test(an_endpoint_inside_is_asked_only_where_the_operator_allows_it),
		cmocka_unit_test(what_a_text_may_not_say_makes_no_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
