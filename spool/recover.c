/* spool/recover.c - reads the log from its oldest segment to its end and rebuilds the books. Rows
 * are not unpacked: the header gives the job, the outcomes give its state.  The only change on disk
 * is the cut of a torn tail, so a second recovery gives the same state. */
#include "spool/inside.h"

/* A content with "more follows" counts only when the record after it is there too. */
struct held {
	bool any;
	struct id128 id;
	lsn_t lsn;
	uint32_t size;
};
struct recovery {
	struct spool *sp;
	struct spool_recovery *report;
	struct held held;
	struct durable_mark mark;
	bool hole;          /* a record was lost since the last header */
	bool base_unknown;  /* the first header was written by a repair */
	lsn_t unsettled_at; /* of a lost record that no repair record follows; 0: none */
};

/* A job may name a content whose only record is a later copy: its slot is made here. */
static uint32_t content_slot(struct spool *sp, struct id128 id)
{
	uint32_t i = kept_content_find(&sp->t, id);

	return i != NONE ? i : kept_content_add(&sp->t, id);
}

static void place_content(struct recovery *rc)
{
	struct kept_content *c;

	if (!rc->held.any)
		return;
	c = kept_content_at(&rc->sp->t, content_slot(rc->sp, rc->held.id));
	c->lsn = rc->held.lsn;
	c->size = rc->held.size;
	rc->held.any = false;
}

static int apply_content(struct recovery *rc, const struct record *rec)
{
	struct content_fixed f;
	struct slice meta, bytes;
	int r = record_decode_content(rec->payload, &f, &meta, &bytes);

	if (r < 0)
		return r;
	rc->held = (struct held){ true, f.id, rec->lsn, (uint32_t)(rec->end - rec->lsn) };
	if (!(rec->flags & RECORD_MORE))
		place_content(rc);
	return 0;
}

static void apply_copy_state(struct spool *sp, struct kept_job *j, const struct job_view *v)
{
	struct deferred_row d;

	for (uint32_t row = 0; row < v->f.rows; row++)
		if ((unsigned char)v->bitmap.p[row / 8] >> row % 8 & 1 && !kept_row_done(j, row)) {
			kept_row_set_done(j, row);
			sp->t.queued--;
		}
	for (size_t at = 0; at < v->deferred.n; at += sizeof(d)) {
		memcpy(&d, v->deferred.p + at, sizeof(d));
		if (d.row < v->f.rows && !kept_row_done(j, d.row))
			kept_row_set_deferred(j, d.row, d.attempts, d.next_ms);
	}
}

static int apply_job(struct recovery *rc, const struct record *rec)
{
	struct spool *sp = rc->sp;
	bool copy = rec->flags & RECORD_COPY;
	struct job_view v;
	struct kept_job *j;
	uint32_t i;
	int r = record_decode_job(rec, &v);

	if (r < 0)
		return r;
	i = kept_job_find(&sp->t, v.f.id);
	if (i != NONE && (!copy || kept_job_at(&sp->t, i)->rows != v.f.rows))
		return E_CORRUPT; /* accepted twice: spool_put never does that */
	if (i == NONE) {
		uint32_t content = content_slot(sp, v.f.content);
		i = kept_job_add(&sp->t, &v.f);
		kept_job_at(&sp->t, i)->content = content;
		sp->t.queued += v.f.rows;
		if (!copy)
			sp->t.totals.accepted += v.f.rows;
	}
	j = kept_job_at(&sp->t, i);
	j->lsn = rec->lsn;
	j->size = (uint32_t)(rec->end - rec->lsn);
	if (copy)
		apply_copy_state(sp, j, &v);
	return 0;
}

/* An outcome of an unknown job counts too: either the job ended and its record is gone, or a copy
 * of it follows whose bitmap has this row. */
