/* control/http/gunzip.c - zlib's inflate, member by member. */
#include "control/http/gunzip.h"

#define ZLIB_CONST
#include <zlib.h>

enum { PLAIN = 64 * 1024, AUTO_HEADER = 15 + 32 };

struct gunzip {
	z_stream z;
	gunzip_each each;
	void *arg;
	bool in_member, any; /* any: a member has ended */
	bool padding;        /* zeros after the last member */
	int err;
	unsigned char plain[PLAIN];
};

struct gunzip *gunzip_free(struct gunzip *z)
{
	if (!z)
		return NULL;
	(void)inflateEnd(&z->z);
	free(z);
	return NULL;
}

int gunzip_open(struct gunzip **ret, gunzip_each each, void *arg)
{
	struct gunzip *z = must_alloc(sizeof(*z));

	z->each = each;
	z->arg = arg;
	if (inflateInit2(&z->z, AUTO_HEADER) != Z_OK) {
		free(z);
		return -ENOMEM;
	}
	*ret = z;
	return 0;
}

/* The next bytes begin a member, or pad the file. */
static int begin_member(struct gunzip *z)
{
	while (z->any && z->z.avail_in && *z->z.next_in == 0) {
		z->padding = true;
		z->z.next_in++;
		z->z.avail_in--;
	}
	if (!z->z.avail_in)
		return 0;
	if (z->padding || (z->any && inflateReset(&z->z) != Z_OK))
		return E_SYNTAX;
	z->in_member = true;
	return 0;
}

static int step(struct gunzip *z)
{
	int r, got;

	z->z.next_out = z->plain;
	z->z.avail_out = PLAIN;
	got = inflate(&z->z, Z_NO_FLUSH);
	if (got != Z_OK && got != Z_STREAM_END && got != Z_BUF_ERROR)
		return got == Z_MEM_ERROR ? -ENOMEM : E_SYNTAX;
	r = PLAIN - z->z.avail_out ? z->each(z->arg, slice_of(z->plain, PLAIN - z->z.avail_out))
				   : 0;
	if (got == Z_STREAM_END) {
		z->in_member = false;
		z->any = true;
	}
	return r;
}

int gunzip_feed(struct gunzip *z, struct slice piece)
{
	z->z.next_in = (const unsigned char *)piece.p;
	z->z.avail_in = (unsigned)piece.n;
	while (z->err >= 0) {
		if (!z->in_member)
			z->err = begin_member(z);
		if (z->err < 0 || !z->in_member)
			break;
		z->err = step(z);
		if (z->z.avail_in == 0 && z->z.avail_out) /* else there is more to come out */
			break;
	}
	return z->err < 0 ? z->err : 0;
}

int gunzip_end(struct gunzip *z)
{
	if (z->err >= 0 && (z->in_member || !z->any))
		z->err = E_SYNTAX;
	return z->err < 0 ? z->err : 0;
}
