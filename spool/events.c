/* spool/events.c - the log as a stream: what was accepted and what became of it, in order. */
#include "spool/compress.h"
#include "spool/inside.h"
#include "spool/scan.h"

const char *spool_event_name(unsigned kind)
{
	static const char *const names[] = {
		[OUTCOME_DELIVERED] = "delivered",
		[OUTCOME_BOUNCED] = "bounced",
		[OUTCOME_EXPIRED] = "expired",
		[OUTCOME_CANCELLED] = "cancelled",
		[OUTCOME_DEFERRED] = "deferred",
		[EVENT_ACCEPTED] = "accepted",
		[LATE_DSN] = "returned",
		[LATE_DELAY] = "returned-delay",
		[LATE_COMPLAINT] = "complaint",
		[LATE_AUTO_REPLY] = "auto-reply",
		[LATE_UNSUBSCRIBE] = "unsubscribe",
		[LATE_DMARC] = "dmarc-report",
		[LATE_TLSRPT] = "tls-report",
		[LATE_OTHER] = "returned-other",
	};

	return kind < ARRAY_LEN(names) && names[kind] ? names[kind] : "unknown";
}

struct event_reader {
	int (*each)(void *arg, const struct event *e);
	void *arg;
	uint32_t left;
	lsn_t next;
	struct late_view late; /* of the event at hand */
	struct buf report;     /* unpacked */
};

/* 1: an event; 0: what it says was known already. */
static int late_event_of(struct event_reader *rd, const struct record *rec, struct event *e)
{
	struct late_fact *f = &rd->late.f;
	int r = late_decode(rec->payload, &rd->late);

	if (r >= 0 && rd->late.packed) {
		buf_clear(&rd->report);
		r = compress_unpack(f->report, rd->late.raw_len, &rd->report);
		f->report = buf_data(&rd->report);
	}
	if (r < 0 || f->again)
		return r;
	*e = (struct event){ .lsn = rec->end,
			     .kind = f->kind,
			     .job = f->job,
			     .tenant = f->tenant,
			     .campaign = f->campaign,
			     .row = f->row,
			     .at_ms = f->at_ms,
			     .late = f };
	return 1;
}

/* 1: an event; 0: the record is not one. */
static int event_of(struct event_reader *rd, const struct record *rec, struct event *e)
{
	struct job_view job;
	struct outcome_view v;
	int r;

	if (rec->flags & RECORD_COPY)
		return 0;
	if (rec->type == RECORD_JOB) {
		r = record_decode_job(rec, &job);
		*e = (struct event){ .lsn = rec->end,
				     .kind = EVENT_ACCEPTED,
				     .job = job.f.id,
				     .tenant = job.f.tenant,
				     .campaign = job.f.campaign,
				     .row = job.f.rows,
				     .at_ms = job.f.accepted_ms,
				     .meta = job.meta };
		return r < 0 ? r : 1;
	}
	if (rec->type == RECORD_RETURNED)
		return late_event_of(rd, rec, e);
	if (rec->type != RECORD_OUTCOME)
		return 0;
	r = record_decode_outcome(rec->payload, &v);
	if (r < 0)
		return r;
	*e = (struct event){ .lsn = rec->end,
			     .kind = v.o.kind,
			     .job = v.job,
			     .tenant = v.tenant,
			     .campaign = v.campaign,
			     .row = v.o.row,
			     .at_ms = v.o.at_ms,
			     .o = v.o };
	return 1;
}

static int read_some(struct event_reader *rd, struct scan *s)
{
	struct record rec;
	struct event e;
	int r = 1;

	while (rd->left && (r = scan_next(s, &rec)) > 0) {
		r = event_of(rd, &rec, &e);
		if (r > 0) {
			r = rd->each(rd->arg, &e);
			rd->left = r == SPOOL_ENOUGH ? 0 : rd->left - 1;
		}
		if (r < 0)
			return r;
		rd->next = rec.end;
	}
	return r < 0 ? r : 0;
}

static int read_segment(struct spool *sp, struct event_reader *rd, struct segment *seg, lsn_t limit)
{
	struct scan s;
	int r;

	rd->next = MAX_OF(rd->next, seg->start + SEGMENT_HEADER);
	scan_begin(&s, sp->disk, seg->fd, sp->salt, seg->start, rd->next, limit);
	r = read_some(rd, &s);
	scan_end(&s);
	spool_lock(sp);
	segment_unpin(sp, seg);
	spool_unlock(sp);
	return r;
}

/* Pins the segment that holds what follows `at`; *limit: how far it is durable. 0:
 * there is none. */
static int pin_at(struct spool *sp, lsn_t at, struct segment **ret, lsn_t *limit)
{
	lsn_t durable = atomic_load(&sp->durable);
	struct segment *seg;
	int r = 0;

	spool_lock(sp);
	seg = at >= sp->segs[0]->start ? segment_of(sp, at) : NULL;
	if (!seg)
		r = E_UNKNOWN;
	else if (at < durable)
		r = segment_pin(sp, seg);
	if (r >= 0 && at < durable) {
		*limit = MIN_OF(seg->end, durable);
		*ret = seg;
		r = 1;
	}
	spool_unlock(sp);
	return r;
}

/* Is it the middle of a sound record?  Asked only when there is none at `at`. */
static bool inside_record(struct spool *sp, lsn_t at)
{
	struct segment *seg;
	struct record rec;
	struct scan s;
	lsn_t limit, end = 0;

	if (pin_at(sp, at, &seg, &limit) <= 0)
		return false;
	scan_begin(&s, sp->disk, seg->fd, sp->salt, seg->start, seg->start + SEGMENT_HEADER, limit);
	while (end < at && scan_next(&s, &rec) > 0)
		end = rec.end;
	scan_end(&s);
	spool_lock(sp);
	segment_unpin(sp, seg);
	spool_unlock(sp);
	return end > at;
}

int spool_events(struct spool *sp, lsn_t from, uint32_t max,
		 int (*each)(void *arg, const struct event *e), void *arg, lsn_t *ret_next)
{
	struct event_reader rd = { .each = each, .arg = arg, .left = max, .next = from };
	struct segment *seg;
	lsn_t limit;
	int r = 0;

	if (from > spool_durable(sp) || from % 8)
		return -EINVAL;
	while (rd.left && r >= 0) {
		r = pin_at(sp, rd.next, &seg, &limit);
		if (r <= 0)
			break;
		r = read_segment(sp, &rd, seg, limit);
	}
	if (r == E_UNKNOWN && rd.next != from)
		r = 0; /* it cannot be NULL: nothing after `from` was removed while it was pinned */
	if (r == E_CORRUPT && rd.next == from && inside_record(sp, from))
		r = -EINVAL;
	buf_free(&rd.report);
	*ret_next = rd.next;
	return r < 0 ? r : 0;
}

lsn_t spool_back(struct spool *sp, uint64_t bytes)
{
	lsn_t durable = spool_durable(sp), at;
	const struct segment *seg;

	spool_lock(sp);
	seg = durable > bytes ? segment_of(sp, durable - bytes) : NULL;
	at = seg ? seg->start : sp->segs[0]->start;
	spool_unlock(sp);
	return MAX_OF(at, spool_oldest(sp));
}
