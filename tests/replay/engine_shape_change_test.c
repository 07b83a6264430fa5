/* Shapes that change while mail waits and connections are open: what was said before does not bind
 * any more, and what lanes share is given back. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/random.h"
#include "mta/site/pool.h"
#include "tests/replay/engine_world.h"

enum { CUSTOMERS = 6 };

static const char providers[] = "[provider big]\nmx = *.big.test\n";
static char file[64], config[1024];

static void write_shapes(const char *shapes)
{
	int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_in_range(fd, 0, 1 << 20);
	assert_int_equal(file_write_all(fd, slice_str(shapes)), 0);
	(void)close(fd);
}

static void customer(unsigned i, const char *script)
{
	char ip[32];

	(void)snprintf(ip, sizeof(ip), "127.0.2.%u", i);
	world_host(ip, script);
}

static void start(struct world *w, const char *more, const char *shapes, const char *script)
{
	int fd;

	(void)snprintf(file, sizeof(file), "/tmp/postern-shape.XXXXXX");
	fd = mkstemp(file);
	assert_in_range(fd, 0, 1 << 20);
	(void)close(fd);
	write_shapes(shapes);
	(void)snprintf(config, sizeof(config), CONFIG "shape.file = %s\n%s", file, more);
	world_start(w, config);
	world_names();
	world_host("127.0.1.1", script);
	world_host("127.0.1.2", script);
	for (unsigned i = 1; i <= CUSTOMERS; i++) {
		char domain[32], mx[32], ip[32];
		(void)snprintf(domain, sizeof(domain), "c%u.test", i);
		(void)snprintf(mx, sizeof(mx), "10 mx%u.big.test", i);
		(void)snprintf(ip, sizeof(ip), "127.0.2.%u", i);
		world_domain(domain, mx);
		resolver_sim_set(mx + 3, DNS_A, 5, ip);
		customer(i, script);
	}
}

static void end(struct world *w)
{
	world_end(w);
	(void)unlink(file);
}

static void submit(struct world *w, unsigned n, const char *rcpt, uint64_t campaign)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, &rcpt, 1, 3 * DAY, "control", campaign);
}

static unsigned arrived(uint64_t campaign)
{
	char subject[32];
	int n = snprintf(subject, sizeof(subject), "Subject: %u\r\n", (unsigned)campaign);
	unsigned found = 0;

	for (unsigned i = 0; i < conn_sim_messages(); i++)
		if (memmem(conn_sim_message(i).p, conn_sim_message(i).n, subject, (size_t)n))
			found++;
	return found;
}

/* ---- what lanes share -------------------------------------------------------------------- */

static struct sites *sites(struct world *w)
{
	return sites_of(engine_lane(w->engine, 0));
}

static struct site_limits *shared(struct world *w, const char *name)
{
	return limits_site(sites(w)->limits, slice_str(name));
}

static void is_given_back(const struct site_limits *s)
{
	if (s->connections || s->leaving || s->pools || s->starved || s->pacing)
		fail_msg("%s: connections %d, pools %d, starved %d, pacing %d", s->name,
			 s->connections, s->pools, s->starved, s->pacing);
}

static void all_is_given_back(struct world *w)
{
	static const char *const names[] = { "provider big", "provider one", "provider two" };
	struct sites *s = sites(w);
	struct map_link *l;
	size_t pos = 0;

	world_run(w, HOUR); /* idle connections end */
	for (l = map_next(&s->map, &pos, NULL); l; l = map_next(&s->map, &pos, l))
		is_given_back(container_of(l, struct site, link)->shared);
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		is_given_back(shared(w, names[i]));
	assert_int_equal(s->n_channels, 0);
}

static void is_not_negative(const struct site_limits *s)
{
	if (s->connections < 0 || s->leaving < 0 || s->leaving > s->connections || s->pools < 0 ||
	    s->starved < 0 || s->pacing < 0)
		fail_msg("%s: connections %d, leaving %d, pools %d, starved %d, pacing %d", s->name,
			 s->connections, s->leaving, s->pools, s->starved, s->pacing);
}

