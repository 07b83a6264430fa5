/* spool/put.c - what the spool accepts: contents with jobs, outcomes, rules, cursors. */
#include "base/hash.h"
#include "spool/compress.h"
#include "spool/inside.h"

/* The part of a put that needs no lock: packed, encoded, checksummed. */
struct draft {
	struct content_fixed content;
	struct job_fixed job;
	struct append_part content_parts[3], job_parts[3];
	uint32_t content_crc, job_crc;
	uint64_t content_size, job_size; /* of the records; 0: none */
	char *packed;
};

static void draft_content(struct draft *d, const struct content_in *in)
{
	d->content = (struct content_fixed){ in->id, (uint32_t)in->meta.n, (uint32_t)in->bytes.n };
	d->content_parts[0] = (struct append_part){ &d->content, sizeof(d->content) };
	d->content_parts[1] = (struct append_part){ in->meta.p, in->meta.n };
	d->content_parts[2] = (struct append_part){ in->bytes.p, in->bytes.n };
	d->content_crc = append_parts_crc(d->content_parts, 3);
	d->content_size = record_size(sizeof(d->content) + in->meta.n + in->bytes.n);
}

static int draft_job(struct draft *d, const struct job_in *in)
{
	struct slice data = in->data;
	size_t packed_n = 0;
	int r = compress_pack(in->data, &d->packed, &packed_n);

	if (r < 0)
		return r;
	if (r > 0)
		data = slice_of(d->packed, packed_n);
	d->job = (struct job_fixed){
		.id = in->id,
		.content = in->content,
		.tenant = in->tenant,
		.campaign = in->campaign,
		.accepted_ms = in->accepted_ms,
		.expires_ms = in->expires_ms,
		.rows = in->rows,
		.meta_len = (uint32_t)in->meta.n,
		.data_len = (uint32_t)data.n,
		.raw_len = (uint32_t)in->data.n,
		.class = in->class,
		.packed = r > 0,
	};
	d->job_parts[0] = (struct append_part){ &d->job, sizeof(d->job) };
	d->job_parts[1] = (struct append_part){ in->meta.p, in->meta.n };
	d->job_parts[2] = (struct append_part){ data.p, data.n };
	d->job_crc = append_parts_crc(d->job_parts, 3);
	d->job_size = record_size(sizeof(d->job) + in->meta.n + data.n);
	return 0;
}

static int check_input(const struct content_in *content, const struct job_in *job)
{
	if (!content && !job)
		return -EINVAL;
	if (content && (content->meta.n > CONTENT_MAX || content->bytes.n > CONTENT_MAX ||
			content->meta.n + content->bytes.n > CONTENT_MAX))
		return E_LIMIT;
	if (!job)
		return 0;
	if (!job->rows)
		return -EINVAL;
	if (job->rows > ROWS_MAX || job->meta.n > CONTENT_MAX || job->data.n > CONTENT_MAX ||
	    job->meta.n + job->data.n > CONTENT_MAX / 2)
		return E_LIMIT; /* half, because its copies also carry the state of every row */
	return 0;
}

static uint32_t add_content(struct spool *sp, const struct draft *d, unsigned flags)
{
	lsn_t end = append_record(sp, RECORD_CONTENT, flags, d->content_crc, d->content_parts, 3);
	uint32_t i = kept_content_add(&sp->t, d->content.id);
	struct kept_content *c = kept_content_at(&sp->t, i);

	c->lsn = end - d->content_size;
	c->size = (uint32_t)d->content_size;
	segment_link_content(sp, i);
	return i;
}

static uint32_t add_job(struct spool *sp, const struct draft *d, uint32_t content)
{
	lsn_t end = append_record(sp, RECORD_JOB, 0, d->job_crc, d->job_parts, 3);
	uint32_t i = kept_job_add(&sp->t, &d->job);
	struct kept_job *j = kept_job_at(&sp->t, i);

	j->lsn = end - d->job_size;
	j->size = (uint32_t)d->job_size;
	j->content = content;
	sp->t.totals.accepted += j->rows;
	sp->t.queued += j->rows;
	segment_link_job(sp, i);
	state_job_live(sp, i);
	return i;
}

/* Known already: success for those who send again, at a position that is safe to wait for. */
static int known_job(struct spool *sp, uint32_t i, job_no *ret_job, lsn_t *ret_lsn)
{
	if (ret_job)
		*ret_job = i;
	*ret_lsn = atomic_load(&sp->head);
	append_urgent(sp);
	return E_EXISTS;
}

static int put_locked(struct spool *sp, struct draft *d, job_no *ret_job, lsn_t *ret_lsn)
{
	uint32_t i = d->job_size ? kept_job_find(&sp->t, d->job.id) : NONE, content = NONE;
	int r;

	if (i != NONE)
		return known_job(sp, i, ret_job, ret_lsn);
	if (d->content_size)
		content = kept_content_find(&sp->t, d->content.id);
	if (content != NONE)
		d->content_size = 0; /* stored once */
	if (d->job_size && !(d->content_size && id_eq(d->content.id, d->job.content))) {
		content = kept_content_find(&sp->t, d->job.content);
		if (content == NONE)
			return E_UNKNOWN;
	}
	if (d->content_size || d->job_size) {
		r = append_room(sp, d->content_size + d->job_size, WANT_MAIL);
		if (r < 0)
			return r;
	}
	if (d->content_size) {
		i = add_content(sp, d, d->job_size ? RECORD_MORE : 0);
		if (content == NONE)
			content = i;
	}
	if (d->job_size) {
		i = add_job(sp, d, content);
		if (ret_job)
			*ret_job = i;
	}
	*ret_lsn = atomic_load(&sp->head);
	append_urgent(sp);
	return 0;
}

