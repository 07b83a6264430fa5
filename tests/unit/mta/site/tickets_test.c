/* Sessions for resumption: given back only under the check they were made under. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "mta/site/tickets.h"

/* Stand-ins: a session is its address, and how often it is held. */
static int held[TICKETS_MAX * 2];

static struct tls_session *session(unsigned i)
{
	held[i]++;
	return (struct tls_session *)&held[i];
}

struct tls_session *tls_session_unref(struct tls_session *s)
{
	if (s)
		--*(int *)(void *)s;
	return NULL;
}

static void a_session_is_found_under_its_own_check_alone(void **unused)
{
	struct tickets t = { 0 };

	(void)unused;
	assert_null(tickets_find(&t, 0));
	tickets_keep(&t, 7, session(0));
	assert_ptr_equal(tickets_find(&t, 7), &held[0]);
	assert_null(tickets_find(&t, 8));
	assert_null(tickets_find(&t, 0));
	tickets_drop(&t);
	assert_int_equal(held[0], 0);
}

static void the_latest_of_a_check_takes_the_place_of_the_one_before(void **unused)
{
	struct tickets t = { 0 };

	(void)unused;
	tickets_keep(&t, 7, session(0));
	tickets_keep(&t, 8, session(1));
	tickets_keep(&t, 7, session(2));
	assert_int_equal(held[0], 0);
	assert_ptr_equal(tickets_find(&t, 7), &held[2]);
	assert_ptr_equal(tickets_find(&t, 8), &held[1]);
	tickets_drop(&t);
	assert_int_equal(held[1] + held[2], 0);
}

static void the_one_that_was_kept_longest_ago_leaves_first(void **unused)
{
	struct tickets t = { 0 };

	(void)unused;
	for (unsigned i = 0; i <= TICKETS_MAX; i++)
		tickets_keep(&t, 100 + i, session(i));
	assert_null(tickets_find(&t, 100));
	assert_int_equal(held[0], 0);
	for (unsigned i = 1; i <= TICKETS_MAX; i++)
		assert_ptr_equal(tickets_find(&t, 100 + i), &held[i]);
	tickets_drop(&t);
	for (unsigned i = 0; i <= TICKETS_MAX; i++)
		assert_int_equal(held[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_found_under_its_own_check_alone),
		cmocka_unit_test(the_latest_of_a_check_takes_the_place_of_the_one_before),
		cmocka_unit_test(the_one_that_was_kept_longest_ago_leaves_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
