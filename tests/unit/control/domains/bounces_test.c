/* control/domains/bounces: does mail to a return path reach our host? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "control/domains/bounces.h"
#include "tests/unit/control/zone.h"

#define OURS                                                                                       \
	"in.example A 192.0.2.1\n"                                                                 \
	"in.example A 192.0.2.2\n"                                                                 \
	"in.example AAAA 2001:db8::1\n"
#define THEIRS "mx.other A 203.0.113.9\n"

static void bounces_reach_us_by_the_best_mx_or_by_address(void **state UNUSED)
{
	static const struct {
		const char *zone;
		enum bounces_way way;
	} rows[] = {
		{ "b.test MX 10 in.example\n", BOUNCES_OURS },
		{ "b.test MX 10 IN.example\n", BOUNCES_OURS },
		{ "b.test MX 10 in.example\nb.test MX 20 mx.other\n", BOUNCES_OURS },
		{ "b.test MX 10 in.example\nb.test MX 10 mx.other\n", BOUNCES_ELSEWHERE },
		{ "b.test MX 10 in.example\nb.test MX 5 mx.other\n", BOUNCES_ELSEWHERE },
		{ "b.test MX 10 mx.b.test\nmx.b.test A 192.0.2.2\n", BOUNCES_OURS },
		{ "b.test MX 10 mx.b.test\nmx.b.test A 192.0.2.3\n", BOUNCES_ELSEWHERE },
		{ "b.test MX 10 mx.b.test\n", BOUNCES_ELSEWHERE },
		{ "b.test MX 0 .\n", BOUNCES_ELSEWHERE },
		{ "b.test A 192.0.2.1\n", BOUNCES_OURS },
		{ "b.test A 192.0.2.1\nb.test AAAA 2001:db8::1\n", BOUNCES_OURS },
		{ "b.test AAAA 2001:db8::1\n", BOUNCES_OURS },
		{ "b.test A 192.0.2.1\nb.test A 203.0.113.9\n", BOUNCES_ELSEWHERE },
		{ "b.test A 203.0.113.9\n", BOUNCES_ELSEWHERE },
		{ "b.test TXT hello\n", BOUNCES_NOWHERE },
		{ "", BOUNCES_NOWHERE },
		{ "b.test MX !\n", BOUNCES_UNSURE },
		{ "b.test A !\n", BOUNCES_UNSURE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[1024], why[BOUNCES_WHY_MAX];
		size_t n = slice_copy(text, sizeof(text), slice_str(OURS THEIRS));
		n += slice_copy(text + n, sizeof(text) - n, slice_str(rows[i].zone));
		struct zone zone = { .text = slice_of(text, n) };
		OWNED(inquiry) a = inquiry_new((struct inquiry_door){ zone_ask, &zone });
		enum bounces_way way = bounces_find(a, SLICE("b.test"), SLICE("in.example"), why);

		if (way != rows[i].way)
			fail_msg("%s: %d, expected %d (%s)", rows[i].zone, way, rows[i].way, why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounces_reach_us_by_the_best_mx_or_by_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