static void is_never_negative(struct world *w)
{
	struct sites *s = sites(w);
	struct map_link *l;
	struct pool *p;
	size_t pos = 0;
	int channels = 0;

	for (l = map_next(&s->map, &pos, NULL); l; l = map_next(&s->map, &pos, l)) {
		struct site *site = container_of(l, struct site, link);
		is_not_negative(site->shared);
		if (site->provider)
			is_not_negative(site->provider);
		list_each(&site->pools, p, struct pool, link) {
			is_not_negative(p->shared);
			channels += (int)p->n_channels;
		}
	}
	assert_int_equal(channels, s->n_channels);
}

static const char slow[] = "say 220 mx.test\nslow 100 10\nserve\n";

static void a_site_that_pauses_does_not_stand_at_the_door_of_its_provider(void **state)
{
	struct world w;
	char without[1024];

	(void)state;
	start(&w, "egress.sources = default 127.0.0.2 a.test, warm 127.0.0.3 b.test\n",
	      "[provider big]\nmx = *.big.test\nprovider.connections = 1\n", slow);
	(void)snprintf(without, sizeof(without),
		       CONFIG "shape.file = %s\negress.sources = default 127.0.0.2 a.test\n", file);
	submit(&w, 2000, "u@c1.test", 1);
	world_run(&w, SECOND);
	w.pool = "warm";
	submit(&w, 500, "u@c2.test", 2);
	world_run(&w, 20);
	assert_int_equal(shared(&w, "provider big")->starved, 1);
	world_reload(&w, without);
	world_run(&w, SECOND); /* less than its pause */
	assert_int_equal(shared(&w, "provider big")->starved, 0);
	end(&w);
}

static void a_site_waits_at_the_door_of_the_provider_that_it_has_now(void **state)
{
	struct world w;

	(void)state;
	start(&w, "site.messages = 100000\n",
	      "[provider one]\nmx = mx1.*, mx2.*\nprovider.connections = 1\n"
	      "[provider two]\nmx = mx3.*\nprovider.connections = 1\n",
	      slow);
	submit(&w, 3000, "u@c1.test", 1);
	submit(&w, 3000, "u@c3.test", 3);
	world_run(&w, SECOND);
	submit(&w, 5, "u@c2.test", 2);
	world_run(&w, 20);
	assert_int_equal(shared(&w, "provider one")->starved, 1);
	assert_int_equal(shared(&w, "provider two")->starved, 0);
	write_shapes("[provider one]\nmx = mx1.*\nprovider.connections = 1\n"
		     "[provider two]\nmx = mx2.*, mx3.*\nprovider.connections = 1\n");
	world_reload(&w, config);
	world_run(&w, 20);
	assert_int_equal(shared(&w, "provider one")->starved, 0);
	assert_int_equal(shared(&w, "provider two")->starved, 1);
	world_run(&w, MINUTE);
	assert_int_equal(arrived(2), 5);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 6005);
	all_is_given_back(&w);
	end(&w);
}

/* ---- pace -------------------------------------------------------------------------------- */

static void a_pace_that_was_slow_does_not_bind_when_it_is_fast_again(void **state)
{
	static const char *const keys[] = { "shape/provider big/rate",
					    "shape/provider big/provider.rate",
					    "shape/provider big/bytes",
					    "shape/provider big/provider.bytes" };
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
		start(&w, "", providers, decent);
		world_rule(&w, keys[i], i < 2 ? "1/d\nann" : "20/d\nann");
		submit(&w, 100, "u@c1.test", 1);
		world_run(&w, MINUTE);
		assert_in_range(arrived(1), 1, 2);
		world_rule(&w, keys[i], i < 2 ? "100/s\nann" : "20K/s\nann");
		world_run(&w, 5 * SECOND);
		assert_int_equal(arrived(1), 100);
		end(&w);
	}
}

static void a_pace_of_one_pool_does_not_hold_up_another(void **state)
{
	static const char *const keys[] = { "rate", "provider.rate", "bytes", "provider.bytes" };
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
		char shapes[256];
		(void)snprintf(shapes, sizeof(shapes),
			       "%s%s = %s\n[provider big pool warm]\n%s = %s\n", providers, keys[i],
			       i < 2 ? "6000/m" : "100K/s", keys[i], i < 2 ? "500/d" : "5K/h");
		start(&w, "egress.sources = default 127.0.0.2 a.test, warm 127.0.0.3 b.test\n",
		      shapes, decent);
		w.pool = "warm";
		submit(&w, 20, "u@c1.test", 1);
		world_run(&w, SECOND);
		w.pool = NULL;
		submit(&w, 100, "u@c1.test", 2);
		world_run(&w, 5 * SECOND);
		assert_int_equal(arrived(2), 100);
		assert_in_range(arrived(1), 1, 3);
		end(&w);
	}
}

