/* spool/clean.c - gives disk back: removes the oldest segment when nothing in it is needed, and
 * copies what is still live to the head when the log has grown too long for what it holds.
 *
 * Guarantee: a segment is removed only after every record that made it needless is durable: the
 *            copy, the terminal record, the newer rule, the consumer's cursor.
 * Guarantee: a copy is made under the lock the outcomes take, so it says exactly what the outcomes
 * before it in the log say; those after it apply to it.
 * Only the oldest is ever removed, and the folder is synced before the next one is: what is left is
 * always one run of the log. */
#include "base/hash.h"
#include "spool/inside.h"

enum { STEP_BYTES = 1 << 20, STEP_VISITS = 4096, STEP_FORGETS = 1024, SLACK_SEGMENTS = 3 };

static bool too_long(const struct spool *sp)
{
	uint64_t log = atomic_load(&sp->head) - sp->segs[0]->start;

	return log > SLACK_SEGMENTS * sp->segment_bytes &&
	       log - SLACK_SEGMENTS * sp->segment_bytes > sp->t.live_bytes / 100 * sp->clean_ratio;
}

/* The parts of a copy: the job as it was given, then the state of its rows. */
static int copy_job_locked(struct spool *sp, uint32_t i, struct slice given, uint32_t given_crc)
{
	struct kept_job *j = kept_job_at(&sp->t, i);
	uint32_t n = kept_job_count_deferred(j), k = 0;
	size_t bitmap = (j->rows + 7u) / 8, size;
	OWNED_MEM char *state = must_alloc(sizeof(n) + bitmap + n * sizeof(struct deferred_row));
	char *p = state + sizeof(n) + bitmap;
	lsn_t end;
	int r;

	memcpy(state, &n, sizeof(n));
	memcpy(state + sizeof(n), kept_job_bitmap(j), bitmap);
	for (uint32_t row = 0; k < n && row < j->rows; row++) {
		uint64_t w = kept_row_deferred(j, row);
		struct deferred_row d = { row, kept_deferred_attempts(w), 0,
					  kept_deferred_next(w) };
		if (!w)
			continue;
		memcpy(p, &d, sizeof(d));
		p += sizeof(d);
		k++;
	}
	size = record_size(given.n + (size_t)(p - state));
	r = append_room(sp, size, WANT_COPY);
	if (r < 0)
		return r;
	const struct append_part parts[] = { { given.p, given.n }, { state, (size_t)(p - state) } };
	end = append_record(sp, RECORD_JOB, RECORD_COPY, hash_crc32c(given_crc, state, parts[1].n),
			    parts, 2);
	state_job_moved(sp, i, end - size, (uint32_t)size);
	return 0;
}

/* The lock is held on entry and on return, but not while the disk is read.  0, or an error. */
static int move_job(struct spool *sp, uint32_t i, uint64_t *copied)
{
	struct kept_job *j = kept_job_at(&sp->t, i);
	lsn_t lsn = j->lsn;
	OWNED_MEM char *mem = NULL;
	struct record rec;
	struct job_view view;
	struct slice given;
	uint32_t crc;
	int r = read_record_unlock(sp, lsn, j->size, &mem, &rec);

	if (r >= 0)
		r = record_decode_job(&rec, &view);
	if (r >= 0) {
		given = slice_of(rec.payload.p, sizeof(view.f) + view.meta.n + view.data.n);
		crc = hash_crc32c(0, given.p, given.n);
	}
	spool_lock(sp);
	if (r < 0)
		return r;
	if (j->state != JOB_LIVE) { /* its last row ended meanwhile */
		segment_link_job(sp, i);
		return 0;
	}
	*copied += record_size(given.n);
	return copy_job_locked(sp, i, given, crc);
}

static int move_content(struct spool *sp, uint32_t i, uint64_t *copied)
{
	struct kept_content *c = kept_content_at(&sp->t, i);
	OWNED_MEM char *mem = NULL;
	struct record rec;
	uint32_t crc = 0;
	lsn_t end;
	int r = read_record_unlock(sp, c->lsn, c->size, &mem, &rec);

	if (r >= 0)
		crc = hash_crc32c(0, rec.payload.p, rec.payload.n);
	spool_lock(sp);
	if (r < 0)
		return r;
	if (!c->refs) {
		segment_link_content(sp, i);
		return 0;
	}
	r = append_room(sp, c->size, WANT_COPY);
	if (r < 0)
		return r;
	const struct append_part part = { rec.payload.p, rec.payload.n };
	end = append_record(sp, RECORD_CONTENT, RECORD_COPY, crc, &part, 1);
	*copied += c->size;
	state_content_moved(sp, i, end - c->size);
	return 0;
}

/* Walks a chain from its head; entries that stay (dead, but still known by their
 * id) go to its end. */
static int move_jobs(struct spool *sp, struct segment *seg, uint64_t *copied)
{
	uint32_t last = seg->jobs_tail, i = seg->jobs;
	int r = 0;

	for (unsigned n = 0; r >= 0 && i != NONE && n < STEP_VISITS && *copied < STEP_BYTES; n++) {
		bool was_last = i == last;
		seg->jobs = kept_job_at(&sp->t, i)->seg_next;
		if (kept_job_at(&sp->t, i)->state == JOB_LIVE) {
			r = move_job(sp, i, copied);
			if (r < 0)
				segment_link_job(sp, i);
		} else {
			segment_link_job(sp, i);
		}
		i = was_last ? NONE : seg->jobs;
	}
	return r;
}

