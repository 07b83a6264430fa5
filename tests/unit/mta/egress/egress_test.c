/* Unit test of mta/egress/egress.h: names of pools, and sources in turn. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/config/host.h"
#include "mta/core/engine_run.h"
#include "mta/core/lane_int.h"
#include "mta/egress/egress.h"

static const struct part *const parts[] = { &egress_part };
static const struct option_set *const sets[] = { &host_option_set, &core_option_set,
						 &egress_option_set };

/* The loop under a lane: nothing ever happens on it. */
void lane_loop_open(struct lane *l)
{
	l->loop = (struct loop){ .timers = timers_new(0) };
	list_init(&l->loop.turn_end);
}
void lane_loop_wake(struct lane *l)
{
	(void)l;
}
void lane_loop_run(struct lane *l)
{
	(void)l;
}
void lane_loop_stop(struct lane *l)
{
	(void)l;
}
void lane_loop_close(struct lane *l)
{
	l->loop.timers = timers_free(l->loop.timers);
}

/* The machine: it has all addresses but one. */
static const char *missing = "";

int conn_source_check(const struct ip *source)
{
	char text[IP_TEXT_MAX];

	return strcmp(ip_format(source, text), missing) == 0 ? -EADDRNOTAVAIL : 0;
}

/* No proxy is talked to here. */
int conn_open(struct conn **ret, struct loop *l, const struct conn_target *to, struct conn_user *u)
{
	(void)ret, (void)l, (void)to, (void)u;
	return -ECONNREFUSED;
}
int conn_write(struct conn *c, struct slice s)
{
	(void)c, (void)s;
	return 0;
}
struct slice conn_input(struct conn *c)
{
	(void)c;
	return SLICE("");
}
void conn_consume(struct conn *c, size_t n)
{
	(void)c, (void)n;
}
bool conn_eof(const struct conn *c)
{
	(void)c;
	return false;
}
struct conn *conn_free(struct conn *c)
{
	(void)c;
	return NULL;
}

struct one {
	struct engine *engine;
	struct egress *egress;
	char dir[64];
};

static void one_begin(struct one *o, const char *config)
{
	struct spool_options so = { .dir = o->dir, .segment_bytes = 1 << 20, .clean_ratio = 300 };
	char error[OPTION_ERROR_MAX];
	const char *what;
	struct settings *s;
	struct spool *sp;

	(void)snprintf(o->dir, sizeof(o->dir), "/tmp/postern-egress.XXXXXX");
	assert_non_null(mkdtemp(o->dir));
	assert_int_equal(
	    0, settings_parse(&s, sets, ARRAY_LEN(sets), slice_str(config), "test", error));
	assert_int_equal(0, spool_open(&sp, &so));
	assert_int_equal(0, engine_new(&o->engine, s, sp, parts, ARRAY_LEN(parts), false));
	assert_int_equal(0, engine_start(o->engine, &what));
	o->egress = egress_of(engine_lane(o->engine, 0));
}

static void one_end(struct one *o)
{
	char command[128];

	engine_free(o->engine);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", o->dir);
	assert_int_equal(0, system(command));
}

static void one_first(struct one *o, unsigned pool, char *name, size_t cap)
{
	struct turns t = { 0 };

	assert_true(egress_begin_turns(o->egress, pool, pool, &t));
	(void)snprintf(name, cap, "%s", t.at[turns_first(&t)].entry->ehlo);
	turns_end(&t);
}

