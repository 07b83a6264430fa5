/* Counts heap calls between queue and verdict by wrapping the allocator.  It sees ours and those of
 * the simulated hosts (two per message: they keep what they take), but not those of shared
 * libraries. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "tests/replay/engine_world.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static uint64_t calls;

void *__wrap_malloc(size_t n)
{
	calls++;
	return __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
	calls++;
	return __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
	calls++;
	return __real_realloc(p, n);
}

#define HEAP_CONFIG                                                                                \
	"hostname = out.test\nlanes = 1\nroute.allow = 127.0.0.0/8\nsite.messages = 1000000\n"     \
	"site.connections = 2\n"
enum { WARM = 500, MESSAGES = 2000, PER_THOUSAND_MAX = 3100 };

static void queue(struct world *w, unsigned n)
{
	static const char *const rcpt[] = { "u@one.test" };

	for (unsigned i = 0; i < n; i++)
		world_submit(w, rcpt, 1, 86400000, "control", 1);
}

static void a_delivered_message_costs_few_heap_calls(void **state)
{
	struct world w;
	uint64_t before;

	(void)state;
	world_start(&w, HEAP_CONFIG);
	resolver_sim_set("one.test", DNS_MX, 5, "10 mx.test");
	resolver_sim_set("mx.test", DNS_A, 5, "127.0.1.1");
	assert_int_equal(conn_sim_host(SLICE("127.0.1.1:25"), SLICE("say 220 mx.test\nserve\n")),
			 0);
	queue(&w, WARM);
	world_run(&w, 3000);
	assert_int_equal(world_books(&w).delivered, WARM);
	world_rule(&w, "hold/all", "until all are queued");
	queue(&w, MESSAGES);
	world_run(&w, 1000);
	before = calls;
	world_rule(&w, "hold/all", "");
	world_run(&w, 60000);
	assert_int_equal(world_books(&w).delivered, WARM + MESSAGES);
	print_message("%llu heap calls for %u messages\n", (unsigned long long)(calls - before),
		      MESSAGES);
	assert_in_range((calls - before) * 1000 / MESSAGES, 0, PER_THOUSAND_MAX);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
	    a_delivered_message_costs_few_heap_calls) };

	return cmocka_run_group_tests_name("engine_heap", tests, NULL, NULL);
}