static int move_contents(struct spool *sp, struct segment *seg, uint64_t *copied)
{
	uint32_t last = seg->contents_tail, i = seg->contents;
	int r = 0;

	for (unsigned n = 0; r >= 0 && i != NONE && n < STEP_VISITS && *copied < STEP_BYTES; n++) {
		bool was_last = i == last;
		seg->contents = kept_content_at(&sp->t, i)->seg_next;
		if (kept_content_at(&sp->t, i)->refs) {
			r = move_content(sp, i, copied);
			if (r < 0)
				segment_link_content(sp, i);
		} else {
			segment_link_content(sp, i);
		}
		i = was_last ? NONE : seg->contents;
	}
	return r;
}

static int move_rules(struct spool *sp, struct segment *seg, uint64_t *copied)
{
	struct kept_rule *rule;
	unsigned n = 0;

	while (n++ < STEP_FORGETS && *copied < STEP_BYTES &&
	       (rule = list_first(&seg->rules, struct kept_rule, seg))) {
		const struct append_part parts[] = {
			{ &rule->key_len, 4 }, { rule->bytes, rule->key_len + rule->value_len }
		};
		int r = append_room(sp, rule->size, WANT_COPY);
		if (r < 0)
			return r;
		lsn_t end = append_record(sp, RECORD_RULE, RECORD_COPY, append_parts_crc(parts, 2),
					  parts, 2);
		*copied += rule->size;
		state_rule(sp, slice_of(rule->bytes, rule->key_len),
			   slice_of(rule->bytes + rule->key_len, rule->value_len), end - rule->size,
			   rule->size);
	}
	return 0;
}

static int move_cursors(struct spool *sp, struct segment *seg)
{
	for (struct kept_consumer *c = sp->t.consumers; c; c = c->next) {
		const struct append_part parts[] = { { &c->cursor, 8 }, { c->name, c->name_len } };
		if (c->lsn >= seg->end)
			continue;
		int r = append_room(sp, c->size, WANT_COPY);
		if (r < 0)
			return r;
		lsn_t end = append_record(sp, RECORD_CONSUMER, RECORD_COPY,
					  append_parts_crc(parts, 2), parts, 2);
		state_consumer(sp, slice_of(c->name, c->name_len), c->cursor, end - c->size,
			       c->size);
	}
	return 0;
}

/* Copies up to STEP_BYTES of what lives in the oldest segment.  When a record cannot be copied
 * (damage, no room), its segment is kept. */
static void move_some(struct spool *sp, struct segment *seg)
{
	uint64_t copied = 0;
	int r = move_jobs(sp, seg, &copied);

	if (r >= 0)
		r = move_contents(sp, seg, &copied);
	if (r >= 0)
		r = move_rules(sp, seg, &copied);
	if (r >= 0)
		r = move_cursors(sp, seg);
	if (r >= 0 && copied < STEP_BYTES)
		r = late_move_mails(sp, seg, &copied, STEP_BYTES);
	sp->clean_error = r < 0 ? r : 0;
	if (copied)
		append_urgent(sp);
	else
		append_lazy(sp);
}

/* Lets the appenders in now and then: the work under the lock here has no bound. */
static void breathe(struct spool *sp, unsigned n)
{
	if (n % STEP_FORGETS)
		return;
	spool_unlock(sp);
	spool_lock(sp);
}

/* False: a new job uses a content that was still known, so the segment stays. */
static bool forget_contents(struct spool *sp, struct segment *seg)
{
	for (unsigned n = 1; seg->contents != NONE && !seg->live; n++) {
		uint32_t i = seg->contents;
		seg->contents = kept_content_at(&sp->t, i)->seg_next;
		kept_content_forget(&sp->t, i);
		breathe(sp, n);
	}
	return !seg->live;
}

static void forget_jobs(struct spool *sp, struct segment *seg)
{
	for (unsigned n = 1; seg->jobs != NONE; n++) {
		uint32_t i = seg->jobs;
		seg->jobs = kept_job_at(&sp->t, i)->seg_next;
		kept_job_forget(&sp->t, i);
		breathe(sp, n);
	}
}

/* Entered and left with the lock held.  Contents are forgotten first, so that no new job can use
 * them; ids of finished jobs last, when their records are gone for certain. */
static int remove_oldest(struct spool *sp)
{
	struct segment *seg = sp->segs[0];
	char name[SEGMENT_NAME];
	int r;

	if (!forget_contents(sp, seg))
		return E_CONFLICT;
	seg->going = true;
	spool_unlock(sp);
	folder_segment_name(seg->start, name);
	r = sp->disk->unlink(sp->disk->self, sp->dirfd, name);
	if (r == -ENOENT)
		r = 0;
	if (r >= 0 && commit_note(sp, "sync folder", name,
				  sp->disk->sync_dir(sp->disk->self, sp->dirfd)) < 0) {
		commit_poison(sp);
		r = E_POISONED;
	}
	spool_lock(sp);
	seg->going = r >= 0;
	if (r < 0)
		return r;
	forget_jobs(sp, seg);
	segment_drop_oldest(sp);
	return 0;
}

static bool is_pinned(const struct spool *sp, const struct segment *seg)
{
	lsn_t durable = atomic_load(&sp->durable);

	return durable < seg->end || durable < seg->dead_at ||
	       kept_consumers_slowest(&sp->t) < seg->end;
}

void clean_step(struct spool *sp)
{
	int r = 0;

	spool_lock(sp);
	while (r >= 0 && sp->n_segs > 1 && !sp->segs[0]->live && !is_pinned(sp, sp->segs[0]))
		r = remove_oldest(sp);
	if (r >= 0 && sp->n_segs > 1 && sp->segs[0]->live && !is_pinned(sp, sp->segs[0]) &&
	    sp->clean_error != E_CORRUPT && too_long(sp))
		move_some(sp, sp->segs[0]);
	spool_unlock(sp);
}
