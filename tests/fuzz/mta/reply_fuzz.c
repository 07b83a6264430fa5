/* Law: how the bytes are cut does not matter: the same replies, the same verdicts, the same end. */
#include "base/encode.h"
#include "base/hash.h"
#include "mta/smtp/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
	unsigned replies;
	uint64_t sum;
	int end;
	size_t used;
};

static uint64_t digest(const struct reply *re)
{
	struct verdict v;
	struct slice text;
	unsigned lines = 0;
	size_t pos = 0, bytes = 0;

	reply_verdict(re, &v);
	assert(v.text_n <= VERDICT_TEXT_MAX && utf8_valid(verdict_text(&v)));
	for (size_t i = 0; i < v.text_n; i++)
		assert((unsigned char)v.text[i] >= 0x20 && v.text[i] != 0x7f);
	while (reply_line(re, &pos, &text)) {
		lines++;
		bytes += text.n;
	}
	assert(lines == re->lines && re->raw.n <= REPLY_MAX && bytes < re->raw.n);
	assert(re->code >= 200 && re->code <= 599);
	return hash_stable(verdict_text(&v)) ^ hash_mix(v.code * 8U + v.kind + re->status.detail);
}

static struct tally feed(const uint8_t *data, size_t size, size_t piece)
{
	struct tally t = { 0 };
	struct reply_scan scan = { 0 };
	struct reply re;
	size_t have = 0;

	while (t.end >= 0 && have <= size) {
		struct slice in = slice_of(data + t.used, have - t.used);

		t.end = reply_skip(&scan, in);
		if (t.end < 0)
			break;
		t.used += (size_t)t.end;
		in = slice_skip(in, (size_t)t.end);
		t.end = reply_next(&scan, in, &re);
		if (t.end > 0) {
			t.replies++;
			t.sum = t.sum * 31 + digest(&re);
			t.used += re.raw.n;
		} else if (t.end == 0) {
			if (have == size)
				break;
			have += MIN_OF(piece, size - have);
		}
	}
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tally whole = feed(data, size, size ? size : 1);
	struct tally drip = feed(data, size, 1), lumps = feed(data, size, 7);

	assert(whole.replies == drip.replies && whole.sum == drip.sum && whole.used == drip.used);
	assert(whole.replies == lumps.replies && whole.sum == lumps.sum &&
	       whole.used == lumps.used);
	assert(whole.end == drip.end && whole.end == lumps.end);
	return 0;
}