static void a_slow_pace_opens_no_connections_for_nothing(void **state)
{
	static const char *const keys[] = { "rate = 20/h", "provider.rate = 20/h" };
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
		char shapes[256];
		(void)snprintf(shapes, sizeof(shapes), "%s%s\n", providers, keys[i]);
		start(&w, "", shapes, decent);
		submit(&w, 100, "u@c1.test", 1);
		world_run(&w, HOUR);
		assert_in_range(arrived(1), 19, 22);
		assert_in_range(conn_sim_opened(), 1, 25);
		end(&w);
	}
}

/* ---- connections ------------------------------------------------------------------------- */

static void connections_beyond_a_lowered_number_end_after_what_they_have_in_hand(void **state)
{
	static const char *const keys[] = { "shape/provider big/connections",
					    "shape/provider big/provider.connections" };
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
		start(&w, "site.messages = 100000\n",
		      "[provider big]\nmx = *.big.test\nconnections = 20\nconnections.start = 20\n"
		      "idle = 5s\n",
		      slow);
		submit(&w, 20000, "u@c1.test", 1);
		world_run(&w, 2 * SECOND);
		assert_in_range(conn_sim_live(), 15, 20);
		world_rule(&w, keys[i], "3\nann");
		world_run(&w, SECOND);
		assert_in_range(conn_sim_live(), 1, 3);
		world_rule(&w, keys[i], "1\nann");
		world_run(&w, SECOND);
		assert_int_equal(conn_sim_live(), 1);
		world_submit_as(&w, CLASS_TRANSACTIONAL, (const char *[]){ "u@c1.test" }, 1, DAY,
				"control", 2);
		world_run(&w, 2 * SECOND);
		assert_int_equal(arrived(2), 1);
		world_rule(&w, keys[i], "");
		world_run(&w, HOUR);
		assert_int_equal(world_books(&w).delivered, 20001);
		all_is_given_back(&w);
		end(&w);
	}
}

static void transactional_mail_opens_no_connections_for_nothing_while_others_wait(void **state)
{
	struct world w;

	(void)state;
	start(&w, "egress.sources = default 127.0.0.2 a.test, warm 127.0.0.3 b.test\n",
	      "[default]\nconnections = 4\nconnections.start = 4\nmessages = 3\nidle = 0s\n", slow);
	for (unsigned i = 0; i < 300; i++) {
		w.pool = i % 2 ? "warm" : NULL;
		world_submit_as(&w, i % 4 < 2 ? CLASS_TRANSACTIONAL : CLASS_BULK,
				(const char *[]){ "u@c1.test" }, 1, DAY, "control", 1);
		if (i % 50 == 0)
			world_run(&w, 100);
	}
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 300);
	assert_in_range(conn_sim_opened(), 100, 300); /* each carries one at least */
	end(&w);
}

static void open_connections_of_a_source_heed_a_new_shape(void **state)
{
	struct world w;

	(void)state;
	start(&w, "egress.sources = default 127.0.0.2 a.test\nsite.connections = 1\n",
	      "[provider big]\nmx = *.big.test\n[provider big source 127.0.0.2]\n"
	      "messages = 100000\nidle = 2m\n",
	      slow);
	submit(&w, 1000, "u@c1.test", 1);
	world_run(&w, SECOND);
	assert_int_equal(conn_sim_opened(), 1);
	world_rule(&w, "shape/provider big source 127.0.0.2/messages", "10\nann");
	world_run(&w, HOUR);
	assert_int_equal(arrived(1), 1000);
	assert_in_range(conn_sim_opened(), 80, 110);
	end(&w);
}

/* ---- domains ----------------------------------------------------------------------------- */

