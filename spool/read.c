/* spool/read.c - the queue as it is: jobs, their bytes, the state of rows. */
#include "spool/compress.h"
#include "spool/inside.h"

static bool copy_pending(const struct append_batch *b, lsn_t lsn, uint32_t size, char *mem)
{
	if (!b->n || lsn < b->start || lsn + size > b->start + b->n)
		return false;
	memcpy(mem, b->p + (lsn - b->start), size);
	return true;
}

static int read_file_unlock(struct spool *sp, lsn_t lsn, uint32_t size, char *mem)
{
	struct segment *seg = segment_of(sp, lsn);
	int r = seg ? segment_pin(sp, seg) : E_UNKNOWN;
	ssize_t n;

	spool_unlock(sp);
	if (r < 0)
		return r;
	n = sp->disk->pread(sp->disk->self, seg->fd, mem, size, lsn - seg->start);
	spool_lock(sp);
	segment_unpin(sp, seg);
	spool_unlock(sp);
	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : E_CORRUPT;
}

int read_record_unlock(struct spool *sp, lsn_t lsn, uint32_t size, char **ret_mem,
		       struct record *rec)
{
	OWNED_MEM char *mem = malloc(size);
	size_t need;
	int r;

	if (!mem) {
		spool_unlock(sp);
		return -ENOMEM;
	}
	if (copy_pending(&sp->flight, lsn, size, mem) ||
	    copy_pending(&sp->active, lsn, size, mem)) {
		spool_unlock(sp);
	} else {
		r = read_file_unlock(sp, lsn, size, mem);
		if (r < 0)
			return r;
	}
	r = record_parse(mem, size, lsn, sp->salt, rec, &need);
	if (r <= 0)
		return E_CORRUPT;
	*ret_mem = TAKE(mem);
	return 0;
}

/* The slot when it holds a live job (with `any`, also a finished one), else NULL. */
static struct kept_job *live_job(struct spool *sp, job_no no)
{
	if (no >= sp->t.jobs.used || kept_job_at(&sp->t, no)->state != JOB_LIVE)
		return NULL;
	return kept_job_at(&sp->t, no);
}

/* The cursor is a slot number: recovery hands out slots in the order of the log. */
int spool_next_job(struct spool *sp, uint64_t *cursor, job_no *ret)
{
	int r = E_UNKNOWN;

	spool_lock(sp);
	for (; *cursor < sp->t.jobs.used && r < 0; ++*cursor)
		if (live_job(sp, (job_no)*cursor)) {
			*ret = (job_no)*cursor;
			r = 0;
		}
	spool_unlock(sp);
	return r;
}

bool spool_look_for_oldest(struct spool *sp, uint64_t *cursor, unsigned looks, int64_t *oldest_ms)
{
	const struct kept_job *j;
	bool more;

	spool_lock(sp);
	for (; *cursor < sp->t.jobs.used && looks; ++*cursor, looks--) {
		j = live_job(sp, (job_no)*cursor);
		if (j)
			*oldest_ms = MIN_OF(*oldest_ms, j->accepted_ms);
	}
	more = *cursor < sp->t.jobs.used;
	spool_unlock(sp);
	return more;
}

int spool_job_info(struct spool *sp, job_no no, struct job_info *ret)
{
	const struct kept_job *j;
	int r = E_UNKNOWN;

	spool_lock(sp);
	j = live_job(sp, no);
	if (j) {
		*ret = (struct job_info){ j->id,         kept_content_at(&sp->t, j->content)->id,
					  j->tenant,     j->campaign,
					  j->class,      j->accepted_ms,
					  j->expires_ms, j->rows,
					  j->live };
		r = 0;
	}
	spool_unlock(sp);
	return r;
}

int spool_find_job(struct spool *sp, struct id128 id, job_no *ret)
{
	uint32_t i;
	int r = E_UNKNOWN;

	spool_lock(sp);
	i = kept_job_find(&sp->t, id);
	if (i != NONE && kept_job_at(&sp->t, i)->state == JOB_LIVE) {
		*ret = i;
		r = 0;
	}
	spool_unlock(sp);
	return r;
}

int spool_read_job(struct spool *sp, job_no no, struct buf *meta, struct buf *data)
{
	OWNED_MEM char *mem = NULL;
	struct record rec;
	struct job_view view;
	struct kept_job *j;
	int r;

	spool_lock(sp);
	j = live_job(sp, no);
	if (!j) {
		spool_unlock(sp);
		return E_UNKNOWN;
	}
	r = read_record_unlock(sp, j->lsn, j->size, &mem, &rec);
	if (r >= 0)
		r = record_decode_job(&rec, &view);
	if (r >= 0 && meta)
		r = buf_append(meta, view.meta);
	if (r >= 0 && data)
		r = view.f.packed ? compress_unpack(view.data, view.f.raw_len, data)
				  : buf_append(data, view.data);
	return r;
}

int read_content(struct spool *sp, struct id128 id, char **ret_mem, struct slice *ret_meta,
		 struct slice *ret_bytes)
{
	struct content_fixed f;
	struct record rec;
	uint32_t i;
	int r;

	spool_lock(sp);
	i = kept_content_find(&sp->t, id);
	if (i == NONE) {
		spool_unlock(sp);
		return E_UNKNOWN;
	}
	r = read_record_unlock(sp, kept_content_at(&sp->t, i)->lsn,
			       kept_content_at(&sp->t, i)->size, ret_mem, &rec);
	return r < 0 ? r : record_decode_content(rec.payload, &f, ret_meta, ret_bytes);
}

int spool_read_content(struct spool *sp, struct id128 id, struct buf *meta, struct buf *bytes)
{
	OWNED_MEM char *mem = NULL;
	struct slice m, b;
	int r = read_content(sp, id, &mem, &m, &b);

	if (r >= 0 && meta)
		r = buf_append(meta, m);
	if (r >= 0 && bytes)
		r = buf_append(bytes, b);
	return r;
}

bool spool_row_live(struct spool *sp, job_no no, uint32_t row, uint16_t *ret_attempts,
		    int64_t *ret_next_ms)
{
	const struct kept_job *j;
	uint64_t w = 0;
	bool live;

	spool_lock(sp);
	j = live_job(sp, no);
	live = j && row < j->rows && !kept_row_done(j, row);
	if (live)
		w = kept_row_deferred(j, row);
	spool_unlock(sp);
	*ret_attempts = kept_deferred_attempts(w);
	*ret_next_ms = kept_deferred_next(w);
	return live;
}