static int apply_outcome(struct recovery *rc, const struct record *rec)
{
	struct spool *sp = rc->sp;
	struct outcome_view v;
	struct kept_job *j = NULL;
	uint32_t i;
	int r = record_decode_outcome(rec->payload, &v);

	if (r < 0)
		return r;
	i = kept_job_find(&sp->t, v.job);
	if (i != NONE) {
		j = kept_job_at(&sp->t, i);
		if (v.o.row >= j->rows || kept_row_done(j, v.o.row))
			return E_CORRUPT; /* a second end: spool_put_outcome never does that */
	}
	state_total(&sp->t.totals, v.o.kind);
	if (!j)
		return 0;
	if (v.o.kind == OUTCOME_DEFERRED) {
		kept_row_set_deferred(j, v.o.row, v.o.attempt, v.o.next_ms);
		return 0;
	}
	kept_row_set_done(j, v.o.row);
	sp->t.queued--;
	return 0;
}

static int apply_rule(struct recovery *rc, const struct record *rec)
{
	struct slice key, value;
	int r = record_decode_rule(rec->payload, &key, &value);

	if (r >= 0)
		state_rule(rc->sp, key, value, rec->lsn, (uint32_t)(rec->end - rec->lsn));
	return r;
}

static int apply_consumer(struct recovery *rc, const struct record *rec)
{
	struct slice name;
	struct kept_consumer *c;
	lsn_t cursor;
	int r = record_decode_consumer(rec->payload, &name, &cursor);

	if (r < 0)
		return r;
	state_consumer(rc->sp, name, cursor, rec->lsn, (uint32_t)(rec->end - rec->lsn));
	c = kept_consumer_find(&rc->sp->t, name);
	if (c)
		c->kept = cursor;
	return 0;
}

static int apply_lost(struct recovery *rc, const struct record *rec)
{
	struct lost_fixed f;

	rc->hole = true;
	rc->unsettled_at = rec->lsn;
	if (rec->payload.n < sizeof(f))
		return 0;
	memcpy(&f, rec->payload.p, sizeof(f));
	rc->sp->t.totals.accepted += f.rows;
	return 0;
}

static int apply_repair(struct recovery *rc, const struct record *rec)
{
	struct repair_fixed f;

	if (rec->payload.n != sizeof(f))
		return E_CORRUPT;
	memcpy(&f, rec->payload.p, sizeof(f));
	rc->sp->t.totals = f.totals;
	rc->sp->t.lost = f.lost;
	rc->sp->t.repaired = rec->end;
	rc->hole = rc->base_unknown = false;
	rc->unsettled_at = 0;
	return 0;
}

static int apply_late_mail(struct recovery *rc, const struct record *rec)
{
	return late_apply_mail(rc->sp, rec);
}

static int apply_fact(struct recovery *rc, const struct record *rec)
{
	return late_apply_fact(rc->sp, rec);
}

static int apply_tally(struct recovery *rc, const struct record *rec)
{
	struct segment *seg = segment_of(rc->sp, rec->lsn);

	if (rec->lsn == seg->start + SEGMENT_HEADER)
		seg->head += (uint32_t)(rec->end - rec->lsn);
	return late_apply_tally(rc->sp, rec);
}

static int apply_mark(struct recovery *rc UNUSED, const struct record *rec UNUSED)
{
	return 0;
}

static int (*const apply[RECORD_TYPES])(struct recovery *rc, const struct record *rec) = {
	[RECORD_CONTENT] = apply_content,   [RECORD_JOB] = apply_job,
	[RECORD_OUTCOME] = apply_outcome,   [RECORD_RULE] = apply_rule,
	[RECORD_CONSUMER] = apply_consumer, [RECORD_MARK] = apply_mark,
	[RECORD_LOST] = apply_lost,         [RECORD_REPAIR] = apply_repair,
	[RECORD_RETURNED] = apply_fact,     [RECORD_LATE_MAIL] = apply_late_mail,
	[RECORD_TALLY] = apply_tally,
};

static int apply_record(struct recovery *rc, struct segment *seg, const struct record *rec)
{
	if (rec->type >= RECORD_TYPES || !apply[rec->type])
		return E_VERSION; /* never skipped: it may be a newer kind of outcome */
	place_content(rc);
	seg->end = rec->end;
	atomic_store(&rc->sp->head, rec->end);
	rc->report->records++;
	return apply[rec->type](rc, rec);
}

static int name_fault(struct recovery *rc, const struct segment *seg, lsn_t at, const char *reason,
		      int err)
{
	folder_segment_name(seg->start, rc->report->bad_segment);
	rc->report->bad_offset = at - seg->start;
	rc->report->reason = reason;
	return err;
}

