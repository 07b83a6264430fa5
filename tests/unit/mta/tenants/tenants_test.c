/* Limits of tenants: words and orders read and shown; the queue never above its limit. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "mta/tenants/tenancy.h"

static struct tenant_words words(const char *text)
{
	struct tenant_words w = tenant_words_empty;
	char error[OPTION_ERROR_MAX];

	if (tenant_words_read(slice_str(text), false, &w, error) < 0)
		fail_msg("%s", error);
	return w;
}

static void refused(const char *text, bool weight_only, const char *why)
{
	struct tenant_words w = tenant_words_empty;
	char error[OPTION_ERROR_MAX];

	assert_int_equal(tenant_words_read(slice_str(text), weight_only, &w, error), E_SYNTAX);
	assert_string_equal(error, why);
}

static void words_are_read_and_shown(void **state)
{
	struct tenant_words w = words("queue=5000  rate=100/s connections=none weight=3");
	char error[OPTION_ERROR_MAX];
	struct buf out;

	(void)state;
	assert_int_equal(w.v[TENANT_RATE], 100 * 86400);
	assert_int_equal(w.v[TENANT_CONNECTIONS], TENANT_NONE);
	buf_init(&out, 0);
	tenant_words_show(&w, &out);
	assert_string_equal(buf_cstr(&out), "rate=100/s connections=none queue=5000 weight=3");
	buf_free(&out);
	assert_int_equal(tenant_words_read(SLICE("rate=default queue=1"), false, &w, error), 0);
	assert_int_equal(w.v[TENANT_RATE], TENANT_UNSAID);
	assert_int_equal(w.v[TENANT_QUEUE], 1);
	assert_int_equal(w.v[TENANT_WEIGHT], 3);
	refused("", false, "expected NAME=VALUE, such as rate=100/s");
	refused("rate", false, "expected NAME=VALUE, such as rate=100/s");
	refused("rate=0/s", false, "rate: \"0/s\" is not a rate such as 100/s, or none");
	refused("queue=0", false, "queue: \"0\" is not a number from 1, or none");
	refused("weight=101", false, "weight: \"101\" is not a number from 1 to 100");
	refused("weight=none", false, "weight: \"none\" is not a number from 1 to 100");
	refused("queue=1 queue=2", false, "queue is given twice");
	refused("speed=1", false, "\"speed\" is not one of: rate, connections, queue, weight");
	refused("rate=1/s", true, "\"rate\" is not one of: weight");
}

static void set(struct tenancy *t, const char *key, const char *value)
{
	assert_int_equal(tenancy_set(t, slice_str(key), slice_str(value)), 0);
}

static void configure(struct tenancy *t, uint64_t tenant, const char *text)
{
	static struct tenancy_options o;

	o.n_listed = 0;
	o.listed[o.n_listed++] = (struct tenant_listed){ 0, words("queue=100") };
	o.listed[o.n_listed++] = (struct tenant_listed){ tenant, words(text) };
	tenancy_configure(t, &o);
}

static void orders_go_before_the_configuration_and_words_one_by_one(void **state)
{
	struct tenancy *t = tenancy_new(1);
	struct tenant_order o;
	struct buf out;

	(void)state;
	assert_false(tenancy_paces(t));
	configure(t, 7, "rate=10/s");
	assert_true(tenancy_paces(t));
	assert_int_equal(tenancy_limits(t, 7).v[TENANT_RATE], 10 * 86400);
	assert_int_equal(tenancy_limits(t, 7).v[TENANT_QUEUE], 100);
	assert_int_equal(tenancy_limits(t, 8).v[TENANT_RATE], TENANT_NONE);
	set(t, "limit/tenant/7", "queue=5\nann at noon\nthey asked\nqueue=9\n");
	assert_int_equal(tenancy_limits(t, 7).v[TENANT_QUEUE], 5);
	assert_int_equal(tenancy_limits(t, 7).v[TENANT_RATE], 10 * 86400);
	assert_true(tenancy_order(t, false, 7, &o));
	assert_string_equal(o.author, "ann at noon");
	assert_string_equal(o.reason, "they asked");
	assert_int_equal(o.before.v[TENANT_QUEUE], 9);
	buf_init(&out, 0);
	tenancy_origin(t, 7, TENANT_QUEUE, &out);
	assert_string_equal(buf_cstr(&out), "order of ann at noon");
	buf_free(&out);
	set(t, "limit/tenant/7", "\nann at one\n\nqueue=5");
	assert_int_equal(tenancy_limits(t, 7).v[TENANT_QUEUE], 100);
	set(t, "limit/tenant/7", "");
	assert_false(tenancy_order(t, false, 7, &o));
	set(t, "limit/campaign/7", "weight=4\nann\n\n");
	assert_int_equal(tenancy_campaign_weight(t, 7), 4);
	assert_int_equal(tenancy_campaign_weight(t, 8), 1);
	assert_int_equal(tenancy_set(t, SLICE("limit/tenant/0"), SLICE("")), E_SYNTAX);
	assert_int_equal(tenancy_set(t, SLICE("limit/campaign/7"), SLICE("queue=4\na\n\n")),
			 E_SYNTAX);
	assert_int_equal(tenancy_set(t, SLICE("hold/all"), SLICE("x")), E_SYNTAX);
	(void)tenancy_free(t);
}

static void a_job_that_is_larger_than_the_limit_is_let_in_alone(void **state)
{
	struct tenancy *t = tenancy_new(1);

	(void)state;
	set(t, "limit/tenant/7", "queue=10\nann\n\n");
	assert_true(tenancy_admit(t, 7, 10));
	assert_true(tenancy_is_full(t, 7));
	assert_false(tenancy_admit(t, 7, 1));
	assert_true(tenancy_admit(t, 8, 1000));
	assert_true(tenancy_admit(t, 0, 1000));
	tenancy_give_back(t, 7, 10);
	assert_true(tenancy_admit(t, 7, 50));
	assert_false(tenancy_admit(t, 7, 1));
	for (unsigned i = 0; i < 45; i++)
		tenancy_ended(tenancy_tenant(t, 7), 0);
	assert_int_equal(tenancy_queued(t, 7), 5);
	assert_false(tenancy_admit(t, 7, 6));
	assert_true(tenancy_admit(t, 7, 5));
	(void)tenancy_free(t);
}

/* ---- many at once ------------------------------------------------------------------------ */

