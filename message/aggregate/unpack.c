/* message/aggregate/unpack.c - gzip, and the first entry of a zip file, within bounds. */
#include <zlib.h>

#include "message/aggregate/aggregate.h"

enum { PIECE = 64 * 1024, RAW = -15, GZIP = 15 + 16, SLACK = 1024 * 1024 };
enum { ZIP_HEADER = 30, ZIP_ENCRYPTED = 1, ZIP_STORED = 0, ZIP_DEFLATED = 8 };

static int inflate_all(struct slice packed, int window, struct buf *out)
{
	size_t most = MIN_OF((size_t)AGGREGATE_PLAIN_MAX, packed.n * AGGREGATE_RATIO + SLACK);
	size_t before = buf_len(out);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n };
	int r = 0, done = Z_OK;

	if (packed.n > UINT32_MAX || inflateInit2(&z, window) != Z_OK)
		return E_LIMIT;
	while (r == 0 && done == Z_OK) {
		r = buf_reserve(out, PIECE);
		if (r < 0)
			break;
		z.next_out = (Bytef *)buf_tail(out);
		z.avail_out = PIECE;
		done = inflate(&z, Z_NO_FLUSH);
		out->end += PIECE - z.avail_out;
		if (buf_len(out) - before > most)
			r = E_LIMIT;
	}
	(void)inflateEnd(&z);
	return r < 0 ? r : done == Z_STREAM_END ? 0 : E_SYNTAX;
}

static unsigned u16(const char *p)
{
	return (unsigned char)p[0] | (unsigned)(unsigned char)p[1] << 8;
}

/* APPNOTE 4.3.7: the local header says how the bytes behind it are packed; their length may follow
 * them, so deflated ones say themselves where they end. */
static int unzip_first(struct slice zip, struct buf *out)
{
	unsigned method, names;
	uint32_t size;

	if (zip.n < ZIP_HEADER || u16(zip.p + 6) & ZIP_ENCRYPTED)
		return E_SYNTAX;
	method = u16(zip.p + 8);
	size = u16(zip.p + 18) | (uint32_t)u16(zip.p + 20) << 16;
	names = u16(zip.p + 26) + u16(zip.p + 28);
	if (names > zip.n - ZIP_HEADER)
		return E_SYNTAX;
	zip = slice_skip(zip, ZIP_HEADER + names);
	if (method == ZIP_DEFLATED)
		return inflate_all(zip, RAW, out);
	if (method != ZIP_STORED || size > zip.n)
		return E_SYNTAX;
	return size > AGGREGATE_PLAIN_MAX ? E_LIMIT : buf_append(out, slice_of(zip.p, size));
}

int aggregate_unpack(struct slice packed, struct buf *out)
{
	if (packed.n > 4 && !memcmp(packed.p, "PK\3\4", 4))
		return unzip_first(packed, out);
	if (packed.n > 2 && !memcmp(packed.p, "\x1f\x8b", 2))
		return inflate_all(packed, GZIP, out);
	return packed.n > AGGREGATE_PLAIN_MAX ? E_LIMIT : buf_append(out, packed);
}
