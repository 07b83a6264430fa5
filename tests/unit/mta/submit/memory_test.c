/* Unit test of mta/submit when memory runs out: by standing in front of the allocator that every
 * buf grows with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdatomic.h>
#include <unistd.h>

#include "tests/unit/mta/engine_box.h"
#include "tests/unit/mta/smtpd/talk.h"

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

static _Atomic size_t largest = SIZE_MAX;

void *__wrap_realloc(void *p, size_t n)
{
	return n > atomic_load(&largest) ? NULL : __real_realloc(p, n);
}

/* The reply to a message of so many lines of 100 bytes, while no buf may grow past `max`. */
static const char *sent(unsigned lines, size_t max)
{
	struct buf text = { 0 };
	const char *got;
	int fd = talk_greeted(2525, NULL);

	buf_put(&text, SLICE("From: a@b.example\r\n\r\n"));
	for (unsigned i = 0; i < lines; i++)
		buf_putf(&text, "%098u\r\n", i);
	buf_put(&text, SLICE(".\r\n"));
	talk_say(fd, "MAIL FROM:<s@from.example>\r\nRCPT TO:<a@one.example>\r\nDATA\r\n");
	(void)talk_hear(fd, 3);
	(void)buf_cstr(&text);
	atomic_store(&largest, max);
	talk_say(fd, buf_cstr(&text));
	got = talk_hear(fd, 1);
	atomic_store(&largest, SIZE_MAX);
	close(fd);
	buf_free(&text);
	return got;
}

static void a_message_that_memory_is_short_of_is_put_off(void **state)
{
	unsigned put_off = 0, taken = 0;
	struct box b;

	(void)state;
	box_start(&b, NULL);
	/* First it is Date and Message-ID that no longer fit, then the message. */
	for (unsigned lines = 20; lines < 200; lines += 6) {
		const char *got = sent(lines, 16384);
		if (strncmp(got, "250 ", 4) != 0)
			if (strncmp(got, "452 4.3.1", 9) != 0)
				fail_msg("%u lines: %s", lines, got);
		put_off += *got == '4';
		taken += *got == '2';
	}
	assert_true(put_off > 5 && taken > 1);
	assert_int_equal(strncmp(sent(3000, SIZE_MAX), "250 2.0.0", 9), 0);
	box_remove(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_that_memory_is_short_of_is_put_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
