/* spool/append.c - records into the batch that the next commit will write.  Everything here runs
 * under the lock and never waits: a lack of room is an error at once. */
#include "base/clock.h"
#include "base/hash.h"
#include "spool/inside.h"

void append_batch_free(struct append_batch *b)
{
	free(b->p);
	free(b->cuts);
	memset(b, 0, sizeof(*b));
}

static int batch_reserve(struct append_batch *b, uint64_t n)
{
	size_t cap = MAX_OF(b->cap, (size_t)64 << 10);
	char *p;

	while (cap < b->n + n)
		cap *= 2;
	if (cap == b->cap)
		return 0;
	p = realloc(b->p, cap);
	if (!p)
		return -ENOMEM;
	b->p = p;
	b->cap = cap;
	return 0;
}

/* A new segment begins at the head: its header, with the totals so far, is part of the stream, and
 * so is the tally of what came back. */
static void begin_segment(struct spool *sp)
{
	struct append_batch *b = &sp->active;
	lsn_t start = atomic_load(&sp->head);
	struct segment_header h = {
		.magic = SEGMENT_MAGIC,
		.version = FORMAT_VERSION,
		.length = SEGMENT_HEADER,
		.spool_hi = sp->id.hi,
		.spool_lo = sp->id.lo,
		.start = start,
		.base = sp->t.totals,
		.created_ms = (uint64_t)clock_wall_ms(),
		.lost = sp->t.lost,
	};

	segment_header_seal(&h);
	if (b->n_cuts == b->cap_cuts) {
		b->cap_cuts = MAX_OF(b->cap_cuts * 2, 4u);
		b->cuts = must_resize(b->cuts, b->cap_cuts * sizeof(*b->cuts));
	}
	b->cuts[b->n_cuts++] = (uint32_t)b->n;
	memcpy(b->p + b->n, &h, sizeof(h));
	b->n += sizeof(h);
	(void)segment_add(sp, start);
	sp->unmade++;
	atomic_store(&sp->head, start + SEGMENT_HEADER);
	if (late_tally_size(sp)) {
		late_put_tally(sp);
		segment_newest(sp)->head += (uint32_t)late_tally_size(sp);
	}
}

/* The reserve, or what the queued rows will need before anything is given back, if that is more: a
 * terminal record and a few deferrals per row. */
uint64_t append_reserve(const struct spool *sp)
{
	return MAX_OF(sp->reserve_bytes, sp->t.queued * OUTCOME_ROOM);
}

/* May one more segment be begun?  Each gets its file before its bytes are written, so there must be
 * room for those that are begun and have no file yet, too.  Mail leaves room for a spare and the
 * reserve; outcomes may use both. */
bool append_has_place(const struct spool *sp, uint64_t bytes, enum append_want want)
{
	uint64_t files = sp->unmade + 1 - sp->spare_ready;
	uint64_t need = files * sp->segment_bytes + (bytes > sp->segment_bytes ? bytes : 0);

	if (want == WANT_MAIL)
		need += sp->segment_bytes + append_reserve(sp);
	return need <= sp->room;
}

int append_room(struct spool *sp, uint64_t bytes, enum append_want want)
{
	struct segment *seg = sp->n_segs ? segment_newest(sp) : NULL;
	uint64_t used = seg ? seg->end - seg->start : 0;
	bool full = !seg || (used > seg->head && used + bytes > seg->limit);
	int r;

	if (atomic_load(&sp->failed))
		return E_POISONED;
	if (sp->read_only)
		return -EROFS;
	if (sp->active.n && sp->active.n + bytes > PENDING_MAX)
		return E_FULL;
	if (want == WANT_MAIL && sp->refusing)
		return E_FULL;
	if (full && seg && !append_has_place(sp, bytes, want)) {
		sp->refusing |= want == WANT_MAIL; /* until the next look */
		return E_FULL;
	}
	r = batch_reserve(&sp->active, bytes + SEGMENT_HEADER + (full ? late_tally_size(sp) : 0));
	if (r < 0)
		return r;
	if (full)
		begin_segment(sp);
	return 0;
}

uint32_t append_parts_crc(const struct append_part *parts, size_t n)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < n; i++)
		crc = hash_crc32c(crc, parts[i].p, parts[i].n);
	return crc;
}

lsn_t append_record(struct spool *sp, unsigned type, unsigned flags, uint32_t crc,
		    const struct append_part *parts, size_t n_parts)
{
	struct append_batch *b = &sp->active;
	lsn_t lsn = atomic_load(&sp->head), end;
	struct record_header h = { .type = (uint8_t)type,
				   .flags = (uint8_t)flags,
				   .batch_back = (uint32_t)(lsn - b->start) };
	char *p = b->p + b->n + RECORD_HEADER;

	for (size_t i = 0; i < n_parts; i++) {
		if (parts[i].n)
			memcpy(p, parts[i].p, parts[i].n);
		p += parts[i].n;
		h.length += (uint32_t)parts[i].n;
	}
	memset(p, 0, record_size(h.length) - RECORD_HEADER - h.length);
	record_seal(&h, crc, lsn, sp->salt);
	memcpy(b->p + b->n, &h, sizeof(h));
	b->n += record_size(h.length);
	end = lsn + record_size(h.length);
	segment_newest(sp)->end = end;
	atomic_store(&sp->head, end);
	return end;
}

void append_urgent(struct spool *sp)
{
	sp->urgent = true;
	if (sp->waiting && sp->active.n >= sp->wake_at)
		(void)pthread_cond_signal(&sp->wake);
}

void append_lazy(struct spool *sp)
{
	if (sp->lazy_since)
		return;
	sp->lazy_since = clock_mono_ms();
	if (sp->waiting)
		(void)pthread_cond_signal(&sp->wake);
}
