/* Metrics: requests, names that become labels, the text of samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "mta/metrics/web.h"
#include "mta/metrics/metrics.h"
#include "mta/metrics/names.h"
#include "mta/metrics/text.h"
#include "mta/metrics/top.h"

static int parse(const char *text, struct web_request *q)
{
	return web_parse(slice_str(text), q);
}

static void a_request_is_read_as_rfc_9112_says(void **state)
{
	struct web_request q;

	(void)state;
	assert_true(parse("GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n", &q) > 0);
	assert_int_equal(q.method, WEB_GET);
	assert_true(slice_eq(q.path, SLICE("/metrics")));
	assert_true(parse("HEAD / HTTP/1.0\n\n", &q) > 0);
	assert_int_equal(q.method, WEB_HEAD);
	assert_true(parse("POST / HTTP/1.1\r\nhOST: x\r\nContent-Length: 0\r\n\r\n", &q) > 0);
	assert_int_equal(q.method, WEB_OTHER);
	assert_int_equal(parse("GET /metrics HTTP/1.1\r\nHost: x\r\n", &q), 0);
}

static void a_request_that_is_none_is_refused(void **state)
{
	static const struct {
		int status;
		const char *text;
	} bad[] = {
		{ -400, "\r\n\r\n" },
		{ -400, "GET\r\n\r\n" },
		{ -400, "GET /metrics\r\n\r\n" },
		{ -400, "GET metrics HTTP/1.0\r\n\r\n" },
		{ -400, "GET /a\x01 HTTP/1.0\r\n\r\n" },
		{ -400, "GET /a\tb HTTP/1.0\r\n\r\n" },
		{ -400, "GET /a  HTTP/1.0\r\n\r\n" },
		{ -400, "GET / HTTP/1.1\r\n\r\n" },
		{ -400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" },
		{ -400, "GET / HTTP/1.0\r\nno colon\r\n\r\n" },
		{ -400, "GET / HTTP/1.0\r\nA : b\r\n\r\n" },
		{ -400, "GET / HTTP/1.0\r\nA: b\r\n folded\r\n\r\n" },
		{ -400, "GET / HTTP/1.0\r\nContent-Length: 5\r\n\r\n" },
		{ -400, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ -505, "GET / HTTP/2.0\r\n\r\n" },
	};
	struct web_request q;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		if (parse(bad[i].text, &q) != bad[i].status)
			fail_msg("taken: %s", bad[i].text);
}

static void a_head_that_does_not_end_is_refused_at_its_bound(void **state)
{
	static char big[WEB_HEAD_MAX + 100];
	struct web_request q;

	(void)state;
	memset(big, 'a', sizeof(big));
	memcpy(big, "GET / HTTP/1.0\r\nX: ", 19);
	assert_int_equal(web_parse(slice_of(big, WEB_HEAD_MAX - 1), &q), 0);
	assert_int_equal(web_parse(slice_of(big, WEB_HEAD_MAX), &q), -431);
	memcpy(big + WEB_HEAD_MAX + 10, "\r\n\r\n", 4);
	assert_int_equal(web_parse(slice_of(big, sizeof(big)), &q), -431);
}

/* ---- labels ------------------------------------------------------------------------------ */

static struct tallies *lane(void)
{
	struct tallies *t;

	assert_int_equal(tally_part.start(NULL, (void **)&t), 0);
	return t;
}

static uint64_t named_sum(const struct top *t, unsigned *ret_n)
{
	struct map_link *l;
	uint64_t sum = 0;
	size_t pos = 0;

	*ret_n = 0;
	for (l = map_next(&t->map, &pos, NULL); l; l = map_next(&t->map, &pos, l))
		if (container_of(l, struct top_name, link)->named) {
			sum += top_value(container_of(l, struct top_name, link), 1);
			++*ret_n;
		}
	return sum;
}

static void the_biggest_become_labels_and_the_rest_is_other(void **state)
{
	struct tallies *one = lane(), *two = lane(), *both[] = { one, two };
	uint64_t others;
	struct top t;
	unsigned n;

	(void)state;
	top_init(&t);
	for (unsigned i = 0; i < 80; i++) {
		count_add(&tally_tenant(one, i)->outcomes[1], i + 1);
		count_add(&tally_tenant(two, i)->outcomes[1], 1);
	}
	top_collect(&t, both, 2, TALLY_TENANT);
	assert_int_equal(named_sum(&t, &n) + top_others(&t, 1), 80 * 81 / 2 + 80);
	assert_int_equal(n, METRICS_NAMES_MAX);
	others = top_others(&t, 1);
	assert_int_equal(others, 30 * 31 / 2 + 30); /* the thirty smallest */
	/* A small one grows: it stays with the others, whose sum never falls. */
	count_add(&tally_tenant(one, 0)->outcomes[1], 100000);
	top_collect(&t, both, 2, TALLY_TENANT);
	assert_int_equal(top_others(&t, 1), others + 100000);
	top_end(&t);
	tally_part.stop(one);
	tally_part.stop(two);
}

static void a_lane_keeps_a_bounded_number_of_names(void **state)
{
	struct tallies *t = lane();

	(void)state;
	for (uint64_t i = 0; i < 2 * TALLIES_MAX; i++)
		count_add(&tally_tenant(t, i)->outcomes[1], 1);
	assert_int_equal(t->n[TALLY_TENANT], TALLIES_MAX + 1);
	assert_int_equal(tally_get(t, TALLY_TENANT, SLICE(TALLY_OTHER))->outcomes[1], TALLIES_MAX);
	tally_part.stop(t);
}

/* ---- text -------------------------------------------------------------------------------- */

static void a_histogram_is_written_in_seconds_and_adds_up(void **state)
{
	static const struct histogram_scale scale = { 1000, 2, { 10, 1000 } };
	struct histogram h = { 0 };
	struct buf out = { 0 };
	struct text t = { .out = &out };

	(void)state;
	histogram_note(&h, &scale, -5);
	histogram_note(&h, &scale, 10);
	histogram_note(&h, &scale, 11);
	histogram_note(&h, &scale, 4000);
	text_histogram(&t, "x_seconds", "Help", &scale, &h);
	assert_string_equal(buf_cstr(&out),
			    "# HELP postern_x_seconds Help\n# TYPE postern_x_seconds histogram\n"
			    "postern_x_seconds_bucket{le=\"0.01\"} 2\n"
			    "postern_x_seconds_bucket{le=\"1\"} 3\n"
			    "postern_x_seconds_bucket{le=\"+Inf\"} 4\n"
			    "postern_x_seconds_sum 4.021\npostern_x_seconds_count 4\n");
	buf_free(&out);
}

static void microseconds_become_seconds(void **state)
{
	(void)state;
	assert_string_equal(metric_name("sign_us")->metric, "dkim_signing_seconds");
	assert_true(metric_name("sign_us")->unit == 1e-6);
	assert_null(metric_name("sites"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read_as_rfc_9112_says),
		cmocka_unit_test(a_request_that_is_none_is_refused),
		cmocka_unit_test(a_head_that_does_not_end_is_refused_at_its_bound),
		cmocka_unit_test(the_biggest_become_labels_and_the_rest_is_other),
		cmocka_unit_test(a_lane_keeps_a_bounded_number_of_names),
		cmocka_unit_test(a_histogram_is_written_in_seconds_and_adds_up),
		cmocka_unit_test(microseconds_become_seconds),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
