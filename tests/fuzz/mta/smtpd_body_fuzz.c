/* Laws: how the bytes are cut does not matter; a message ends exactly at its first CRLF "." CRLF
 *       (or "." CRLF at its start); what was taken has only whole CRLFs; stuffed again it gives the
 *       same bytes.  The same bytes as chunks: however they are cut, what was taken is the input,
 *       and the end of its last line. */
#include "mta/smtpd/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct smtpd_body feed(struct slice in, size_t step, struct buf *out, size_t *ret_used)
{
	struct smtpd_body b;
	size_t at = 0;

	smtpd_body_begin(&b);
	while (at < in.n && !b.done)
		at += smtpd_body_feed(&b, slice_of(in.p + at, MIN_OF(step, in.n - at)), out);
	*ret_used = at;
	return b;
}

/* The plain way, byte by byte. */
static size_t true_end(struct slice in)
{
	if (in.n >= 3 && memcmp(in.p, ".\r\n", 3) == 0)
		return 3;
	const char *p = in.n ? memmem(in.p, in.n, "\r\n.\r\n", 5) : NULL;
	return p ? (size_t)(p - in.p) + 5 : 0;
}

static bool only_crlf(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			return false;
		if (s.p[i] == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n'))
			return false;
	}
	return true;
}

static void stuff(struct slice s, struct buf *out)
{
	bool line = true;

	for (size_t i = 0; i < s.n; i++) {
		if (line && s.p[i] == '.')
			buf_put(out, SLICE("."));
		buf_put(out, slice_of(s.p + i, 1));
		line = s.p[i] == '\n';
	}
	buf_put(out, SLICE(".\r\n"));
}

static struct smtpd_body feed_raw(struct slice in, size_t step, struct buf *out)
{
	struct smtpd_body b;

	smtpd_body_begin(&b);
	for (size_t at = 0; at < in.n; at += MIN_OF(step, in.n - at))
		smtpd_body_feed_raw(&b, slice_of(in.p + at, MIN_OF(step, in.n - at)), out);
	smtpd_body_end_raw(&b, out);
	return b;
}

static void chunks_law(struct slice in)
{
	struct buf one = { 0 }, two = { 0 };
	struct smtpd_body a = feed_raw(in, in.n ? in.n : 1, &one), b = feed_raw(in, 3, &two);

	assert(a.done && b.done && a.lone == b.lone && a.nul == b.nul && a.longest == b.longest);
	assert(a.nul == (in.n && memchr(in.p, '\0', in.n) != NULL));
	if (!a.nul)
		assert(a.lone == !only_crlf(in));
	if (!a.nul && !a.lone) {
		struct slice got = buf_data(&one);

		assert(slice_eq(got, buf_data(&two)) && only_crlf(got));
		assert(!in.n || memcmp(got.p, in.p, in.n) == 0);
		assert(got.n == in.n || (got.n == in.n + 2 && got.p[got.n - 1] == '\n'));
		assert(!got.n || got.p[got.n - 1] == '\n');
	}
	buf_free(&one);
	buf_free(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	struct buf one = { 0 }, two = { 0 }, again = { 0 }, three = { 0 };
	size_t end = true_end(in), used_one, used_two;
	struct smtpd_body a = feed(in, size ? size : 1, &one, &used_one),
			  b = feed(in, 1, &two, &used_two);

	assert(a.done == b.done && a.lone == b.lone && a.nul == b.nul && used_one == used_two);
	assert(a.longest == b.longest && (!a.done || a.longest <= used_one));
	assert(a.done == (end > 0) && (!end || used_one == end));
	if (a.done && !a.lone && !a.nul) {
		assert(slice_eq(buf_data(&one), buf_data(&two)));
		assert(only_crlf(buf_data(&one)));
		stuff(buf_data(&one), &again);
		b = feed(buf_data(&again), 5, &three, &used_two);
		assert(b.done && used_two == buf_len(&again) &&
		       slice_eq(buf_data(&three), buf_data(&one)));
	}
	chunks_law(in);
	buf_free(&one);
	buf_free(&two);
	buf_free(&three);
	buf_free(&again);
	return 0;
}
