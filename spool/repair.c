/* spool/repair.c - repairs a damaged log: its places, then the books. */
#include "spool/repair.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "schema/wire/rows.h"
#include "spool/inside.h"
#include "spool/repair_places.h"

#define WHY_CANCELLED "the content was lost to damage of the spool"

/* ---- recipients whose content is lost ---------------------------------------------------- */

static int put_end(struct spool *sp, struct kept_job *j, uint32_t row, struct slice rcpt)
{
	struct outcome o = { .row = row,
			     .kind = OUTCOME_CANCELLED,
			     .attempt = kept_deferred_attempts(kept_row_deferred(j, row)),
			     .status = STATUS(5, 3, 0),
			     .at_ms = clock_wall_ms(),
			     .text = SLICE(WHY_CANCELLED),
			     .rcpt = rcpt };
	char bytes[OUTCOME_BYTES_MAX];
	struct append_part part = { bytes, record_encode_outcome(bytes, j->id, j->tenant,
								 j->campaign, &o) };
	int r = append_room(sp, record_size(part.n), WANT_OUTCOME);

	if (r < 0)
		return r;
	(void)append_record(sp, RECORD_OUTCOME, 0, hash_crc32c(0, part.p, part.n), &part, 1);
	kept_row_set_done(j, row);
	sp->t.queued--;
	sp->t.totals.cancelled++;
	return 0;
}

/* Entered without the lock.  An address that cannot be read is left out. */
static int end_orphan(struct spool *sp, uint32_t i, uint64_t *cancelled)
{
	struct kept_job *j = kept_job_at(&sp->t, i);
	OWNED(wire_rows) rows = NULL;
	struct buf data = { 0 };
	bool legible = spool_read_job(sp, i, NULL, &data) >= 0 &&
		       wire_rows_open(&rows, buf_data(&data), j->rows) >= 0;
	int r = 0;

	spool_lock(sp);
	for (uint32_t row = 0; row < j->rows && r >= 0; row++) {
		if (kept_row_done(j, row))
			continue;
		r = put_end(sp, j, row, legible ? wire_rows_address(rows, row) : SLICE(""));
		*cancelled += r >= 0;
	}
	if (r >= 0) {
		j->state = JOB_DONE;
		kept_job_drop_state(j);
	}
	spool_unlock(sp);
	buf_free(&data);
	return r >= 0 ? commit_batch(sp) : r;
}

/* ---- the books --------------------------------------------------------------------------- */

/* Everything that was accepted and has neither an end nor a place in the queue is lost.  Ends that
 * nobody accepted: their job was lost, and no header says how many recipients it had. */
static void settle_totals(struct spool *sp)
{
	struct totals *t = &sp->t.totals;
	uint64_t known = t->delivered + t->bounced + t->expired + t->cancelled + sp->t.queued;

	t->accepted = MAX_OF(t->accepted, known);
	sp->t.lost = t->accepted - known;
}

static int put_repair(struct spool *sp)
{
	struct repair_fixed f;
	const struct append_part part = { &f, sizeof(f) };
	int r;

	spool_lock(sp);
	settle_totals(sp);
	f = (struct repair_fixed){ sp->t.totals, sp->t.lost };
	r = append_room(sp, record_size(sizeof(f)), WANT_OUTCOME);
	if (r >= 0) {
		(void)append_record(sp, RECORD_REPAIR, 0, hash_crc32c(0, &f, sizeof(f)), &part, 1);
		r = late_settle(sp);
	}
	spool_unlock(sp);
	return r >= 0 ? commit_batch(sp) : r;
}

/* A log that needs nothing is left as it is: what its books then lack is not ours to explain. */
static bool must_settle(struct spool *sp)
{
	const struct totals *t = &sp->t.totals;

	return sp->unsettled || sp->n_orphans ||
	       t->accepted > t->delivered + t->bounced + t->expired + t->cancelled + sp->t.queued +
				 sp->t.lost;
}

static int settle_log(const struct spool_repair_options *o, struct spool_repair *ret)
{
	struct spool_recovery found;
	struct spool_options so = { .dir = o->dir, .disk = o->disk, .recovery = &found };
	OWNED(spool) sp = NULL;
	bool settle;
	int r = spool_open_unsettled(&sp, &so);

	if (r < 0) {
		memcpy(ret->bad_segment, found.bad_segment, sizeof(ret->bad_segment));
		ret->bad_offset = found.bad_offset;
		ret->reason = found.reason;
		return r;
	}
	settle = must_settle(sp);
	for (size_t i = 0; i < sp->n_orphans && r >= 0; i++)
		r = end_orphan(sp, sp->orphans[i], &ret->cancelled);
	if (r >= 0 && settle)
		r = put_repair(sp);
	if (r < 0) {
		ret->reason = "the log cannot be written";
		memcpy(ret->bad_segment, sp->failure.file, sizeof(ret->bad_segment));
		return sp->failure.err ? sp->failure.err : r;
	}
	spool_books(sp, &ret->books);
	return 0;
}

/* ---- the command ------------------------------------------------------------------------- */

static int lock_folder(const struct folder *f, const struct spool_repair_options *o, int *ret_fd)
{
	const struct disk *d = f->disk;

	*ret_fd = -1;
	if (!o->apply)
		return 0;
	*ret_fd = d->open(d->self, f->dirfd, "lock", O_RDWR | O_CREAT, 0600);
	return *ret_fd < 0 ? *ret_fd : d->lock(d->self, *ret_fd);
}

int spool_repair(const struct spool_repair_options *o, struct spool_repair *ret)
{
	const struct disk *d = o->disk ? o->disk : disk_real();
	struct folder f;
	int lock, r;

	memset(ret, 0, sizeof(*ret));
	r = folder_open(&f, d, o->dir);
	if (r == E_CORRUPT)
		ret->reason =
		    "the segments of the spool that was here are gone: there is nothing to "
		    "repair; postern-mta --new-spool begins a new one";
	if (r < 0)
		return r;
	r = lock_folder(&f, o, &lock);
	if (r < 0) {
		ret->reason = "another process uses the spool";
		memcpy(ret->bad_segment, "lock", sizeof("lock"));
	} else {
		r = repair_places(&f, o, ret);
	}
	if (lock >= 0)
		(void)d->close(d->self, lock);
	folder_free(&f);
	return r >= 0 && o->apply ? settle_log(o, ret) : r;
}
