/* Smart hosts: whose mail goes there, as whom, and who pays when it does not take us. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/file.h"
#include "mta/inspect/inspect.h"
#include "mta/inspect/walk.h"
#include "tests/replay/engine_world.h"

#define SMART "127.0.3.1"
static const char smart[] = "say 220 smart.test\nserve\n";
/* With AUTH PLAIN as "me" with "secret" only. */
#define UNDER_TLS                                                                                  \
	"say 220 smart.test\nexpect EHLO\nraw 250-smart.test\\r\\n250 STARTTLS\\r\\n\n"            \
	"expect STARTTLS\nsay 220 go\ntls ca=smart.test\nexpect EHLO\n"                            \
	"raw 250-smart.test\\r\\n250 AUTH PLAIN LOGIN\\r\\n\nexpect AUTH PLAIN AG1lAHNlY3JldA==\n"
static const char takes_us[] = UNDER_TLS "say 235 2.7.0 welcome\nserve\n";
static const char refuses_us[] = UNDER_TLS "say 535 5.7.8 who are you\n";

struct desk {
	struct world w;
	char dir[64], routes[96], secret[96], config[512];
};

static void write_file(const char *path, const char *text, mode_t mode)
{
	assert_int_equal(file_write_atomic(path, slice_str(text), mode), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void smart_host(unsigned port, const char *script)
{
	char at[32];

	(void)snprintf(at, sizeof(at), SMART ":%u", port);
	assert_int_equal(conn_sim_host(slice_str(at), slice_str(script)), 0);
}

static void open_desk(struct desk *d, const char *routes, const char *script)
{
	*d = (struct desk){ .dir = "/tmp/postern-route.XXXXXX" };
	assert_non_null(mkdtemp(d->dir));
	(void)snprintf(d->routes, sizeof(d->routes), "%s/routes", d->dir);
	(void)snprintf(d->secret, sizeof(d->secret), "%s/secret", d->dir);
	write_file(d->secret, "# who we are\nuser = me\npassword = secret\n", 0600);
	write_file(d->routes, routes, 0644);
	(void)snprintf(d->config, sizeof(d->config), CONFIG "route.file = %s\n", d->routes);
	world_start(&d->w, d->config);
	world_names();
	world_host("127.0.1.1", decent);
	resolver_sim_set("smart.test", DNS_A, 5, SMART);
	smart_host(587, script);
}

static void open_with_auth(struct desk *d, const char *script)
{
	char routes[256];

	(void)snprintf(d->dir, sizeof(d->dir), "/tmp/postern-route.secret");
	(void)snprintf(routes, sizeof(routes),
		       "[out]\nhost = smart.test\nauth = password\ncredentials = %s\ndomain = *\n",
		       d->dir);
	write_file("/tmp/postern-route.secret", "user = me\npassword = secret\n", 0600);
	open_desk(d, routes, script);
}

static void close_desk(struct desk *d)
{
	world_end(&d->w);
	assert_int_equal(unlink(d->routes) | unlink(d->secret) | rmdir(d->dir), 0);
	(void)unlink("/tmp/postern-route.secret");
}

static uint64_t taken_by_smart_host(struct desk *d)
{
	(void)d;
	return conn_sim_messages();
}

static void sends(struct desk *d, const char *rcpt)
{
	world_submit(&d->w, &rcpt, 1, DAY, "control", 0);
	world_run(&d->w, MINUTE);
}

/* one.test has a host of its own, which refuses everybody in these. */
static void open_apart(struct desk *d, const char *routes)
{
	open_desk(d, routes, smart);
	world_host("127.0.1.1", "say 220 mx.test\nreply RCPT 550 5.1.1 not here\nserve\n");
}

#define PLAIN(for) "[out]\nhost = smart.test\ntls = never\n" for "\n"

static void a_domains_mail_goes_to_its_smart_host(void **state)
{
	struct desk d;

	(void)state;
	open_apart(&d, PLAIN("domain = other.test, one.test"));
	sends(&d, "u@one.test");
	assert_int_equal(world_books(&d.w).delivered, 1);
	sends(&d, "u@two.test");
	assert_int_equal(world_books(&d.w).bounced, 1);
	close_desk(&d);
}

static void a_domain_needs_no_dns_for_that(void **state)
{
	struct desk d;

	(void)state;
	open_apart(&d, PLAIN("domain = *.inside.test"));
	sends(&d, "u@hidden.inside.test");
	assert_int_equal(world_books(&d.w).delivered, 1);
	sends(&d, "u@inside.test"); /* is not below itself */
	assert_int_equal(world_books(&d.w).bounced, 1);
	close_desk(&d);
}

static void a_tenants_mail_goes_to_its_smart_host(void **state)
{
	struct desk d;

	(void)state;
	open_apart(&d, PLAIN("tenant = 7"));
	sends(&d, "u@one.test");
	assert_int_equal(world_books(&d.w).bounced, 1);
	d.w.tenant = 7;
	sends(&d, "u@one.test");
	sends(&d, "u@two.test");
	assert_int_equal(world_books(&d.w).delivered, 2);
	close_desk(&d);
}

static void a_stream_or_a_pool_may_have_one_and_all_lists_count(void **state)
{
	struct desk d;

	(void)state;
	open_apart(&d, PLAIN("stream = receipts\ndomain = one.test, two.test"));
	sends(&d, "u@one.test");
	assert_int_equal(world_books(&d.w).bounced, 1);
	d.w.stream = "receipts";
	sends(&d, "u@one.test");
	assert_int_equal(world_books(&d.w).delivered, 1);
	close_desk(&d);
	open_apart(&d, PLAIN("pool = default"));
	sends(&d, "u@one.test");
	assert_int_equal(world_books(&d.w).delivered, 1);
	close_desk(&d);
}

static void a_reload_takes_a_route_away_and_brings_it_back(void **state)
{
	struct desk d;

	(void)state;
	open_apart(&d, PLAIN("domain = one.test"));
	sends(&d, "u@one.test");
	assert_int_equal(world_books(&d.w).delivered, 1);
	write_file(d.routes, PLAIN("domain = other.test"), 0644);
	world_reload(&d.w, d.config);
	sends(&d, "u@one.test");
	assert_int_equal(world_books(&d.w).bounced, 1);
	write_file(d.routes, "[out]\nhost = smart.test\nport = 2525\ntls = never\ndomain = *\n",
		   0644);
	smart_host(2525, smart);
	world_reload(&d.w, d.config);
	sends(&d, "u@one.test");
	assert_int_equal(world_books(&d.w).delivered, 2);
	close_desk(&d);
}

/* ---- as whom ----------------------------------------------------------------------------- */

static void it_is_told_who_we_are(void **state)
{
	struct desk d;

	(void)state;
	open_with_auth(&d, takes_us);
	sends(&d, "u@one.test");
	assert_null(conn_sim_mistake());
	assert_int_equal(world_books(&d.w).delivered, 1);
	assert_int_equal(taken_by_smart_host(&d), 1);
	close_desk(&d);
}

static void a_refusal_of_our_credentials_is_nobodys_bounce(void **state)
{
	struct desk d;

	(void)state;
	open_with_auth(&d, refuses_us);
	sends(&d, "u@one.test");
	world_run(&d.w, HOUR);
	assert_null(conn_sim_mistake());
	assert_int_equal(world_books(&d.w).bounced, 0);
	assert_int_equal(world_books(&d.w).queued, 1);
	assert_true(world_books(&d.w).deferred_attempts >= 1);
	assert_true(COUNTER(&d.w, site_backoffs) >= 1);
	smart_host(587, takes_us);
	world_run(&d.w, 2 * HOUR);
	assert_int_equal(world_books(&d.w).delivered, 1);
	close_desk(&d);
}

/* The same machine takes mail for domains too. */
static void the_address_is_not_blamed_for_it(void **state)
{
	struct desk d;

	(void)state;
	open_with_auth(&d, refuses_us);
	write_file(
	    d.routes,
	    "[out]\nhost = smart.test\nauth = plain\ncredentials = /tmp/postern-route.secret\n"
	    "domain = two.test\n",
	    0644);
	world_reload(&d.w, d.config);
	resolver_sim_set("mx1.test", DNS_A, 5, SMART);
	world_host(SMART, decent);
	sends(&d, "u@two.test");
	assert_true(world_books(&d.w).deferred_attempts >= 1);
	sends(&d, "u@one.test");
	assert_int_equal(world_books(&d.w).delivered, 1);
	close_desk(&d);
}

static void credentials_that_others_can_read_stop_the_route(void **state)
{
	struct desk d;

	(void)state;
	open_with_auth(&d, takes_us);
	assert_int_equal(chmod("/tmp/postern-route.secret", 0644), 0);
	sends(&d, "u@one.test");
	assert_int_equal(world_books(&d.w).delivered, 0);
	assert_int_equal(world_books(&d.w).bounced, 0);
	assert_true(world_books(&d.w).deferred_attempts >= 1);
	assert_int_equal(chmod("/tmp/postern-route.secret", 0600), 0);
	world_run(&d.w, HOUR);
	assert_int_equal(world_books(&d.w).delivered, 1);
	close_desk(&d);
}

static void a_smart_host_without_a_name_in_dns_defers(void **state)
{
	struct desk d;

	(void)state;
	open_apart(&d, "[out]\nhost = nowhere.test\ntls = never\ndomain = one.test\n");
	sends(&d, "u@one.test");
	assert_int_equal(world_books(&d.w).bounced, 0);
	assert_int_equal(world_books(&d.w).deferred_attempts, 1);
	resolver_sim_set("nowhere.test", DNS_A, 5, SMART);
	world_run(&d.w, HOUR);
	assert_int_equal(world_books(&d.w).delivered, 1);
	close_desk(&d);
}

/* ---- what is shown ----------------------------------------------------------------------- */

struct counted {
	char name[256], site[256];
	unsigned n, names;
};

static void note_count(void *arg, const struct inspect_count *c)
{
	struct counted *to = arg;

	to->names++;
	if (!slice_eq(c->name, slice_str(to->name)))
		return;
	slice_copy(to->site, sizeof(to->site), c->site);
	to->n += (unsigned)(c->ready + c->deferred + c->held + c->in_flight + c->routing);
}

static struct counted counted(struct desk *d, enum inspect_by by, const char *name)
{
	struct inspect_counts *c = inspect_counts_new(engine_lane(d->w.engine, 0), by);
	struct counted to = { .n = 0 };

	slice_copy(to.name, sizeof(to.name), slice_str(name));
	while (inspect_counts_go(c))
		;
	while (inspect_counts_each(c, 1, note_count, &to))
		;
	inspect_counts_free(c);
	return to;
}

static int note_reason(void *arg, const struct why_reason *r)
{
	buf_putf(arg, "%s: %s\n", r->kind, r->text);
	return 0;
}

static void says(struct desk *d, const char *selector, const char *words)
{
	struct buf out = { 0 };

	(void)world_why(&d->w, selector, note_reason, &out);
	if (!strstr(buf_cstr(&out), words))
		fail_msg("no \"%s\" in %s", words, buf_cstr(&out));
	buf_free(&out);
}

static const char defers[] = "say 220 mx.test\nreply RCPT 451 4.7.1 later\nserve\n";

static void counts_and_reasons_name_the_next_hop(void **state UNUSED)
{
	char id[ID_TEXT_MAX], job[ID_TEXT_MAX + 8];
	const char *one = "u@one.test";
	struct desk d;

	open_desk(&d, PLAIN("tenant = 7"), defers);
	world_host("127.0.1.1", defers);
	world_host("127.0.1.2", defers);
	d.w.tenant = 7;
	sends(&d, "u@two.test");
	(void)snprintf(job, sizeof(job), "job/%s",
		       id_format(world_submit(&d.w, &one, 1, DAY, "control", 0), id));
	world_run(&d.w, MINUTE);
	d.w.tenant = 1;
	sends(&d, "u@one.test");
	assert_int_equal(counted(&d, INSPECT_SITE, "smart host out").n, 2);
	assert_int_equal(counted(&d, INSPECT_SITE, "mx1.test").n, 1);
	assert_int_equal(counted(&d, INSPECT_SITE, "").names, 2);
	assert_string_equal(counted(&d, INSPECT_DOMAIN, "two.test").site, "smart host out");
	assert_string_equal(counted(&d, INSPECT_DOMAIN, "one.test").site,
			    "mx1.test, smart host out");
	assert_int_equal(counted(&d, INSPECT_DOMAIN, "one.test").n, 2);
	says(&d, job, "route: its mail goes to smart.test by the route out");
	close_desk(&d);
}

static void a_smart_host_that_cannot_be_used_is_the_reason(void **state UNUSED)
{
	struct desk d;

	open_desk(&d, PLAIN("domain = one.test"), "refuse\n");
	sends(&d, "u@one.test");
	says(&d, "recipient/u@one.test age<1h", "smart host");
	assert_true(counted(&d, INSPECT_SITE, "smart host out").n == 1);
	close_desk(&d);
}

/* ---- orders and selectors ------------------------------------------------------------------ */

static bool count_one(void *arg, rcpt_ref ref UNUSED)
{
	++*(unsigned *)arg;
	return true;
}

static unsigned found(struct desk *d, const char *what)
{
	struct selector s;
	struct walk *walk;
	unsigned n = 0;

	assert_int_equal(selector_parse(slice_str(what), &s), 0);
	walk = walk_new(engine_lane(d->w.engine, 0), &s);
	assert_false(walk_go(walk, INT32_MAX, count_one, &n));
	walk_free(walk);
	return n;
}

/* Tenant 7's mail goes over the smart host, whose host is a provider's; the other's to mx1.test,
 * which is another's. */
static void open_both_ways(struct desk *d)
{
	char shapes[128], config[700];

	open_desk(d, PLAIN("tenant = 7"), "say 220 smart.test\nreply RCPT 452 4.2.2 full\nserve\n");
	world_host("127.0.1.1", full);
	(void)snprintf(shapes, sizeof(shapes), "%s/shapes", d->dir);
	write_file(shapes,
		   "[provider carrier]\nmx = smart.test\n[provider direct]\nmx = mx1.test\n", 0644);
	(void)snprintf(config, sizeof(config), "%sshape.file = %s\n", d->config, shapes);
	world_reload(&d->w, config);
	(void)unlink(shapes);
	sends(d, "u@one.test");
	d->w.tenant = 7;
	sends(d, "u@one.test");
	sends(d, "v@one.test");
	assert_int_equal(world_books(&d->w).queued, 3);
}

static void selectors_go_by_where_mail_really_goes(void **state UNUSED)
{
	struct desk d;

	open_both_ways(&d);
	assert_int_equal(found(&d, "domain/one.test"), 3);
	assert_int_equal(found(&d, "site/mx1.test"), 1);
	assert_int_equal(found(&d, "site/\"smart host out\""), 2);
	assert_int_equal(found(&d, "provider/direct"), 1);
	assert_int_equal(found(&d, "provider/carrier"), 2);
	assert_int_equal(found(&d, "provider/carrier tenant/7"), 2);
	assert_int_equal(found(&d, "provider/direct tenant/7"), 0);
	assert_int_equal(counted(&d, INSPECT_PROVIDER, "carrier").n, 2);
	assert_int_equal(counted(&d, INSPECT_PROVIDER, "direct").n, 1);
	close_desk(&d);
}

static void orders_go_by_where_mail_really_goes(void **state UNUSED)
{
	struct desk d;

	open_both_ways(&d);
	world_rule(&d.w, "order/1", "kind hold\nwhat provider/direct\nauthor ann\nat_ms 13\n");
	world_host("127.0.1.1", decent);
	smart_host(587, smart);
	world_run(&d.w, HOUR);
	assert_int_equal(world_books(&d.w).delivered, 2); /* those of the carrier */
	world_rule(&d.w, "order/2",
		   "kind hold\nwhat site/\"smart host out\"\nauthor ann\nat_ms 13\n");
	sends(&d, "w@one.test");
	world_rule(&d.w, "order/1", "");
	world_run(&d.w, HOUR);
	assert_int_equal(world_books(&d.w).delivered, 3);
	assert_int_equal(world_books(&d.w).queued, 1);
	world_rule(&d.w, "order/3", "kind cancel\nwhat provider/carrier\nauthor ann\nat_ms 13\n");
	world_run(&d.w, MINUTE);
	assert_int_equal(world_books(&d.w).queued, 0);
	close_desk(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domains_mail_goes_to_its_smart_host),
		cmocka_unit_test(a_domain_needs_no_dns_for_that),
		cmocka_unit_test(a_tenants_mail_goes_to_its_smart_host),
		cmocka_unit_test(a_stream_or_a_pool_may_have_one_and_all_lists_count),
		cmocka_unit_test(a_reload_takes_a_route_away_and_brings_it_back),
		cmocka_unit_test(it_is_told_who_we_are),
		cmocka_unit_test(a_refusal_of_our_credentials_is_nobodys_bounce),
		cmocka_unit_test(the_address_is_not_blamed_for_it),
		cmocka_unit_test(credentials_that_others_can_read_stop_the_route),
		cmocka_unit_test(a_smart_host_without_a_name_in_dns_defers),
		cmocka_unit_test(counts_and_reasons_name_the_next_hop),
		cmocka_unit_test(a_smart_host_that_cannot_be_used_is_the_reason),
		cmocka_unit_test(selectors_go_by_where_mail_really_goes),
		cmocka_unit_test(orders_go_by_where_mail_really_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
