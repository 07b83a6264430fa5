/* Unit test of mta/shape: files read, providers found, values resolved and explained. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/shape/builtin.h"
#include "mta/shape/shapes.h"
#include "tests/unit/mta/shape/written.h"

static const struct slice nobody_mx[] = { { "mx.example.net", 14 } };
static const struct slice office_mx[] = { { "acme-com.mail.protection.outlook.com", 36 } };

static struct shape_subject subject(const char *domain, const struct slice *mx)
{
	return (struct shape_subject){ .domain = slice_str(domain), .mx = mx, .n_mx = 1 };
}

static struct shapes *parsed(const char *text)
{
	char error[OPTION_ERROR_MAX] = "";
	struct shapes *s = shapes_new();
	int r = shapes_parse(s, slice_str(text), "a.conf", error);

	if (r < 0)
		fail_msg("%s", error);
	return s;
}

static void refused(const char *text, const char *with)
{
	char error[OPTION_ERROR_MAX] = "";
	OWNED(shapes) s = shapes_new();

	assert_int_equal(shapes_parse(s, slice_str(text), "a.conf", error), E_SYNTAX);
	if (strcmp(error, with) != 0)
		fail_msg("\"%s\" is refused with \"%s\"", text, error);
}

static int64_t value(const struct shapes *s, const struct shape_subject *q, enum shape_key key)
{
	struct shape base = { .v = { [SHAPE_CONNECTIONS] = 20 } }, got;

	shapes_resolve(s, q, &base, &got);
	return got.v[key];
}

static void the_narrowest_section_holds(void **state)
{
	OWNED(shapes)
	s = parsed("[domain b.test]\nconnections = 4\n"
		   "[default]\nconnections = 9\n"
		   "[provider p]\nmx = mx.example.net\nconnections = 8\n"
		   "[site *.example.net]\nconnections = 6\n");
	struct shape_subject q = subject("b.test", nobody_mx);

	(void)state;
	assert_int_equal(value(s, &q, SHAPE_CONNECTIONS), 4);
	q.domain = SLICE("c.test");
	assert_int_equal(value(s, &q, SHAPE_CONNECTIONS), 6);
	q.mx = office_mx;
	assert_int_equal(value(s, &q, SHAPE_CONNECTIONS), 9);
}

static void narrowings_count_within_a_section_and_the_latest_of_equals(void **state)
{
	OWNED(shapes)
	s = parsed("[default tenant 7 pool warm]\nlife = 3h\n"
		   "[default tenant 7]\nlife = 2h\n"
		   "[default source 192.0.2.1]\nmessages = 5\n"
		   "[default]\nlife = 1h\nlife = 6m\n");
	struct shape_subject q = subject("b.test", nobody_mx);

	(void)state;
	assert_int_equal(value(s, &q, SHAPE_LIFE), 6 * 60000);
	q.tenant = 7;
	assert_int_equal(value(s, &q, SHAPE_LIFE), 2 * 3600000);
	q.pool = SLICE("warm");
	assert_int_equal(value(s, &q, SHAPE_LIFE), 3 * 3600000);
	assert_int_equal(value(s, &q, SHAPE_MESSAGES), 0);
	assert_int_equal(ip_parse(SLICE("192.0.2.1"), &q.source), 0);
	assert_int_equal(value(s, &q, SHAPE_MESSAGES), 5);
}

static void a_star_stands_for_any_run_of_characters(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool fits;
	} cases[] = {
		{ "*", "a", true },
		{ "a", "A", true },
		{ "a", "ab", false },
		{ "ab", "b", false },
		{ "a*", "a", true },
		{ "*a", "ba", true },
		{ "a*a", "a", false },
		{ "a*a", "aa", true },
		{ "ab*ba", "aba", false },
		{ "ab*ba", "abba", true },
		{ "*.b.test", "b.test", false },
		{ "*.b.test", "a.B.TEST", true },
		{ "*.b.test", ".b.test", true },
		{ "a**c", "abc", true },
		{ "*b*", "abc", true },
		{ "*b*", "acc", false },
		{ "*ab*ab", "xabab", true },
		{ "*ab*ab", "xaab", false },
		{ "a*b*c", "aXbXbXc", true },
		{ "a*b*c", "aXcXb", false },
	};
	char text[64];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		(void)snprintf(text, sizeof(text), "[domain %s]\nrate = 1/s\n", cases[i].pattern);
		OWNED(shapes) s = parsed(text);
		struct shape_subject q = subject(cases[i].text, nobody_mx);
		if ((value(s, &q, SHAPE_RATE) != 0) != cases[i].fits)
			fail_msg("%s and %s", cases[i].pattern, cases[i].text);
	}
}

static void what_all_sources_share_is_not_said_of_one_of_them(void **state)
{
	static const char *const lines[] = { "connections.start = 2",
					     "connections.kept = 1",
					     "adaptive.floor = 2",
					     "family = ipv6",
					     "life = 1h",
					     "retry = 1m" };
	char text[128], error[OPTION_ERROR_MAX];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		OWNED(shapes) s = shapes_new();
		(void)snprintf(text, sizeof(text), "[provider a pool warm source 192.0.2.1]\n%s\n",
			       lines[i]);
		assert_int_equal(shapes_parse(s, slice_str(text), "f", error), E_SYNTAX);
		assert_non_null(strstr(error, "f:2: "));
		assert_non_null(strstr(error, "all sources of a pool"));
	}
	OWNED(shapes) s = parsed("[provider a source 192.0.2.1]\nconnections.per_source = 2\n");
	assert_int_equal(shapes_asks(s), SHAPE_ASKS_SOURCE);
}

static int64_t own_limit(const struct shapes *s, const struct shape_subject *q, enum shape_owner of,
			 enum shape_key key)
{
	struct shape got;

	shapes_limits(s, q, of, &got);
	return got.v[key];
}

static void limits_of_a_tenant_or_a_source_are_its_own_beside_those_of_all(void **state)
{
	OWNED(shapes)
	s = parsed("[provider a]\nmx = mx.own.test\nrate = 100/s\nprovider.connections = 9\n"
		   "[default tenant 7]\nrate = 10/s\nconnections = 3\n"
		   "[provider a tenant 7]\nprovider.connections = 2\nbytes = 1M/s\nrate = none\n"
		   "[default source 192.0.2.1]\nrate = 5/s\n"
		   "[default source 192.0.2.1 pool warm]\nrate = 4/s\n");
	struct shape_subject q = subject("a.test", nobody_mx);

	(void)state;
	q.tenant = 7;
	assert_int_equal(ip_parse(SLICE("192.0.2.1"), &q.source), 0);
	assert_int_equal(value(s, &q, SHAPE_RATE), 0);
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_TENANT, SHAPE_RATE), 10 * 86400);
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_TENANT, SHAPE_CONNECTIONS), 3);
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_TENANT, SHAPE_BYTES), 0);
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_SOURCE, SHAPE_RATE), 5 * 86400);
	q.pool = SLICE("warm");
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_SOURCE, SHAPE_RATE), 4 * 86400);
	q.mx = (const struct slice[]){ SLICE("mx.own.test") };
	q.n_mx = 1;
	assert_int_equal(value(s, &q, SHAPE_RATE), 100 * 86400);
	assert_int_equal(value(s, &q, SHAPE_PROVIDER_CONNECTIONS), 9);
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_TENANT, SHAPE_PROVIDER_CONNECTIONS), 2);
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_TENANT, SHAPE_RATE),
			 0); /* none, of the narrower section */
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_TENANT, SHAPE_CONNECTIONS), 3);
	q.tenant = 8;
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_TENANT, SHAPE_CONNECTIONS), 0);
}