static void mail_that_waits_follows_a_section_of_its_domain(void **state)
{
	struct world w;

	(void)state;
	start(&w, "", "[site mx1.test]\nrate = 10/s\n", decent);
	submit(&w, 300, "u@one.test", 1);
	world_run(&w, SECOND);
	world_rule(&w, "shape/domain one.test/rate", "1/s\nann");
	world_run(&w, 10 * SECOND);
	assert_in_range(arrived(1), 15, 40);
	world_rule(&w, "shape/domain one.test/rate", "");
	world_run(&w, 30 * SECOND);
	assert_int_equal(arrived(1), 300);
	all_is_given_back(&w);
	end(&w);
}

static void a_site_belongs_to_the_provider_of_the_host_that_is_best_now(void **state)
{
	struct world w;

	(void)state;
	start(&w, "", "[provider one]\nmx = mx1.test\n[provider two]\nmx = mx2.test\nrate = 1/s\n",
	      decent);
	submit(&w, 100, "u@two.test", 1);
	world_run(&w, 10 * SECOND);
	assert_int_equal(arrived(1), 100);
	world_domain("two.test", "20 mx1.test,10 mx2.test");
	world_run(&w, 2 * HOUR);
	submit(&w, 1, "u@two.test", 2); /* its route is asked for again */
	world_run(&w, 10 * SECOND);
	submit(&w, 100, "u@two.test", 3);
	world_run(&w, 10 * SECOND);
	assert_in_range(arrived(3), 5, 15);
	end(&w);
}

/* ---- chance ------------------------------------------------------------------------------ */

static const char *const orders[] = {
	"provider big/connections = 1,2,7,20",
	"provider big/connections.kept = 0,1,3",
	"provider big/connections.per_source = 1,2,5",
	"provider big/provider.connections = 1,2,4,9,100",
	"provider big/provider.rate = 1/d,20/h,50/s,none",
	"provider big/provider.bytes = 1K/h,100K/s,none",
	"provider big/rate = 1/d,5/s,300/s",
	"provider big/messages = 1,3,1000",
	"provider big/idle = 0s,100ms,1m",
	"provider one/provider.connections = 1,3",
	"provider two/provider.connections = 1,3",
	"provider big pool warm/connections = 1,2",
	"provider big pool warm/provider.connections = 1,2",
	"provider big pool warm/rate = 100/d,10/s",
	"provider big source 127.0.0.2/connections.per_source = 1,2",
	"provider big source 127.0.0.2/messages = 1,5",
	"domain c1.test/connections = 1,4",
	"domain c2.test/rate = 1/h,20/s",
	"domain *.test/messages = 2,50",
	"site *.big.test/connections = 1,3,11",
	"site mx1.test/rate = 1/d,10/s",
	"default/connections = 1,2,10",
	"default/connections.start = 1,8",
	"default tenant 7/retry = 1m",
};
static const char *const files[] = {
	"[provider big]\nmx = *.big.test\n",
	"[provider one]\nmx = mx1.*, mx2.*\nprovider.connections = 2\n"
	"[provider two]\nmx = mx3.*, mx4.*\n[provider big]\nmx = *.big.test\n",
	"[provider two]\ndomain = c1.test, one.test\nprovider.connections = 1\n"
	"[provider one]\nmx = *.test\nprovider.rate = 100/s\n[provider big]\n",
	"[provider big]\n",
};
static const char *const sources[] = {
	"",
	"egress.sources = default 127.0.0.2 a.test, warm 127.0.0.3 b.test\n",
	"egress.sources = default 127.0.0.2 a.test, default 127.0.0.3 b.test weight=3\n",
	"egress.sources = warm 127.0.0.2 a.test, warm 127.0.0.4 b.test\nsite.connections = 3\n",
	"lane.sessions = 3\nsource.connections = 2\n",
};

static unsigned below(unsigned n)
{
	return (unsigned)random_below(n);
}

/* One of the values of an order, or none. */
static void give_order(struct world *w, unsigned i, bool back)
{
	struct slice key, values, value = SLICE("");
	char rule[128], text[64];
	unsigned n = below(5);

	assert_true(slice_cut(slice_str(orders[i]), '=', &key, &values));
	while (n-- && values.n)
		value = slice_trim(slice_take(&values, ','));
	key = slice_trim(key);
	(void)snprintf(rule, sizeof(rule), "shape/%.*s", (int)key.n, key.p);
	(void)snprintf(text, sizeof(text), "%.*s\nann", (int)value.n, value.p);
	world_rule(w, rule, back || !value.n ? "" : text);
}

