/* Law: a file of what was learned is taken whole or not at all; what was taken is within the bounds
 * of adapt.h, and, written again and read again, is the same.
 *
 * The checksum is made right first, else nothing would get past it; the first byte says how long
 * the file lay there. */
#include "base/hash.h"
#include "mta/site/learned.h"
#include "mta/site/steer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 32, LENGTH_AT = 24, CRC_AT = 28 };
static const int64_t WALL = 1700000000000, MONO = 3600000;

static void mend(char *file, size_t n)
{
	uint32_t length = (uint32_t)(n - HEAD), crc;

	memcpy(file, "PSTNADPT", 8);
	memcpy(file + LENGTH_AT, &length, sizeof(length));
	crc = hash_crc32c(0, file, CRC_AT);
	crc = hash_crc32c(crc, file + HEAD, n - HEAD);
	memcpy(file + CRC_AT, &crc, sizeof(crc));
}

static void check(void *arg, struct site_limits *site, struct source_limits *e)
{
	struct steer *s = atomic_load(&e->steer);
	unsigned *n = arg;

	(void)site;
	if (!s)
		return;
	++*n;
	assert(s->adapt.window >= 1 && s->adapt.window <= 100000);
	assert(s->adapt.level <= ADAPT_LEVEL_MAX && s->adapt.rate >= 0);
	assert(s->adapt.closed_until_ms <= MONO + 2 * (int64_t)ADAPT_NAMED_MAX_MS);
	assert(s->adapt.pause_ms >= 0 && s->adapt.pause_ms <= ADAPT_PAUSE_MAX_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct limits *l = limits_new(), *again = limits_new();
	struct buf once = { 0 }, twice = { 0 };
	unsigned n = 0, known = 0, kept;
	char *file;

	if (size <= HEAD + 1)
		goto end;
	file = must_alloc(size - 1);
	memcpy(file, data + 1, size - 1);
	mend(file, size - 1);
	if (learned_read(l, slice_of(file, size - 1), WALL + data[0] * 3600000LL, MONO, &n) == 0) {
		limits_each_source(l, check, &known);
		assert(known <= n);
		kept = learned_write(l, WALL, MONO, &once);
		assert(kept <= known);
		assert(learned_read(again, buf_data(&once), WALL, MONO, &n) == 0 && n == kept);
		assert(learned_write(again, WALL, MONO, &twice) <= kept);
	} else {
		limits_each_source(l, check, &known);
		assert(known == 0);
	}
	free(file);
end:
	buf_free(&once);
	buf_free(&twice);
	(void)limits_free(l);
	(void)limits_free(again);
	return 0;
}