static void sites_begin_at_the_sources_of_a_pool_in_turn_and_by_weight(void **state)
{
	unsigned x = 0, z = 0, a;
	struct one o;
	char name[64];

	(void)state;
	one_begin(&o, "lanes = 1\negress.sources = a 192.0.2.1 x.test, b 192.0.2.2 y.test, "
		      "a 192.0.2.3 z.test weight=3\n");
	a = egress_pool(o.egress, SLICE("a"));
	for (unsigned i = 0; i < 40; i++) {
		one_first(&o, a, name, sizeof(name));
		x += !strcmp(name, "x.test");
		z += !strcmp(name, "z.test");
	}
	assert_int_equal(x, 10);
	assert_int_equal(z, 30);
	assert_int_equal(a, egress_pool(o.egress, SLICE("a")));
	assert_string_equal("a", egress_pool_name(o.egress, a));
	assert_int_equal(egress_pool(o.egress, SLICE("")), egress_pool(o.egress, SLICE("default")));
	one_end(&o);
}

static void a_source_of_weight_zero_is_not_used(void **state)
{
	struct turns t = { 0 };
	struct one o;
	unsigned pool;

	(void)state;
	one_begin(&o, "lanes = 1\negress.sources = a 192.0.2.1 x.test weight=0\n");
	pool = egress_pool(o.egress, SLICE("a"));
	assert_false(egress_begin_turns(o.egress, pool, pool, &t));
	one_end(&o);
}

static void a_pool_that_is_not_configured_has_no_source_and_says_so(void **state)
{
	struct turns t = { 0 };
	struct one o;
	unsigned pool;
	char text[160];

	(void)state;
	one_begin(&o, "lanes = 1\n");
	pool = egress_pool(o.egress, SLICE("nowhere"));
	assert_false(egress_begin_turns(o.egress, pool, pool, &t));
	egress_no_source(o.egress, pool, text, sizeof(text));
	assert_string_equal("egress.sources has no source for pool \"nowhere\"", text);
	one_end(&o);
}

static void names_past_the_limit_never_share_another_pools_sources(void **state)
{
	struct turns t = { 0 };
	struct one o;
	char name[32], text[160];

	(void)state;
	one_begin(&o,
		  "lanes = 1\negress.sources = p4095 192.0.2.1 x.test, late 192.0.2.2 y.test\n");
	for (unsigned i = 0; i < POOLS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "p%u", i);
		assert_int_equal(i, egress_pool(o.egress, slice_str(name)));
	}
	assert_true(egress_begin_turns(o.egress, POOLS_MAX - 1, POOLS_MAX - 1, &t));
	turns_end(&t);
	assert_int_equal(EGRESS_SURPLUS, egress_pool(o.egress, SLICE("late")));
	assert_false(egress_begin_turns(o.egress, EGRESS_SURPLUS, EGRESS_SURPLUS, &t));
	egress_no_source(o.egress, EGRESS_SURPLUS, text, sizeof(text));
	assert_string_equal("queued mail names more than 4096 pools", text);
	one_end(&o);
}

/* ---- what an operator is told ------------------------------------------------------------ */

struct told {
	char text[4096];
	unsigned n;
};

static void note(void *arg, const char *text)
{
	struct told *t = arg;
	size_t n = strlen(t->text);

	(void)snprintf(t->text + n, sizeof(t->text) - n, "%s\n", text);
	t->n++;
}

static void check(const char *config, bool ipv4, bool ipv6, struct told *t)
{
	char error[OPTION_ERROR_MAX];
	struct settings *s;

	*t = (struct told){ 0 };
	assert_int_equal(
	    0, settings_parse(&s, sets, ARRAY_LEN(sets), slice_str(config), "test", error));
	egress_check(settings_of(s, &egress_option_set), ipv4, ipv6, note, t);
	settings_free(s);
}

static void told_once(const char *config, bool ipv6, const char *words)
{
	struct told t;

	check(config, true, ipv6, &t);
	if (t.n != 1 || !strstr(t.text, words))
		fail_msg("%s -> %s", config, t.text);
}

#define DEFAULT "egress.sources = default 192.0.2.1 x.test\n"