static const char lacks_end[] =
    "the log ends here, but it was durable further: the rest of this file or a later segment is "
    "missing";

static const char *why_record(int err, bool applied)
{
	if (err == E_VERSION)
		return "a newer program wrote this record";
	if (err != E_CORRUPT)
		return "the file cannot be read";
	return applied ? "this record contradicts those before it"
		       : "these bytes are not the record that was written";
}

/* Reads all records of a segment.  Each segment but the newest must reach the
 * beginning of the next. */
static int read_records(struct recovery *rc, struct segment *seg, lsn_t limit, bool newest)
{
	struct spool *sp = rc->sp;
	struct tail tail = { false, 0 };
	struct record rec;
	struct scan s;
	bool applied;
	lsn_t at;
	int r;

	scan_begin(&s, sp->disk, seg->fd, sp->salt, seg->start, seg->start + SEGMENT_HEADER, limit);
	do {
		at = s.at;
		r = newest ? scan_next_newest(&s, &rec, &tail) : scan_next(&s, &rec);
		applied = r > 0;
		if (!applied)
			break;
		r = apply_record(rc, seg, &rec);
	} while (r >= 0);
	scan_end(&s);
	if (r == 0 && newest && folder_lacks(&rc->mark, sp->id, at))
		return name_fault(rc, seg, at, lacks_end, E_CORRUPT);
	if (r < 0)
		return name_fault(rc, seg, at, why_record(r, applied), r);
	rc->report->bytes += at - seg->start;
	rc->report->torn_records += tail.sound;
	return 0;
}

static int check_header(struct recovery *rc, struct segment *seg, bool first)
{
	struct spool *sp = rc->sp;
	struct segment_header h;
	const char *why = "the header of the segment is damaged";
	int r = scan_header(sp->disk, seg->fd, seg->start, &h);

	if (r >= 0 && !first && !id_eq(sp->id, (struct id128){ h.spool_hi, h.spool_lo })) {
		why = "the segment belongs to another spool";
		r = E_CORRUPT;
	}
	if (r == E_VERSION)
		why = "a newer program wrote this segment";
	else if (r < 0 && r != E_CORRUPT)
		why = "the file cannot be read";
	if (r < 0)
		return name_fault(rc, seg, seg->start, why, r);
	if (h.rebuilt)
		rc->unsettled_at = seg->start + 1;
	if (!first) {
		/* What was accepted is known again at the next header that the engine wrote. */
		if (!h.rebuilt && rc->base_unknown)
			sp->t.totals = h.base;
		else if (!h.rebuilt && rc->hole)
			sp->t.totals.accepted = h.base.accepted;
		rc->hole &= h.rebuilt;
		rc->base_unknown &= h.rebuilt;
		return 0;
	}
	rc->base_unknown = h.rebuilt;
	sp->t.lost = h.lost;
	sp->id = (struct id128){ h.spool_hi, h.spool_lo };
	sp->salt = record_salt(sp->id);
	sp->t.totals = h.base;
	return 0;
}

/* Writes zeros from the end of the last record to the end of the file and syncs them before
 * anything is appended: otherwise the rest of a torn batch might one day follow a new record and be
 * taken for the log. */
static int cut_tail(struct recovery *rc, struct segment *seg)
{
	const struct disk *d = rc->sp->disk;
	uint64_t used = seg->end - seg->start, size;
	int r = d->size(d->self, seg->fd, &size);

	if (r >= 0)
		r = d->truncate(d->self, seg->fd, used);
	if (r >= 0)
		r = d->sync_data(d->self, seg->fd);
	if (r < 0)
		return r;
	seg->file_bytes = used;
	if (rc->sp->repairing) { /* what a repair adds goes to the same file, whatever its size */
		seg->limit = used + PENDING_MAX;
		return 0;
	}
	seg->limit = used; /* on a full disk, the next record goes to a segment with room */
	if (used >= rc->sp->segment_bytes ||
	    d->allocate(d->self, seg->fd, rc->sp->segment_bytes) < 0)
		return 0;
	seg->file_bytes = seg->limit = rc->sp->segment_bytes;
	return d->sync_data(d->self, seg->fd);
}

