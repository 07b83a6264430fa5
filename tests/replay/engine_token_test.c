/* Smart hosts with tokens (XOAUTH2): asked for at the provider's endpoint, kept until they expire,
 * asked for once more when the host refuses one. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/file.h"
#include "tests/replay/engine_world.h"

#define SMART "127.0.3.1"
#define UNDER_TLS                                                                                  \
	"say 220 smart.test\nexpect EHLO\nraw 250-smart.test\\r\\n250 STARTTLS\\r\\n\n"            \
	"expect STARTTLS\nsay 220 go\ntls ca=smart.test\nexpect EHLO\n"                            \
	"raw 250-smart.test\\r\\n250 AUTH XOAUTH2\\r\\n\n"
/* "user=me@x.test^Aauth=Bearer tok1^A^A" */
#define TOK1 "expect AUTH XOAUTH2 dXNlcj1tZUB4LnRlc3QBYXV0aD1CZWFyZXIgdG9rMQEB\n"
#define TOK2 "expect AUTH XOAUTH2 dXNlcj1tZUB4LnRlc3QBYXV0aD1CZWFyZXIgdG9rMgEB\n"
#define REFUSES "say 334 eyJzdGF0dXMiOiI0MDEifQ==\ntake 2\nsay 535 5.7.8 that token is no good\n"
static const char takes_1[] = UNDER_TLS TOK1 "say 235 2.7.0 welcome\nserve\n";
static const char takes_2[] = UNDER_TLS TOK2 "say 235 2.7.0 welcome\nserve\n";
static const char refuses_1[] = UNDER_TLS TOK1 REFUSES;

struct desk {
	struct world w;
	char dir[64], routes[96], secret[96], refresh[96], config[512];
};

