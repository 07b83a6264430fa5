/* schema/wire/pack.c - msgpack-c writing into a buf. */
#include "schema/wire/pack.h"

/* The results of msgpack-c are ignored below: the callback keeps the first error. */
static int write_piece(void *data, const char *p, size_t n)
{
	struct packer *pk = data;

	if (!pk->err)
		pk->err = buf_append(pk->out, slice_of(p, n));
	return pk->err;
}

void pack_begin(struct packer *p, struct buf *out)
{
	*p = (struct packer){ .out = out, .before = buf_len(out) };
	msgpack_packer_init(&p->pk, p, write_piece);
}

int pack_end(struct packer *p)
{
	if (p->err)
		p->out->end = p->out->start + p->before;
	return p->err;
}

void pack_raw(struct packer *p, struct slice bytes)
{
	(void)write_piece(p, bytes.p, bytes.n);
}

void pack_array(struct packer *p, size_t n)
{
	if (n > UINT32_MAX)
		pack_fail(p, E_LIMIT);
	else
		(void)msgpack_pack_array(&p->pk, n);
}

void pack_map(struct packer *p, size_t n)
{
	if (n > UINT32_MAX)
		pack_fail(p, E_LIMIT);
	else
		(void)msgpack_pack_map(&p->pk, n);
}

void pack_u64(struct packer *p, uint64_t u)
{
	(void)msgpack_pack_uint64(&p->pk, u);
}

void pack_i64(struct packer *p, int64_t i)
{
	(void)msgpack_pack_int64(&p->pk, i);
}

void pack_bool(struct packer *p, bool b)
{
	(void)(b ? msgpack_pack_true(&p->pk) : msgpack_pack_false(&p->pk));
}

void pack_nil(struct packer *p)
{
	(void)msgpack_pack_nil(&p->pk);
}

void pack_real(struct packer *p, double d)
{
	(void)msgpack_pack_double(&p->pk, d);
}

void pack_str(struct packer *p, struct slice s)
{
	if (s.n > UINT32_MAX) {
		pack_fail(p, E_LIMIT);
		return;
	}
	(void)msgpack_pack_str(&p->pk, s.n);
	(void)msgpack_pack_str_body(&p->pk, s.p, s.n);
}

void pack_bin(struct packer *p, struct slice s)
{
	if (s.n > UINT32_MAX) {
		pack_fail(p, E_LIMIT);
		return;
	}
	(void)msgpack_pack_bin(&p->pk, s.n);
	(void)msgpack_pack_bin_body(&p->pk, s.p, s.n);
}