static int check_known_content(struct spool *sp, const struct content_in *in)
{
	int r = same_content(sp, in);

	return r == E_UNKNOWN || r == E_EXISTS ? 0 : r;
}

int spool_put(struct spool *sp, const struct content_in *content, const struct job_in *job,
	      job_no *ret_job, lsn_t *ret_lsn)
{
	struct draft d = { .packed = NULL };
	int r = check_input(content, job);

	if (r >= 0 && content)
		r = check_known_content(sp, content);
	if (r < 0)
		return r;
	if (content)
		draft_content(&d, content);
	if (job)
		r = draft_job(&d, job);
	if (r < 0)
		return r;
	spool_lock(sp);
	r = put_locked(sp, &d, ret_job, ret_lsn);
	spool_unlock(sp);
	free(d.packed);
	return r == E_EXISTS ? same_job(sp, job) : r;
}

static int outcome_locked(struct spool *sp, const struct outcome *o, lsn_t *ret_lsn)
{
	char bytes[OUTCOME_BYTES_MAX];
	struct kept_job *j = o->job < sp->t.jobs.used ? kept_job_at(&sp->t, o->job) : NULL;
	struct append_part part = { bytes, 0 };
	int r;

	if (!j || j->state == JOB_FREE || o->row >= j->rows)
		return E_UNKNOWN;
	if (kept_row_done(j, o->row))
		return E_CONFLICT;
	part.n = record_encode_outcome(bytes, j->id, j->tenant, j->campaign, o);
	r = append_room(sp, record_size(part.n), WANT_OUTCOME);
	if (r < 0)
		return r;
	*ret_lsn = append_record(sp, RECORD_OUTCOME, 0, hash_crc32c(0, bytes, part.n), &part, 1);
	append_lazy(sp);
	state_total(&sp->t.totals, o->kind);
	if (o->kind == OUTCOME_DEFERRED) {
		kept_row_set_deferred(j, o->row, o->attempt, o->next_ms);
		return 0;
	}
	sp->t.queued--;
	kept_row_set_done(j, o->row);
	if (!j->live)
		state_job_ended(sp, o->job);
	return 0;
}

int spool_put_outcome(struct spool *sp, const struct outcome *o, lsn_t *ret_lsn)
{
	lsn_t end = 0;
	int r;

	if (o->kind < OUTCOME_DELIVERED || o->kind > OUTCOME_DEFERRED)
		return -EINVAL;
	spool_lock(sp);
	r = outcome_locked(sp, o, &end);
	spool_unlock(sp);
	if (r >= 0 && ret_lsn)
		*ret_lsn = end;
	return r;
}

int spool_put_rule(struct spool *sp, struct slice key, struct slice value, lsn_t *ret_lsn)
{
	uint32_t key_len = (uint32_t)key.n;
	const struct append_part parts[] = { { &key_len, 4 },
					     { key.p, key.n },
					     { value.p, value.n } };
	uint64_t size = record_size(4 + key.n + value.n);
	uint32_t crc;
	lsn_t end = 0;
	int r;

	if (!key.n || key.n > RULE_KEY_MAX || value.n > RULE_VALUE_MAX)
		return E_LIMIT;
	crc = append_parts_crc(parts, 3);
	spool_lock(sp);
	r = append_room(sp, size, WANT_OUTCOME);
	if (r >= 0) {
		end = append_record(sp, RECORD_RULE, 0, crc, parts, 3);
		state_rule(sp, key, value, end - size, (uint32_t)size);
		append_urgent(sp);
	}
	spool_unlock(sp);
	if (r >= 0 && ret_lsn)
		*ret_lsn = end;
	return r;
}

static int put_consumer(struct spool *sp, struct slice name, lsn_t cursor)
{
	const struct append_part parts[] = { { &cursor, 8 }, { name.p, name.n } };
	uint64_t size = record_size(8 + name.n);
	int r;

	spool_lock(sp);
	r = append_room(sp, size, WANT_OUTCOME);
	if (r >= 0) {
		lsn_t end =
		    append_record(sp, RECORD_CONSUMER, 0, append_parts_crc(parts, 2), parts, 2);
		state_consumer(sp, name, cursor, end - size, (uint32_t)size);
		append_lazy(sp);
	}
	spool_unlock(sp);
	return r;
}

int spool_consumer_set(struct spool *sp, struct slice name, lsn_t cursor)
{
	if (!name.n || name.n > CONSUMER_NAME_MAX)
		return E_LIMIT;
	if (cursor > spool_durable(sp))
		return -EINVAL;
	return put_consumer(sp, name, cursor);
}

int spool_consumer_drop(struct spool *sp, struct slice name)
{
	bool known;

	spool_lock(sp);
	known = kept_consumer_find(&sp->t, name) != NULL;
	spool_unlock(sp);
	return known ? put_consumer(sp, name, UINT64_MAX) : E_UNKNOWN;
}

void spool_each_consumer(struct spool *sp, void (*each)(void *arg, struct slice name, lsn_t cursor),
			 void *arg)
{
	spool_lock(sp);
	for (const struct kept_consumer *c = sp->t.consumers; c; c = c->next)
		each(arg, slice_of(c->name, c->name_len), c->cursor);
	spool_unlock(sp);
}

int spool_consumer_get(struct spool *sp, struct slice name, lsn_t *ret)
{
	const struct kept_consumer *c;

	spool_lock(sp);
	c = kept_consumer_find(&sp->t, name);
	if (c)
		*ret = c->cursor;
	spool_unlock(sp);
	return c ? 0 : E_UNKNOWN;
}