static void a_tenant_over_a_source_has_limits_and_the_narrowest_section_counts(void **state)
{
	OWNED(shapes)
	s = parsed("[provider a]\nmx = mx.own.test\n"
		   "[default tenant 7]\nrate = 10/s\n[default source 192.0.2.1]\nrate = 5/s\n"
		   "[default tenant 7 source 192.0.2.1]\nrate = 3/s\nconnections = 2\n"
		   "[default source 192.0.2.1 tenant 7 pool warm]\nrate = 2/s\n"
		   "[provider a tenant 7 source 192.0.2.1]\nprovider.bytes = 1M/s\nrate = 1/s\n"
		   "[default tenant 7 source 192.0.2.1]\nrate = 4/s\nrecipients = 3\n"
		   "[default tenant 7]\nrecipients = 9\n");
	struct shape_subject q = subject("a.test", nobody_mx);

	(void)state;
	assert_true(shapes_asks(s) & SHAPE_ASKS_BOTH);
	q.tenant = 7;
	assert_int_equal(value(s, &q, SHAPE_RECIPIENTS), 9);
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_BOTH, SHAPE_RATE), 0);
	assert_int_equal(ip_parse(SLICE("192.0.2.1"), &q.source), 0);
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_TENANT, SHAPE_RATE), 10 * 86400);
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_SOURCE, SHAPE_RATE), 5 * 86400);
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_BOTH, SHAPE_RATE), 4 * 86400); /* the latest */
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_BOTH, SHAPE_CONNECTIONS), 2);
	assert_int_equal(value(s, &q, SHAPE_RECIPIENTS), 3);
	assert_int_equal(value(s, &q, SHAPE_RATE), 0);
	q.pool = SLICE("warm");
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_BOTH, SHAPE_RATE), 2 * 86400);
	q.mx = (const struct slice[]){ SLICE("mx.own.test") };
	q.n_mx = 1; /* a provider goes before a pool */
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_BOTH, SHAPE_RATE), 1 * 86400);
	q.tenant = 8;
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_BOTH, SHAPE_RATE), 0);
	assert_int_equal(own_limit(s, &q, SHAPE_OWN_SOURCE, SHAPE_RATE), 5 * 86400);
}