static void what_an_operator_should_know_of_sources_is_told(void **state)
{
	struct told t;

	(void)state;
	check("", true, true, &t);
	assert_int_equal(t.n, 0);
	check(DEFAULT, true, true, &t);
	assert_int_equal(t.n, 0);
	check(DEFAULT "egress.sources = a 192.0.2.2 x.test weight=3, a 2001:db8::2 x.test\n", true,
	      true, &t);
	assert_int_equal(t.n, 0);
	told_once("egress.sources = a 192.0.2.1 x.test\n", true, "names no pool");
	told_once(DEFAULT "egress.sources = a 192.0.2.2 x.test weight=0\n", true,
		  "no mail can leave from pool a: every source of it has weight=0");
	told_once(DEFAULT "egress.sources = a 2001:db8::2 x.test\n", true, "no IPv4 source");
	told_once(DEFAULT "egress.sources = a * x.test, a 192.0.2.3 x.test\n", true, "has *");
	told_once(DEFAULT "egress.sources = a 192.0.2.1 y.test\n", true,
		  "greets as x.test in pool default and as y.test in pool a");
	told_once(DEFAULT "egress.sources = default 192.0.2.1 x.test\n", true, "twice");
	told_once(DEFAULT "egress.sources = default 2001:db8::2 x.test\n", false,
		  "never used: dns.ipv6 is no");
}

static void an_address_that_is_not_on_the_machine_is_told(void **state)
{
	struct told t;

	(void)state;
	missing = "192.0.2.1";
	check(DEFAULT, true, true, &t);
	missing = "";
	assert_int_equal(t.n, 2);
	assert_non_null(strstr(t.text, "source 192.0.2.1 of pool default cannot be used: "));
	assert_non_null(strstr(t.text, "none of its addresses can be used"));
}

static void a_source_that_is_not_one_is_refused(void **state)
{
	static const char *const wrong[] = {
		"a 192.0.2.1 x.test weight=1001",       "a 192.0.2.1 x.test weight=",
		"a 192.0.2.1 x.test weight=-1",         "a 192.0.2.1 x.test 3",
		"a 192.0.2.1 x.test weight=3 weight=4", "a 192.0.2.1 <x>"
	};
	char config[128], error[OPTION_ERROR_MAX];
	struct settings *s;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
		(void)snprintf(config, sizeof(config), "egress.sources = %s\n", wrong[i]);
		assert_int_equal(E_SYNTAX, settings_parse(&s, sets, ARRAY_LEN(sets),
							  slice_str(config), "test", error));
	}
}

static void refused(const char *config)
{
	char error[OPTION_ERROR_MAX];
	struct settings *s;

	assert_int_equal(
	    settings_parse(&s, sets, ARRAY_LEN(sets), slice_str(config), "test", error), E_SYNTAX);
	assert_non_null(strstr(error, "pool.fallback"));
}

static void chains_of_fallbacks_that_lead_back_are_refused(void **state)
{
	struct told t;

	(void)state;
	check(DEFAULT "pool.fallback = a b, b c, d c\n", true, true, &t);
	refused("pool.fallback = a a\n");
	refused("pool.fallback = a b, b a\n");
	refused("pool.fallback = a b, b c, c a\n");
	refused("pool.fallback = a b, a c\n");
	refused("pool.fallback = a\n");
	refused("pool.fallback = a b c\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sites_begin_at_the_sources_of_a_pool_in_turn_and_by_weight),
		cmocka_unit_test(a_source_of_weight_zero_is_not_used),
		cmocka_unit_test(a_pool_that_is_not_configured_has_no_source_and_says_so),
		cmocka_unit_test(names_past_the_limit_never_share_another_pools_sources),
		cmocka_unit_test(what_an_operator_should_know_of_sources_is_told),
		cmocka_unit_test(an_address_that_is_not_on_the_machine_is_told),
		cmocka_unit_test(a_source_that_is_not_one_is_refused),
		cmocka_unit_test(chains_of_fallbacks_that_lead_back_are_refused),
	};

	return cmocka_run_group_tests_name("mta_egress", tests, NULL, NULL);
}
