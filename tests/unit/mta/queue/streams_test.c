/* Names of streams: numbered once, named after the class when a job names none, bounded. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/queue/streams.h"
#include "spool/spool.h"

static void a_name_keeps_its_number(void **state)
{
	struct streams s;
	uint16_t a, b, found;

	(void)state;
	streams_init(&s);
	a = streams_number(&s, SLICE("receipts"), CLASS_BULK);
	b = streams_number(&s, SLICE("Receipts"), CLASS_BULK);
	assert_int_not_equal(a, b); /* names are compared byte by byte */
	assert_int_equal(streams_number(&s, SLICE("receipts"), CLASS_TRANSACTIONAL), a);
	assert_true(slice_eq(streams_name(&s, a), SLICE("receipts")));
	assert_true(streams_find(&s, SLICE("Receipts"), &found));
	assert_int_equal(found, b);
	assert_false(streams_find(&s, SLICE("news"), &found));
	streams_end(&s);
}

static void a_job_without_a_stream_is_in_that_of_its_class(void **state)
{
	struct streams s;
	uint16_t bulk;

	(void)state;
	streams_init(&s);
	bulk = streams_number(&s, SLICE(""), CLASS_BULK);
	assert_true(slice_eq(streams_name(&s, bulk), SLICE("bulk")));
	assert_int_equal(streams_number(&s, SLICE("bulk"), CLASS_TRANSACTIONAL), bulk);
	assert_true(slice_eq(streams_name(&s, streams_number(&s, SLICE(""), CLASS_TRANSACTIONAL)),
			     SLICE("transactional")));
	streams_end(&s);
}

static void too_many_names_and_too_long_ones_share_a_number(void **state)
{
	struct streams s;
	char name[STREAM_NAME_MAX + 2];

	(void)state;
	streams_init(&s);
	memset(name, 'x', sizeof(name));
	assert_int_equal(streams_number(&s, slice_of(name, STREAM_NAME_MAX + 1), CLASS_BULK),
			 STREAM_OTHERS);
	assert_int_equal(streams_number(&s, slice_of(name, STREAM_NAME_MAX), CLASS_BULK), 0);
	for (int i = 1; i < STREAMS_MAX; i++) {
		int n = snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(streams_number(&s, slice_of(name, (size_t)n), CLASS_BULK), i);
	}
	assert_int_equal(streams_number(&s, SLICE("one more"), CLASS_BULK), STREAM_OTHERS);
	assert_true(slice_eq(streams_name(&s, STREAM_OTHERS), SLICE("(others)")));
	assert_int_equal(streams_number(&s, SLICE("s7"), CLASS_BULK), 7);
	streams_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_keeps_its_number),
		cmocka_unit_test(a_job_without_a_stream_is_in_that_of_its_class),
		cmocka_unit_test(too_many_names_and_too_long_ones_share_a_number),
	};
	return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}