enum { THREADS = 4, JOBS = 20000, QUEUE = 50 };
static struct tenancy *shared;
static _Atomic int in_queue, most_seen;

static void note_most(int n)
{
	int seen = atomic_load(&most_seen);

	while (n > seen && !atomic_compare_exchange_weak(&most_seen, &seen, n))
		;
}

/* Each is a lane: it takes jobs in, and ends their recipients. */
static void *come_and_go(void *arg)
{
	struct tenant *tenant = tenancy_tenant(shared, 7);
	unsigned lane = (unsigned)(uintptr_t)arg, own = 0;

	for (unsigned i = 0; i < JOBS; i++) {
		uint32_t rows = 1 + i % 7;
		if (tenancy_admit(shared, 7, rows)) {
			note_most(atomic_fetch_add(&in_queue, (int)rows) + (int)rows);
			own += rows;
		}
		for (; own && (i % 3 || own > 20); own--) {
			atomic_fetch_sub(&in_queue, 1); /* before it is counted */
			tenancy_ended(tenant, lane);
		}
	}
	for (; own; own--) {
		atomic_fetch_sub(&in_queue, 1);
		tenancy_ended(tenant, lane);
	}
	return NULL;
}

static void the_queue_is_never_above_its_limit(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	shared = tenancy_new(THREADS);
	set(shared, "limit/tenant/7", "queue=50\nann\n\n");
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, (void *)i), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_in_range(atomic_load(&most_seen), 7, QUEUE);
	assert_int_equal(tenancy_queued(shared, 7), 0);
	shared = tenancy_free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_read_and_shown),
		cmocka_unit_test(orders_go_before_the_configuration_and_words_one_by_one),
		cmocka_unit_test(a_job_that_is_larger_than_the_limit_is_let_in_alone),
		cmocka_unit_test(the_queue_is_never_above_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
