/* How a link to a real engine begins: with one good HELLO, and a name for a cursor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "tests/unit/mta/link/speak.h"

/* The link ends after what it says. */
static void refused_at_the_door(struct box *b, const struct link_frame *first, int code)
{
	struct link_frame f;
	struct framed c;

	framed_open(&c, b, "link.sock");
	framed_send(&c, first);
	speak_expect_error(&c, first->request, code);
	assert_false(framed_next(&c, &f));
	framed_close(&c);
}

static void whoever_does_not_begin_with_hello_is_turned_away(void **state)
{
	struct box b;
	struct framed c;
	struct link_frame f;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	speak_lsn(&c, LINK_SUBSCRIBE, 2, 0);
	speak_expect_error(&c, 2, E_CONFLICT);
	assert_false(framed_next(&c, &f));
	framed_close(&c);

	framed_open(&c, &b, "link.sock");
	framed_send(&c, &(struct link_frame){
			    .type = LINK_HELLO, .request = 1, .hello = { 99, SLICE("x") } });
	speak_expect_error(&c, 1, E_VERSION);
	assert_false(framed_next(&c, &f));
	framed_close(&c);

	framed_open(&c, &b, "link.sock");
	framed_send(&c, &(struct link_frame){
			    .type = LINK_HELLO, .request = 1, .hello = { 1, SLICE("../x Y") } });
	speak_expect_error(&c, 1, E_SYNTAX);
	framed_close(&c);

	framed_open(&c, &b, "link.sock");
	framed_send_raw(&c, SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_false(framed_next(&c, &f));
	framed_close(&c);
	box_remove(&b);
}

static void the_link_begins_with_one_good_hello(void **state)
{
	static const char *const names[] = { "Upper", "a b", "a/b", "\x80" };
	struct link_frame f = { .type = LINK_SUBSCRIBE, .request = 7 };
	char name[300];
	struct framed c;
	struct box b;

	(void)state;
	box_start(&b, NULL);
	refused_at_the_door(&b, &f, E_CONFLICT);
	f = (struct link_frame){ .type = LINK_HELLO,
				 .request = 8,
				 .hello = { LINK_VERSION + 1, SLICE("x") } };
	refused_at_the_door(&b, &f, E_VERSION);
	f.hello.version = LINK_VERSION;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		f.hello.name = slice_str(names[i]);
		refused_at_the_door(&b, &f, E_SYNTAX);
	}
	f.hello.name = SLICE("a\0b");
	refused_at_the_door(&b, &f, E_SYNTAX);
	memset(name, 'n', sizeof(name));
	f.hello.name = slice_of(name, sizeof(name));
	refused_at_the_door(&b, &f, E_SYNTAX);
	framed_open(&c, &b, "link.sock");
	(void)speak_hello(&c, "control");
	f.hello.name = SLICE("control");
	framed_send(&c, &f); /* once more */
	speak_expect_error(&c, 8, E_CONFLICT);
	assert_false(framed_next(&c, &f));
	framed_close(&c);
	box_remove(&b);
}

static void a_client_without_a_name_has_no_cursor(void **state)
{
	struct link_frame f;
	struct framed c;
	struct box b;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	assert_int_equal(speak_hello(&c, "").welcome.cursor, 0);
	speak_lsn(&c, LINK_CURSOR, 2, 0);
	speak_expect_error(&c, 2, E_DENIED);
	speak_lsn(&c, LINK_SUBSCRIBE, 3, 0); /* but may read */
	(void)speak_expect_ack(&c, 3);
	speak_lsn(&c, LINK_SUBSCRIBE, 4, 0);
	do /* events may have come before */
		assert_true(framed_next(&c, &f));
	while (f.type == LINK_EVENTS);
	assert_int_equal(f.type, LINK_ERROR);
	assert_int_equal(f.error.code, E_CONFLICT); /* once is enough */
	framed_close(&c);
	box_remove(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_does_not_begin_with_hello_is_turned_away),
		cmocka_unit_test(the_link_begins_with_one_good_hello),
		cmocka_unit_test(a_client_without_a_name_has_no_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