static void what_narrows_most_counts(void **state)
{
	static const char *const narrowings[] = { "",
						  "pool warm",
						  "source 192.0.2.1",
						  "pool warm source 192.0.2.1",
						  "tenant 7",
						  "pool warm tenant 7",
						  "source 192.0.2.1 tenant 7",
						  "pool warm source 192.0.2.1 tenant 7" };
	struct shape_subject q = subject("a.test", nobody_mx);
	char text[2048] = "";

	(void)state;
	q.tenant = 7;
	q.pool = SLICE("warm");
	assert_int_equal(ip_parse(SLICE("192.0.2.1"), &q.source), 0);
	for (unsigned i = 0; i < ARRAY_LEN(narrowings); i++) {
		char before[2048];
		(void)snprintf(before, sizeof(before), "%s", text);
		/* Before those that it outranks, so that the order of the file does not decide. */
		(void)snprintf(text, sizeof(text), "[default %.60s]\nrecipients = %u\n%.1900s",
			       narrowings[i], i + 1, before);
		OWNED(shapes) s = parsed(text);
		assert_int_equal(value(s, &q, SHAPE_RECIPIENTS), i + 1);
	}
}

static void a_provider_is_known_by_a_domain_before_a_host(void **state)
{
	OWNED(shapes)
	s = parsed("[provider a]\nmx = mx.example.net\n[provider b]\ndomain = b.*, *.b.test\n");
	struct shape_subject q = subject("www.b.test", nobody_mx);

	(void)state;
	assert_string_equal(shapes_provider_name(s, shapes_provider(s, &q)), "b");
	q.domain = SLICE("xb.test");
	assert_string_equal(shapes_provider_name(s, shapes_provider(s, &q)), "a");
	q.n_mx = 0;
	assert_int_equal(shapes_provider(s, &q), SHAPE_NO_PROVIDER);
}

static void a_live_order_comes_after_the_files(void **state)
{
	OWNED(shapes) s = parsed("[provider gmail]\nmx = *.google.com\nrate = 10/s\n");
	static const struct slice mx[] = { { "aspmx.l.GOOGLE.com", 18 } };
	struct shape_subject q = subject("acme.test", mx);
	char error[OPTION_ERROR_MAX];

	(void)state;
	assert_int_equal(shapes_order(s, SLICE("provider gmail"), SLICE("rate"), SLICE("60/h"),
				      "ann at 12:00", error),
			 0);
	assert_int_equal(value(s, &q, SHAPE_RATE), 60 * 24);
	assert_int_equal(
	    shapes_order(s, SLICE("provider gmail"), SLICE("rate"), SLICE("fast"), "ann", error),
	    E_SYNTAX);
	assert_string_equal(error, "rate: \"fast\" is not a rate such as 100/s, 600/m, 20000/h, "
				   "100000/d, or none");
}

static const char *origin(const struct shapes *s, const struct shape *shape, enum shape_key key)
{
	static char text[300];
	struct buf out;

	buf_init(&out, 0);
	shapes_origin(s, shape->from[key], &out);
	slice_copy(text, sizeof(text), buf_data(&out));
	buf_free(&out);
	return text;
}