static int read_segment(struct recovery *rc, size_t i)
{
	struct spool *sp = rc->sp;
	struct segment *seg = sp->segs[i];
	bool newest = i + 1 == sp->n_segs;
	uint64_t size = 0;
	int r = segment_pin(sp, seg);

	if (r < 0)
		return name_fault(rc, seg, seg->start, "the file cannot be opened", r);
	seg->made = true;
	r = check_header(rc, seg, i == 0);
	if (r >= 0)
		r = sp->disk->size(sp->disk->self, seg->fd, &size);
	if (r >= 0)
		r = read_records(rc, seg, newest ? seg->start + size : sp->segs[i + 1]->start,
				 newest);
	if (r >= 0 && newest && rc->held.any) {
		seg->end = rc->held.lsn; /* its job is missing, so it does not count */
		rc->held.any = false;
		rc->report->torn_records++;
	}
	if (r >= 0 && newest && !sp->read_only && (r = cut_tail(rc, seg)) < 0)
		r = name_fault(rc, seg, seg->end, "the end of the log cannot be cut", r);
	segment_unpin(sp, seg);
	return r;
}

static int settle_job(struct recovery *rc, uint32_t i)
{
	struct spool *sp = rc->sp;
	struct kept_job *j = kept_job_at(&sp->t, i);

	if (j->state == JOB_FREE)
		return 0;
	segment_link_job(sp, i);
	if (!j->live) {
		kept_job_drop_state(j);
		j->state = JOB_DONE;
		j->content = NONE;
		return 0;
	}
	if (!kept_content_at(&sp->t, j->content)->size && sp->repairing) {
		if (sp->n_orphans == sp->cap_orphans) {
			sp->cap_orphans = MAX_OF(sp->cap_orphans * 2, (size_t)16);
			sp->orphans = must_resize(sp->orphans, sp->cap_orphans * sizeof(uint32_t));
		}
		sp->orphans[sp->n_orphans++] = i;
		j->content = NONE;
		return 0;
	}
	if (!kept_content_at(&sp->t, j->content)->size)
		return name_fault(rc, segment_of(sp, j->lsn), j->lsn,
				  "the content of this job is not in the log", E_CORRUPT);
	state_job_live(sp, i);
	return 0;
}

/* All records are known now: says what is live, and where. */
static int settle(struct recovery *rc)
{
	struct spool *sp = rc->sp;
	int r = 0;

	for (uint32_t i = 0; i < sp->t.jobs.used && r >= 0; i++)
		r = settle_job(rc, i);
	for (uint32_t i = 0; i < sp->t.contents.used; i++) {
		struct kept_content *c = kept_content_at(&sp->t, i);
		if (c->used && c->size)
			segment_link_content(sp, i);
		else if (c->used && !c->refs)
			kept_content_forget(&sp->t, i);
	}
	return r;
}

static int list_segments(struct recovery *rc)
{
	struct spool *sp = rc->sp;
	struct folder f;
	int r = folder_list(&f, sp->disk, sp->dirfd);

	if (r >= 0 && f.spare && !sp->read_only)
		r = sp->disk->unlink(sp->disk->self, sp->dirfd, SPARE_NAME);
	for (size_t i = 0; i < f.n; i++)
		(void)segment_add(sp, f.starts[i]);
	free(f.starts);
	rc->mark = f.mark;
	rc->report->durable = f.mark.lsn;
	return r;
}

int recover_log(struct spool *sp, struct spool_recovery *report)
{
	struct recovery rc = { .sp = sp, .report = report };
	int r = list_segments(&rc);

	for (size_t i = 0; i < sp->n_segs && r >= 0; i++)
		r = read_segment(&rc, i);
	if (r < 0 || !sp->n_segs)
		return r;
	sp->unsettled = rc.unsettled_at != 0;
	if (rc.unsettled_at && !sp->repairing)
		return name_fault(&rc, segment_of(sp, rc.unsettled_at), rc.unsettled_at & ~(lsn_t)7,
				  "a repair of the spool was interrupted here", E_CORRUPT);
	atomic_store(&sp->head, segment_newest(sp)->end);
	atomic_store(&sp->durable, segment_newest(sp)->end);
	sp->active.start = segment_newest(sp)->end;
	return settle(&rc);
}
