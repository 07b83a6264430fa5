/* schema/wire/pack.h - encoding into a struct buf through msgpack-c; private to schema/wire.
 * Owns:  nothing.  pack_begin() notes how long the buf is.  When anything failed, pack_end() cuts
 *        it back to that length: a failed put leaves the buf as it was.
 * Fails: pack_end() gives the first error. */
#pragma once
#include <msgpack.h>

#include "base/buf.h"
#include "base/value.h"

struct packer {
	msgpack_packer pk;
	struct buf *out;
	size_t before;
	int err;
};

void pack_begin(struct packer *p, struct buf *out);
int pack_end(struct packer *p) MUST_CHECK;
static inline void pack_fail(struct packer *p, int err)
{
	if (!p->err)
		p->err = err;
}
void pack_raw(struct packer *p, struct slice bytes); /* bytes that are msgpack already */
void pack_array(struct packer *p, size_t n);
void pack_map(struct packer *p, size_t n);
void pack_u64(struct packer *p, uint64_t u);
void pack_i64(struct packer *p, int64_t i);
void pack_bool(struct packer *p, bool b);
void pack_nil(struct packer *p);
void pack_real(struct packer *p, double d);
void pack_str(struct packer *p, struct slice s);
void pack_bin(struct packer *p, struct slice s);
void pack_value(struct packer *p, const struct value *v); /* E_LIMIT past VALUE_DEPTH_MAX */