static void every_value_says_where_it_comes_from(void **state)
{
	OWNED(shapes)
	s = parsed("# mine\n[provider p tenant 3]\nlife = 5m # short\n[provider p]\n"
		   "domain = p.test\nmessages = 4\n");
	struct shape_subject q = subject("p.test", nobody_mx);
	struct shape base = { 0 }, got;
	char error[OPTION_ERROR_MAX];

	(void)state;
	q.tenant = 3;
	assert_int_equal(shapes_order(s, SLICE("domain p.test"), SLICE("tls"), SLICE("must"),
				      "ann at 12:00", error),
			 0);
	shapes_resolve(s, &q, &base, &got);
	assert_string_equal(origin(s, &got, SHAPE_LIFE), "a.conf:3 [provider p tenant 3]");
	assert_string_equal(origin(s, &got, SHAPE_MESSAGES), "a.conf:6 [provider p]");
	assert_string_equal(origin(s, &got, SHAPE_TLS), "order of ann at 12:00 [domain p.test]");
	assert_string_equal(origin(s, &got, SHAPE_IDLE), "the configuration");
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
	(void)state;
	refused("connections = 3",
		"a.conf:1: expected a section such as [default] before the first value");
	refused("[default]\nconections = 3", "a.conf:2: unknown key \"conections\"");
	refused("[default]\nconnections = 0",
		"a.conf:2: connections: must lie between 1 and 100000");
	refused("[default]\nrate = 0/s",
		"a.conf:2: rate: a rate of 0 sends nothing: use an order to "
		"hold, or none for no limit");
	refused("[default]\nprovider.rate = 5/s",
		"a.conf:2: provider.rate belongs to a section [provider NAME]");
	refused("[default tenant 4]\nmessages = 5", "a.conf:2: messages cannot depend on a tenant: "
						    "a connection carries the mail of several");
	refused("[provider p*]\n", "a.conf:1: the name of a provider cannot have a \"*\"");
	refused("[provider p tenant 1 tenant 2]\n",
		"a.conf:1: \"tenant\" cannot stand there: expected "
		"tenant, source or pool, each once");
	refused("[site a.test]\nmx = b.test", "a.conf:2: mx belongs to [provider NAME] alone");
	refused("[default\n", "a.conf:1: the section has no \"]\"");
	refused("[default]\ntls = maybe",
		"a.conf:2: tls: \"maybe\" is not one of: never, may, encrypt, verify, dane, "
		"dane-only, mta-sts, opportunistic");
	refused("[default]\nretry = 1m, 5x",
		"a.conf:2: retry: \"1m, 5x\" is not a list of at most 16 durations from 1s to 30d");
	refused(
	    "[default]\nignore = PIPELINING, X",
	    "a.conf:2: ignore: \"PIPELINING, X\" is not EHLO keywords such as PIPELINING, or none");
}

static void what_is_shown_is_read_as_the_same(void **state)
{
	OWNED(shapes) s = parsed(shape_builtin);
	struct buf once, twice;

	(void)state;
	buf_init(&once, 0);
	buf_init(&twice, 0);
	written_shapes(s, &once);
	OWNED(shapes) again = parsed(buf_cstr(&once));
	written_shapes(again, &twice);
	assert_string_equal(buf_cstr(&once), buf_cstr(&twice));
	buf_free(&once);
	buf_free(&twice);
}

static void customers_of_microsoft_365_are_one_provider(void **state)
{
	OWNED(shapes) s = parsed(shape_builtin);
	struct shape_subject q = subject("acme.test", office_mx);

	(void)state;
	assert_string_equal(shapes_provider_name(s, shapes_provider(s, &q)), "microsoft365");
	q.domain = SLICE("hotmail.co.uk");
	assert_string_equal(shapes_provider_name(s, shapes_provider(s, &q)), "microsoft");
	assert_int_equal(value(s, &q, SHAPE_CONNECTIONS), 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_narrowest_section_holds),
		cmocka_unit_test(narrowings_count_within_a_section_and_the_latest_of_equals),
		cmocka_unit_test(a_star_stands_for_any_run_of_characters),
		cmocka_unit_test(what_all_sources_share_is_not_said_of_one_of_them),
		cmocka_unit_test(limits_of_a_tenant_or_a_source_are_its_own_beside_those_of_all),
		cmocka_unit_test(
		    a_tenant_over_a_source_has_limits_and_the_narrowest_section_counts),
		cmocka_unit_test(what_narrows_most_counts),
		cmocka_unit_test(a_provider_is_known_by_a_domain_before_a_host),
		cmocka_unit_test(a_live_order_comes_after_the_files),
		cmocka_unit_test(every_value_says_where_it_comes_from),
		cmocka_unit_test(what_is_wrong_is_named_with_its_line),
		cmocka_unit_test(what_is_shown_is_read_as_the_same),
		cmocka_unit_test(customers_of_microsoft_365_are_one_provider),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
