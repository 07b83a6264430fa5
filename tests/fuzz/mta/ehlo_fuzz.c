/* Laws: the order of the lines and the case of the letters do not matter, nor does saying all
 * twice. */
#include "base/buf.h"
#include "mta/smtp/ehlo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool parse(struct slice text, struct ehlo *ret)
{
	struct reply_scan scan = { 0 };
	struct reply re;

	if (reply_next(&scan, text, &re) <= 0)
		return false;
	ehlo_parse(&re, ret);
	assert(re.code / 100 != 9);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once = { 0 }, twice = { 0 }, lower = { 0 };
	struct ehlo a, b, c;
	size_t n = MIN_OF(size, (size_t)1500);

	/* A reply made of the input's lines, so that the parser is reached whatever comes. */
	buf_put(&once, SLICE("250-mx\r\n"));
	buf_put(&twice, SLICE("250-mx\r\n"));
	for (int round = 0; round < 2; round++) {
		size_t at = 0;

		for (unsigned lines = 0; at < n && lines < 40; lines++) {
			const uint8_t *end = memchr(data + at, '\n', n - at);
			size_t len = end ? (size_t)(end - data) - at : n - at;

			for (int k = round; k < 2; k++) {
				struct buf *out = k ? &twice : &once;

				buf_put(out, SLICE("250-"));
				buf_put(out, slice_of(data + at, len));
				buf_put(out, SLICE("\r\n"));
			}
			at += len + 1;
		}
	}
	buf_put(&once, SLICE("250 HELP\r\n"));
	buf_put(&twice, SLICE("250 HELP\r\n"));
	for (size_t i = 0; i < buf_len(&once); i++)
		buf_put(&lower, slice_of((char[]){ ascii_lower(buf_data(&once).p[i]) }, 1));
	if (parse(buf_data(&once), &a)) {
		assert(parse(buf_data(&twice), &b) && parse(buf_data(&lower), &c));
		assert(a.can == b.can && a.can == c.can);
		assert(a.size_max == b.size_max && a.size_max == c.size_max);
		assert(a.can & EHLO_SIZE || !a.size_max);
	}
	buf_free(&once);
	buf_free(&twice);
	buf_free(&lower);
	return 0;
}
