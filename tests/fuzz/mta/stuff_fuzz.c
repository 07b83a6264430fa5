/* Laws: however it is cut, the wire is the same; it has no bare CR or LF and one end of data, its
 * own.  What is said to be clean comes out as it went in, but for its dots. */
#include "base/buf.h"
#include "mta/smtp/stuff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void stuff_all(struct buf *out, struct slice in, size_t piece, size_t room)
{
	struct stuff st = { 0 };
	char end[STUFF_END_MAX];

	while (in.n) {
		size_t used, n = MIN_OF(in.n, piece);

		if (buf_reserve(out, room) < 0)
			abort();
		buf_grow(out, stuff_copy(&st, buf_tail(out), room, slice_of(in.p, n), &used));
		assert(used > 0 && used <= n);
		in = slice_skip(in, used);
	}
	buf_put(out, slice_of(end, stuff_end(&st, end)));
}

static void check_wire(struct slice w)
{
	assert(w.n >= 3 && !memcmp(w.p + w.n - 3, ".\r\n", 3));
	for (size_t i = 0; i < w.n; i++) {
		bool line_start = i == 0 || w.p[i - 1] == '\n';

		assert(w.p[i] != '\r' || (i + 1 < w.n && w.p[i + 1] == '\n'));
		assert(w.p[i] != '\n' || (i && w.p[i - 1] == '\r'));
		assert(!(line_start && w.p[i] == '.' && w.p[i + 1] == '\r') || i == w.n - 3);
	}
}

/* Dots that begin a line go; then the end of data. */
static void unstuff(struct buf *out, struct slice w)
{
	for (size_t i = 0; i + 3 < w.n; i++)
		if (w.p[i] != '.' || (i && w.p[i - 1] != '\n'))
			buf_put(out, slice_of(w.p + i, 1));
		else
			buf_put(out, slice_of(w.p + ++i, 1));
}

static void check_clean(struct slice in, struct slice wire)
{
	struct buf plain = { 0 };
	size_t half = in.n / 3;

	unstuff(&plain, wire);
	assert(stuff_is_clean(slice_of(in.p, half), slice_skip(in, half)) ==
	       slice_eq(buf_data(&plain), in));
	buf_free(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = { 0 }, drip = { 0 }, lumps = { 0 };
	struct slice in = slice_of(data, size);

	stuff_all(&whole, in, size + 1, 2 * size + 16);
	stuff_all(&drip, in, 1, STUFF_ROOM_MIN);
	stuff_all(&lumps, in, 37, 21);
	check_wire(buf_data(&whole));
	check_clean(in, buf_data(&whole));
	assert(slice_eq(buf_data(&whole), buf_data(&drip)));
	assert(slice_eq(buf_data(&whole), buf_data(&lumps)));
	buf_free(&whole);
	buf_free(&drip);
	buf_free(&lumps);
	return 0;
}