static void write_file(const char *path, const char *text, mode_t mode)
{
	assert_int_equal(file_write_atomic(path, slice_str(text), mode), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void smart_host(const char *script)
{
	assert_int_equal(conn_sim_host(SLICE(SMART ":587"), slice_str(script)), 0);
}

static void endpoint(unsigned status, const char *json)
{
	fetch_sim_set("login.test", status ? FETCH_OK : FETCH_FAILED, status, false, json);
}

static void open_desk(struct desk *d, const char *script)
{
	char routes[512];

	*d = (struct desk){ .dir = "/tmp/postern-token.XXXXXX" };
	assert_non_null(mkdtemp(d->dir));
	(void)snprintf(d->routes, sizeof(d->routes), "%s/routes", d->dir);
	(void)snprintf(d->secret, sizeof(d->secret), "%s/client", d->dir);
	(void)snprintf(d->refresh, sizeof(d->refresh), "%s/refresh", d->dir);
	write_file(d->secret, "user = me@x.test\nclient_id = app\nclient_secret = s&e c\n", 0600);
	write_file(d->refresh, "r/1\n", 0600);
	(void)snprintf(routes, sizeof(routes),
		       "[out]\nhost = smart.test\nauth = xoauth2\ncredentials = %s\n"
		       "token_file = %s\ntoken_url = https://login.test/v2/token\ndomain = *\n",
		       d->secret, d->refresh);
	write_file(d->routes, routes, 0644);
	(void)snprintf(d->config, sizeof(d->config), CONFIG "site.idle = 0s\nroute.file = %s\n",
		       d->routes);
	world_start(&d->w, d->config);
	world_names();
	world_host("127.0.1.1", decent);
	resolver_sim_set("smart.test", DNS_A, 5, SMART);
	resolver_sim_set("login.test", DNS_A, 5, "127.0.9.9");
	endpoint(200,
		 "{\"access_token\": \"tok1\", \"token_type\": \"Bearer\", \"expires_in\": 3600}");
	smart_host(script);
}

static void close_desk(struct desk *d)
{
	world_end(&d->w);
	assert_int_equal(unlink(d->routes) | unlink(d->secret) | unlink(d->refresh) | rmdir(d->dir),
			 0);
}

static void sends(struct desk *d, int64_t ms)
{
	static const char *const to[] = { "u@one.test" };

	world_submit(&d->w, to, 1, 2 * DAY, "control", 0);
	world_run(&d->w, ms);
}

static void assert_form(const char *what)
{
	struct slice form = fetch_sim_upload();

	if (!memmem(form.p, form.n, what, strlen(what)))
		fail_msg("%s is not in %.*s", what, (int)form.n, form.p);
}

static void a_token_is_asked_for_and_kept_until_it_is_near_its_end(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, takes_1);
	sends(&d, MINUTE);
	assert_int_equal(conn_sim_messages(), 1);
	assert_null(conn_sim_mistake());
	assert_form(
	    "grant_type=refresh_token&refresh_token=r%2F1&client_id=app&client_secret=s%26e%20c");
	for (unsigned i = 0; i < 5; i++)
		sends(&d, 10 * MINUTE); /* each over a connection of its own */
	assert_int_equal(conn_sim_messages(), 6);
	assert_int_equal(fetch_sim_asked(), 1);
	/* Near its end another one is asked for, while the old one still serves. */
	world_run(&d.w, 5 * MINUTE);
	endpoint(200, "{\"access_token\": \"tok2\", \"expires_in\": 3600}");
	sends(&d, 2 * SECOND);
	assert_int_equal(fetch_sim_asked(), 2);
	assert_int_equal(conn_sim_messages(), 7);
	smart_host(takes_2);
	sends(&d, MINUTE);
	assert_int_equal(conn_sim_messages(), 8);
	assert_int_equal(COUNTER(&d.w, oauth_tokens), 2);
	assert_int_equal(world_books(&d.w).deferred_attempts, 0);
	assert_null(conn_sim_mistake());
	close_desk(&d);
}

/* RFC 6749 section 6: the client discards the old refresh token. */
static void another_refresh_token_goes_into_the_file_and_is_used(void **state)
{
	struct buf text = { 0 };
	struct stat st;
	struct desk d;

	(void)state;
	open_desk(&d, takes_1);
	endpoint(200,
		 "{\"access_token\": \"tok1\", \"expires_in\": 60, \"refresh_token\": \"r2\"}");
	sends(&d, MINUTE);
	assert_int_equal(conn_sim_messages(), 1);
	assert_int_equal(file_read(d.refresh, 100, &text), 0);
	assert_string_equal(buf_cstr(&text), "r2");
	assert_int_equal(stat(d.refresh, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	world_run(&d.w, 5 * MINUTE);
	sends(&d, MINUTE);
	assert_form("refresh_token=r2&");
	assert_int_equal(conn_sim_messages(), 2);
	buf_free(&text);
	close_desk(&d);
}

static void a_token_that_the_host_refuses_is_asked_for_once_more(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, takes_1);
	sends(&d, MINUTE);
	smart_host(refuses_1);
	endpoint(200, "{\"access_token\": \"tok2\", \"expires_in\": 3600}");
	world_submit(&d.w, one_rcpt, 1, DAY, "control", 0);
	for (unsigned i = 0; fetch_sim_asked() < 2; i++) {
		assert_in_range(i, 0, 100);
		world_run(&d.w, 20);
	}
	smart_host(takes_2);
	world_run(&d.w, 10 * SECOND);
	assert_int_equal(conn_sim_messages(), 2);
	assert_int_equal(world_books(&d.w).deferred_attempts, 0);
	close_desk(&d);
}

static void tokens_that_are_all_refused_defer_and_do_not_hammer(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, refuses_1);
	sends(&d, 10 * SECOND);
	assert_int_equal(world_books(&d.w).deferred_attempts, 1);
	assert_int_equal(fetch_sim_asked(), 2); /* it was refreshed once */
	world_run(&d.w, 10 * HOUR);
	assert_int_equal(world_books(&d.w).queued, 1);
	assert_in_range(fetch_sim_asked(), 3, 60);
	assert_int_equal(conn_sim_messages(), 0);
	smart_host(takes_1);
	world_run(&d.w, 2 * HOUR);
	assert_int_equal(conn_sim_messages(), 1);
	close_desk(&d);
}

static void an_endpoint_that_gives_none_defers_and_says_why(void **state)
{
	static const struct {
		unsigned status;
		const char *json;
	} rows[] = {
		{ 400, "{\"error\": \"invalid_grant\", \"error_description\": \"revoked\"}" },
		{ 0, "" },
		{ 500, "<html>" },
		{ 200, "{\"access_token\": \"a b\"}" },
		{ 200, "{\"access_token\": \"tok1\", \"token_type\": \"mac\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct desk d;
		open_desk(&d, takes_1);
		endpoint(rows[i].status, rows[i].json);
		sends(&d, 10 * SECOND);
		assert_int_equal(world_books(&d.w).deferred_attempts, 1);
		assert_int_equal(conn_sim_opened(), 0);
		world_run(&d.w, 3 * HOUR);
		assert_int_equal(world_books(&d.w).queued, 1);
		assert_true(COUNTER(&d.w, oauth_failures) > 0);
		assert_in_range(fetch_sim_asked(), 2, 60);
		endpoint(200, "{\"access_token\": \"tok1\", \"expires_in\": 3600}");
		world_run(&d.w, 2 * HOUR);
		assert_int_equal(conn_sim_messages(), 1);
		close_desk(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_asked_for_and_kept_until_it_is_near_its_end),
		cmocka_unit_test(another_refresh_token_goes_into_the_file_and_is_used),
		cmocka_unit_test(a_token_that_the_host_refuses_is_asked_for_once_more),
		cmocka_unit_test(tokens_that_are_all_refused_defer_and_do_not_hammer),
		cmocka_unit_test(an_endpoint_that_gives_none_defers_and_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