static void reload(struct world *w, unsigned shapes, unsigned source)
{
	write_shapes(files[shapes]);
	(void)snprintf(config, sizeof(config), CONFIG "shape.file = %s\n%s", file, sources[source]);
	world_reload(w, config);
}

static void some_mail(struct world *w)
{
	static const char *const rcpts[] = { "u@c1.test", "u@c2.test",  "u@c3.test", "u@c4.test",
					     "u@c5.test", "u@one.test", "u@two.test" };
	enum job_class class = below(8) ? CLASS_BULK : CLASS_TRANSACTIONAL;

	w->pool = below(3) ? NULL : "warm";
	w->tenant = below(2) ? 1 : 7;
	for (unsigned n = below(30); n; n--)
		world_submit_as(w, class, &rcpts[below(ARRAY_LEN(rcpts))], 1, 25 * DAY, "control",
				1);
}

static void some_weather(void)
{
	static const char *const scripts[] = { decent,
					       slow,
					       slow,
					       "refuse",
					       "no-connect",
					       "say 421 4.3.2 not now\nclose\n",
					       "say 220 mx.test\nserve 2\n",
					       full };

	customer(1 + below(CUSTOMERS), scripts[below(ARRAY_LEN(scripts))]);
	if (!below(10))
		world_host("127.0.1.1", scripts[below(ARRAY_LEN(scripts))]);
	if (!below(10))
		conn_sim_address(SLICE("127.0.0.2"), below(2));
}

static void undo_all(struct world *w)
{
	for (unsigned i = 0; i < ARRAY_LEN(orders); i++)
		give_order(w, i, true);
	for (unsigned i = 1; i <= CUSTOMERS; i++)
		customer(i, decent);
	world_host("127.0.1.1", decent);
	world_host("127.0.1.2", decent);
	conn_sim_address(SLICE("127.0.0.2"), true);
	reload(w, 0, 1);
}

static void after_any_orders_and_reloads_all_is_delivered_and_given_back(void **state)
{
	const char *seeds = getenv("POSTERN_TEST_SEEDS");
	unsigned n = seeds ? (unsigned)atoi(seeds) : 12;
	struct world w;

	(void)state;
	for (unsigned seed = 1; seed <= n; seed++) {
		start(&w, "", files[0], slow);
		random_sim_seed(seed);
		for (unsigned i = 0; i < 300; i++) {
			unsigned what = below(10);
			if (what < 4)
				give_order(&w, below(ARRAY_LEN(orders)), false);
			else if (what < 5)
				reload(&w, below(ARRAY_LEN(files)), below(ARRAY_LEN(sources)));
			else if (what < 8)
				some_mail(&w);
			else
				some_weather();
			world_run(&w, below(4) ? below(300) : below(5 * MINUTE));
			is_never_negative(&w);
		}
		undo_all(&w);
		world_run(&w, DAY);
		if (world_books(&w).queued)
			fail_msg("seed %u: %u wait", seed, (unsigned)world_books(&w).queued);
		assert_int_equal(world_books(&w).delivered, world_books(&w).accepted);
		all_is_given_back(&w);
		end(&w);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_site_that_pauses_does_not_stand_at_the_door_of_its_provider),
		cmocka_unit_test(a_site_waits_at_the_door_of_the_provider_that_it_has_now),
		cmocka_unit_test(a_pace_that_was_slow_does_not_bind_when_it_is_fast_again),
		cmocka_unit_test(a_slow_pace_opens_no_connections_for_nothing),
		cmocka_unit_test(a_pace_of_one_pool_does_not_hold_up_another),
		cmocka_unit_test(
		    connections_beyond_a_lowered_number_end_after_what_they_have_in_hand),
		cmocka_unit_test(
		    transactional_mail_opens_no_connections_for_nothing_while_others_wait),
		cmocka_unit_test(open_connections_of_a_source_heed_a_new_shape),
		cmocka_unit_test(mail_that_waits_follows_a_section_of_its_domain),
		cmocka_unit_test(a_site_belongs_to_the_provider_of_the_host_that_is_best_now),
		cmocka_unit_test(after_any_orders_and_reloads_all_is_delivered_and_given_back),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("engine_shape_change", tests, NULL, NULL);
}
