/* spool/same.c - is what is put again what was put before?  The bytes on disk are compared: a thing
 * comes again only when an answer was lost, so nothing is kept in memory for it. */
#include "spool/compress.h"
#include "spool/inside.h"

static bool same_frame(const struct job_fixed *f, const struct job_in *in)
{
	return id_eq(f->content, in->content) && f->tenant == in->tenant &&
	       f->campaign == in->campaign && f->class == in->class && f->rows == in->rows &&
	       f->raw_len == in->data.n;
}

/* 1: the same recipients; 0: other ones; or negative. */
static int same_rows(const struct job_view *v, struct slice data)
{
	struct buf raw = { .max = 0 };
	int r;

	if (!v->f.packed)
		return slice_eq(v->data, data);
	r = compress_unpack(v->data, v->f.raw_len, &raw);
	if (r >= 0)
		r = slice_eq(buf_data(&raw), data);
	buf_free(&raw);
	return r;
}

/* The lifetime and the meta are not compared: they may have been changed while an answer was lost,
 * and what was accepted first counts. */
int same_job(struct spool *sp, const struct job_in *in)
{
	OWNED_MEM char *mem = NULL;
	struct record rec;
	struct job_view v;
	uint32_t i;
	int r;

	spool_lock(sp);
	i = kept_job_find(&sp->t, in->id);
	if (i == NONE) {
		spool_unlock(sp);
		return -EAGAIN;
	}
	r = read_record_unlock(sp, kept_job_at(&sp->t, i)->lsn, kept_job_at(&sp->t, i)->size, &mem,
			       &rec);
	if (r == -ENOENT)
		return -EAGAIN;
	if (r >= 0)
		r = record_decode_job(&rec, &v);
	if (r >= 0)
		r = same_frame(&v.f, in) ? same_rows(&v, in->data) : 0;
	return r < 0 ? r : r ? E_EXISTS : E_CONFLICT;
}

int same_content(struct spool *sp, const struct content_in *in)
{
	OWNED_MEM char *mem = NULL;
	struct slice meta, bytes;
	int r = read_content(sp, in->id, &mem, &meta, &bytes);

	if (r < 0)
		return r;
	return slice_eq(meta, in->meta) && slice_eq(bytes, in->bytes) ? E_EXISTS : E_CONFLICT;
}
