/* message/aggregate/pack.c - a report of our own, gzipped. */
#include <zlib.h>

#include "message/aggregate/aggregate.h"

enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8 };

int aggregate_pack(struct slice plain, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)plain.p, .avail_in = (uInt)plain.n };
	int r;

	if (plain.n > AGGREGATE_PLAIN_MAX ||
	    deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return E_LIMIT;
	r = buf_reserve(out, deflateBound(&z, plain.n));
	if (r == 0) {
		z.next_out = (Bytef *)buf_tail(out);
		z.avail_out = (uInt)deflateBound(&z, plain.n);
		r = deflate(&z, Z_FINISH) == Z_STREAM_END ? 0 : E_LIMIT;
	}
	if (r == 0)
		buf_grow(out, z.total_out);
	(void)deflateEnd(&z);
	return r;
}
