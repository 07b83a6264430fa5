/* Dot-stuffing: the wire shows one message, whatever is in it (S1 of the threat list). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/buf.h"
#include "mta/smtp/stuff.h"

static uint64_t state = 11;
static uint64_t chance(uint64_t n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 20) % n;
}

/* `in` is cut in pieces of at most `piece`, and the output in rooms of `room`; 0: never cut. */
static void stuff_all(struct buf *out, struct slice in, size_t piece, size_t room)
{
	struct stuff st = { 0 };
	char end[STUFF_END_MAX];

	while (in.n) {
		size_t cut = piece ? 1 + chance(piece) : in.n, n = MIN_OF(in.n, cut), used;
		size_t most = room ? STUFF_ROOM_MIN + chance(room) : 2 * n + 16;
		char *p = must_alloc(most);

		buf_put(out, slice_of(p, stuff_copy(&st, p, most, slice_of(in.p, n), &used)));
		free(p);
		assert_true(used > 0 && used <= n);
		in = slice_of(in.p + used, in.n - used);
	}
	buf_put(out, slice_of(end, stuff_end(&st, end)));
}

/* The message with every line end made CRLF: what a receiver that reads the wire must find. */
static void normal_form(struct buf *out, struct slice in)
{
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\r' && i + 1 < in.n && in.p[i + 1] == '\n')
			continue;
		buf_put(out,
			in.p[i] == '\r' || in.p[i] == '\n' ? SLICE("\r\n") : slice_of(in.p + i, 1));
	}
	if (buf_len(out) && buf_data(out).p[buf_len(out) - 1] != '\n')
		buf_put(out, SLICE("\r\n"));
}

static void unstuff(struct buf *out, struct slice wire)
{
	assert_true(wire.n >= 3 && !memcmp(wire.p + wire.n - 3, ".\r\n", 3));
	wire.n -= 3;
	for (size_t i = 0; i < wire.n; i++)
		if (!(wire.p[i] == '.' && (i == 0 || wire.p[i - 1] == '\n')))
			buf_put(out, slice_of(wire.p + i, 1));
		else
			buf_put(out, slice_of(wire.p + ++i, 1));
}

static void assert_clean(struct slice wire)
{
	unsigned ends = wire.n >= 3 && !memcmp(wire.p, ".\r\n", 3);

	for (size_t i = 0; i < wire.n; i++) {
		if (wire.p[i] == '\r')
			assert_true(i + 1 < wire.n && wire.p[i + 1] == '\n');
		if (wire.p[i] == '\n')
			assert_true(i > 0 && wire.p[i - 1] == '\r');
		ends += wire.n - i >= 5 && !memcmp(wire.p + i, "\r\n.\r\n", 5);
	}
	assert_int_equal(ends, 1);
	assert_true(!memcmp(wire.p + wire.n - 3, ".\r\n", 3));
}

static void hold_the_law(struct slice in, size_t piece, size_t room)
{
	struct buf wire = { 0 }, back = { 0 }, want = { 0 };

	stuff_all(&wire, in, piece, room);
	assert_clean(buf_data(&wire));
	unstuff(&back, buf_data(&wire));
	normal_form(&want, in);
	assert_true(slice_eq(buf_data(&back), buf_data(&want)));
	buf_free(&wire);
	buf_free(&back);
	buf_free(&want);
}

static void unstuffing_gives_the_message_back_however_it_is_cut(void **unused)
{
	static const char alphabet[] = "\r\n..\r\nabc\r\n\0";
	char in[300];

	(void)unused;
	for (int round = 0; round < 20000; round++) {
		size_t n = chance(sizeof(in));

		for (size_t i = 0; i < n; i++)
			in[i] =
			    chance(3) ? alphabet[chance(sizeof(alphabet) - 1)] : (char)chance(256);
		hold_the_law(slice_of(in, n), chance(40), chance(40));
	}
}

static void no_smuggling_variant_ends_the_message_early(void **unused)
{
	static const char *const ends[] = {
		"\n.\n",         "\n.\r\n",   "\r\n.\n",       "\r.\r",       "\r.\r\n",
		"\r\n.\r",       "\n\n.\r\n", "\r\r\n.\r\r\n", "\r\n.\r\r\n", "\r\n\x00.\r\n",
		"\r\n.\x00\r\n", "\n.\r",     "\r\n..\r\n",    "\r\n.\r\n",
	};
	char in[128];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		/* At every place of a 16-byte look, cut everywhere. */
		for (size_t before = 0; before < 20; before++) {
			size_t n = before, len = strlen(ends[i]);

			memset(in, 'x', sizeof(in));
			if (i == 9 || i == 10)
				len = 6;
			memcpy(in + n, ends[i], len);
			n += len;
			memcpy(in + n, "MAIL FROM:<evil@x>\r\n", 20);
			hold_the_law(slice_of(in, n + 20), 1, 1);
			hold_the_law(slice_of(in, n + 20), 0, 0);
			hold_the_law(slice_of(in, n + 20), 5, 9);
		}
	}
}

static void a_message_of_8_mib_without_a_line_end_passes(void **unused)
{
	size_t n = 8 << 20;
	char *p = must_alloc(n);

	(void)unused;
	memset(p, 'x', n);
	hold_the_law(slice_of(p, n), 0, 65536);
	free(p);
}

static void the_empty_message_is_a_dot(void **unused)
{
	struct buf wire = { 0 };

	(void)unused;
	stuff_all(&wire, SLICE(""), 0, 0);
	assert_true(slice_eq(buf_data(&wire), SLICE(".\r\n")));
	buf_free(&wire);
}

static void clean_text_is_copied_as_it_is(void **unused)
{
	struct slice in =
	    SLICE("Subject: x\r\n\r\nHello, this is a line that is longer than sixteen.\r\n");
	struct buf wire = { 0 };

	(void)unused;
	stuff_all(&wire, in, 0, 0);
	assert_int_equal(buf_len(&wire), in.n + 3);
	assert_memory_equal(buf_data(&wire).p, in.p, in.n);
	buf_free(&wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unstuffing_gives_the_message_back_however_it_is_cut),
		cmocka_unit_test(no_smuggling_variant_ends_the_message_early),
		cmocka_unit_test(a_message_of_8_mib_without_a_line_end_passes),
		cmocka_unit_test(the_empty_message_is_a_dot),
		cmocka_unit_test(clean_text_is_copied_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
