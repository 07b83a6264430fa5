/* Laws: the fields of a header and its empty line are the message up to the body, byte for byte; a
 * scan sees the same.  A mended header that can be read has no Bcc, and the body of before: with
 * what stands before it when it had a field, else on its own, because its taker parts the two. */
#include "message/header.h"
#include "message/mend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(struct slice m)
{
	struct header_scan scan;
	struct slice read, body;
	struct buf b;
	bool had;

	buf_init(&b, 0);
	buf_put(&b, SLICE("A: b\r\n"));
	buf_put(&b, m);
	had = mend_header(&b, 6);
	if (!had)
		assert(buf_len(&b) == m.n + 6);
	assert(buf_len(&b) <= m.n + 6);
	read = had ? buf_data(&b) : slice_skip(buf_data(&b), 6);
	if (header_scan(read, &scan) == 0) {
		body = slice_skip(read, scan.body);
		assert(!scan.bcc && body.n <= m.n);
		assert(memcmp(body.p, m.p + m.n - body.n, body.n) == 0);
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice m = slice_of(data, size);
	struct header_field f;
	struct header_scan scan;
	size_t pos = 0, at = 0;
	unsigned from = 0, fields = 0;
	int r;

	while ((r = header_next(m, &pos, &f)) > 0) {
		assert(f.whole.p == m.p + at && f.name.p == f.whole.p);
		assert(f.value.p == f.name.p + f.name.n + 1);
		assert(f.value.p + f.value.n <= f.whole.p + f.whole.n);
		at += f.whole.n;
		assert(pos == at);
		from += slice_eq_nocase(f.name, SLICE("from"));
		fields++;
	}
	if (r == 0)
		assert(pos - at <= 2 && (pos == size || m.p[pos - 1] == '\n'));
	if (header_scan(m, &scan) == 0)
		assert(r == 0 && scan.body == pos && scan.from == from);
	else
		assert(r < 0 || fields > HEADER_FIELDS_MAX);
	mend(m);
	return 0;
}
