/* tests/fuzz/control/picture_fuzz.c - pictures that people send, as they came and, for PNG, with
 * checksums that are right.
 * Laws: what was cleaned is no longer than it was, has sides within the bound, and is cleaned to
 *       itself; a picture with something behind its end is cleaned to the same. */
#include "control/members/picture.h"

static uint32_t crc_of(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0U;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

/* Makes the checksum of each part right. */
static void repair(uint8_t *p, size_t n)
{
	size_t at = 8;

	while (n >= 12 && at <= n - 12) {
		uint32_t len = (uint32_t)p[at] << 24 | (uint32_t)p[at + 1] << 16 |
			       (uint32_t)p[at + 2] << 8 | p[at + 3];

		if (len > n - 12 - at)
			return;
		uint32_t crc = crc_of(p + at + 4, len + 4);
		for (int k = 0; k < 4; k++)
			p[at + 8 + len + k] = (uint8_t)(crc >> (24 - 8 * k));
		at += len + 12;
	}
}

static void try_one(struct slice in)
{
	struct buf once = { 0 }, twice = { 0 }, longer = { 0 };
	struct picture a, b;

	if (picture_clean(in, &a, &once) == 0) {
		assert(buf_len(&once) <= in.n);
		assert(a.width >= 1 && a.width <= PICTURE_SIDE_MAX);
		assert(a.height >= 1 && a.height <= PICTURE_SIDE_MAX);
		assert(picture_clean(buf_data(&once), &b, &twice) == 0);
		assert(slice_eq(buf_data(&once), buf_data(&twice)));
		assert(a.kind == b.kind && a.width == b.width && a.height == b.height);
		buf_put(&longer, buf_data(&once));
		buf_put(&longer, SLICE("<html><script>"));
		buf_clear(&twice);
		assert(picture_clean(buf_data(&longer), &b, &twice) == 0);
		assert(slice_eq(buf_data(&once), buf_data(&twice)));
	}
	buf_free(&once);
	buf_free(&twice);
	buf_free(&longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	try_one(slice_of(data, size));
	if (size < 20)
		return 0;
	copy = must_alloc(size);
	memcpy(copy, data, size);
	repair(copy, size);
	try_one(slice_of((char *)copy, size));
	free(copy);
	return 0;
}
