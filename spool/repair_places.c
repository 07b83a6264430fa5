/* spool/repair_places.c - where a log is damaged, what was there, and the record in its place.
 *
 * A place reaches from where a record should begin to the next sound one, or to where the log must
 * go on.  Its bytes stay where they are, as the payload of a LOST record: only the 32 bytes at its
 * beginning change, so a crash leaves the place as damaged as before, or repaired. */
#include "spool/repair_places.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/hash.h"

enum { PIECE = 1 << 20, ASIDE_TRIES = 1000 };
#define ASIDE_UNFINISHED "aside"
#define GAP_MAX ((uint64_t)1 << 40)

struct repairing {
	const struct folder *f;
	const struct disk *d;
	const struct spool_repair_options *o;
	struct spool_repair *ret;
	struct id128 id;
	uint64_t salt;
	/* the segment at hand */
	int fd;
	lsn_t start;
	char name[SEGMENT_NAME];
	char *piece;
};

static int fail_at(struct repairing *p, lsn_t at, const char *reason, int err)
{
	(void)snprintf(p->ret->bad_segment, sizeof(p->ret->bad_segment), "%s", p->name);
	p->ret->bad_offset = at - p->start;
	p->ret->reason = reason;
	return err;
}

/* ---- what was there ---------------------------------------------------------------------- */

static void decode_job(struct slice payload, struct spool_repair_record *r)
{
	struct job_fixed f;

	if (payload.n < sizeof(f))
		return;
	memcpy(&f, payload.p, sizeof(f));
	r->id = f.id;
	r->rows = f.rows <= ROWS_MAX ? f.rows : 0;
}

static void decode(const struct record_header *h, struct slice payload,
		   struct spool_repair_record *r)
{
	static const char *const types[RECORD_TYPES] = {
		[RECORD_CONTENT] = "content",   [RECORD_JOB] = "job",
		[RECORD_OUTCOME] = "outcome",   [RECORD_RULE] = "rule",
		[RECORD_CONSUMER] = "consumer", [RECORD_MARK] = "mark",
	};
	struct outcome_view v;
	struct slice value;
	lsn_t cursor;

	*r = (struct spool_repair_record){ .type = "other", .copy = h->flags & RECORD_COPY };
	if (h->type < RECORD_TYPES && types[h->type])
		r->type = types[h->type];
	if (h->type == RECORD_JOB)
		decode_job(payload, r);
	else if (h->type == RECORD_CONTENT && payload.n >= sizeof(r->id))
		memcpy(&r->id, payload.p, sizeof(r->id));
	else if (h->type == RECORD_RULE && record_decode_rule(payload, &r->text, &value) < 0)
		r->text = SLICE("");
	else if (h->type == RECORD_CONSUMER &&
		 record_decode_consumer(payload, &r->text, &cursor) < 0)
		r->text = SLICE("");
	if (h->type != RECORD_OUTCOME || record_decode_outcome(payload, &v) < 0)
		return;
	r->id = v.job;
	r->row = v.o.row;
	r->kind = v.o.kind;
	r->text = v.o.rcpt;
}

static void count(struct repairing *p, const struct record_header *h,
		  const struct spool_repair_record *r)
{
	p->ret->records++;
	p->ret->jobs += h->type == RECORD_JOB && !r->copy;
	p->ret->contents += h->type == RECORD_CONTENT;
	p->ret->outcomes += h->type == RECORD_OUTCOME;
	if (!r->copy)
		p->ret->rows += r->rows;
	if (p->o->each_record)
		p->o->each_record(p->o->arg, r);
}

/* Records whose header is legible in these n bytes at lsn: the salted position makes it certain
 * that one was written there.  Gives the recipients of the jobs among them. */
static uint64_t look_in(struct repairing *p, lsn_t lsn, size_t n, bool tell)
{
	struct spool_repair_record r;
	struct record_header h;
	uint64_t rows = 0;

	for (size_t at = 0; at + sizeof(h) <= n;) {
		memcpy(&h, p->piece + at, sizeof(h));
		if (h.magic != RECORD_MAGIC || h.lsn != ((lsn + at) ^ p->salt)) {
			at += 8;
			continue;
		}
		decode(&h,
		       slice_of(p->piece + at + sizeof(h),
				MIN_OF((size_t)h.length, n - at - sizeof(h))),
		       &r);
		if (!r.copy)
			rows += r.rows;
		if (tell)
			count(p, &h, &r);
		at += h.length <= n - at ? MAX_OF(record_size(h.length), (size_t)8) : 8;
	}
	return rows;
}

/* ---- setting aside ----------------------------------------------------------------------- */

static int read_at(struct repairing *p, uint64_t offset, size_t n)
{
	ssize_t got = p->d->pread(p->d->self, p->fd, p->piece, n, offset);

	if (got < 0)
		return (int)got;
	memset(p->piece + got, 0, n - (size_t)got); /* past the end of the file */
	return 0;
}

static int copy_bytes(struct repairing *p, int to, uint64_t offset, uint64_t n)
{
	for (uint64_t done = 0; done < n;) {
		size_t some = (size_t)MIN_OF(n - done, (uint64_t)PIECE);
		int r = read_at(p, offset + done, some);
		ssize_t w;
		if (r < 0)
			return r;
		w = p->d->pwrite(p->d->self, to, p->piece, some, done);
		if (w != (ssize_t)some)
			return w < 0 ? (int)w : -EIO;
		done += some;
	}
	return p->d->sync_data(p->d->self, to);
}

/* The name is free: what an earlier repair has set aside is never written over. */
static int free_name(struct repairing *p, uint64_t offset, char *name)
{
	int fd = 0;

	for (int i = 1; i <= ASIDE_TRIES; i++) {
		(void)snprintf(name, REPAIR_ASIDE,
			       i == 1 ? "%.16s-%llu.damaged" : "%.16s-%llu.damaged.%d", p->name,
			       (unsigned long long)offset, i);
		fd = p->d->open(p->d->self, p->f->dirfd, name, O_RDONLY, 0);
		if (fd == -ENOENT)
			return 0;
		if (fd < 0)
			return fd;
		(void)p->d->close(p->d->self, fd);
	}
	return -EEXIST;
}

/* Bytes of the file from offset on, at most n, go to a file of their own, which is on disk then. */
static int set_aside(struct repairing *p, uint64_t offset, uint64_t n, char *name)
{
	const struct disk *d = p->d;
	uint64_t size;
	int fd, r = d->size(d->self, p->fd, &size);

	n = r >= 0 && size > offset ? MIN_OF(n, size - offset) : 0;
	if (r < 0 || !n) /* a gap has no bytes */
		return r;
	r = free_name(p, offset, name);
	if (r < 0)
		return r;
	fd = d->open(d->self, p->f->dirfd, ASIDE_UNFINISHED, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return fd;
	r = d->truncate(d->self, fd, 0);
	if (r >= 0)
		r = copy_bytes(p, fd, offset, n);
	(void)d->close(d->self, fd);
	if (r >= 0)
		r = d->rename(d->self, p->f->dirfd, ASIDE_UNFINISHED, name);
	return r >= 0 ? d->sync_dir(d->self, p->f->dirfd) : r;
}

/* ---- the record in its place ------------------------------------------------------------- */

static int write_lost(struct repairing *p, lsn_t lsn, size_t n)
{
	struct record_header h = { .length = (uint32_t)(n - RECORD_HEADER), .type = RECORD_LOST };
	struct lost_fixed f = { 0 };
	size_t changed = RECORD_HEADER;
	ssize_t w;
	int r = read_at(p, lsn - p->start, n);

	if (r < 0)
		return r;
	f.rows = look_in(p, lsn, n, false);
	if (h.length >= sizeof(f)) {
		memcpy(p->piece + RECORD_HEADER, &f, sizeof(f));
		changed += sizeof(f);
	}
	record_seal(&h, hash_crc32c(0, p->piece + RECORD_HEADER, h.length), lsn, p->salt);
	memcpy(p->piece, &h, sizeof(h));
	w = p->d->pwrite(p->d->self, p->fd, p->piece, changed, lsn - p->start);
	if (w != (ssize_t)changed)
		return w < 0 ? (int)w : -EIO;
	return p->d->sync_data(p->d->self, p->fd);
}

static size_t piece_of(uint64_t left)
{
	if (left <= PIECE)
		return (size_t)left;
	return left - PIECE < RECORD_HEADER ? PIECE - RECORD_HEADER : PIECE;
}

static int write_place(struct repairing *p, lsn_t from, lsn_t to)
{
	uint64_t size;
	int r = p->d->size(p->d->self, p->fd, &size);

	if (r >= 0 && size < to - p->start)
		r = p->d->truncate(p->d->self, p->fd, to - p->start);
	while (r >= 0 && from < to) {
		size_t n = piece_of(to - from);
		r = write_lost(p, from, n);
		from += n;
	}
	return r;
}

static int take_place(struct repairing *p, lsn_t from, lsn_t to)
{
	struct spool_repair_place place = { .offset = from - p->start, .bytes = to - from };
	int r = 0;

	if (to < from + RECORD_HEADER || (to - from) % 8 || to - from > GAP_MAX)
		return fail_at(p, from, "no record fits the damaged place: a segment is misplaced",
			       E_CORRUPT);
	(void)snprintf(place.segment, sizeof(place.segment), "%s", p->name);
	if (p->o->apply)
		r = set_aside(p, place.offset, place.bytes, place.aside);
	if (r < 0)
		return fail_at(p, from, "the damaged bytes cannot be set aside", r);
	p->ret->places++;
	p->ret->bytes += place.bytes;
	if (p->o->each_place)
		p->o->each_place(p->o->arg, &place);
	for (lsn_t at = from; r >= 0 && at < to; at += piece_of(to - at)) {
		r = read_at(p, at - p->start, piece_of(to - at));
		if (r >= 0)
			(void)look_in(p, at, piece_of(to - at), true);
	}
	if (r >= 0 && p->o->apply)
		r = write_place(p, from, to);
	return r < 0 ? fail_at(p, from, "the damaged place cannot be written", r) : 0;
}

static int rebuild_header(struct repairing *p)
{
	struct spool_repair_place place = { .bytes = SEGMENT_HEADER, .header = true };
	struct segment_header h = { .magic = SEGMENT_MAGIC,
				    .version = FORMAT_VERSION,
				    .length = SEGMENT_HEADER,
				    .spool_hi = p->id.hi,
				    .spool_lo = p->id.lo,
				    .start = p->start,
				    .rebuilt = 1 };
	ssize_t w = sizeof(h);
	int r = 0;

	segment_header_seal(&h);
	(void)snprintf(place.segment, sizeof(place.segment), "%s", p->name);
	if (p->o->apply)
		r = set_aside(p, 0, SEGMENT_HEADER, place.aside);
	p->ret->places++;
	p->ret->bytes += SEGMENT_HEADER;
	if (p->o->each_place)
		p->o->each_place(p->o->arg, &place);
	if (r >= 0 && p->o->apply)
		w = p->d->pwrite(p->d->self, p->fd, &h, sizeof(h), 0);
	if (r >= 0 && w != sizeof(h))
		r = w < 0 ? (int)w : -EIO;
	if (r >= 0 && p->o->apply)
		r = p->d->sync_data(p->d->self, p->fd);
	return r < 0 ? fail_at(p, p->start, "the header cannot be written again", r) : 0;
}

/* ---- finding ----------------------------------------------------------------------------- */

/* The next sound record, or where the log must go on: `limit` of an older segment; of the newest,
 * what was durable. */
static int find_end(struct scan *s, lsn_t must, lsn_t *ret)
{
	int r = scan_skip(s);

	if (r < 0)
		return r;
	*ret = r > 0 ? s->at : must;
	return 0;
}

static int walk_records(struct repairing *p, lsn_t limit, bool newest)
{
	lsn_t must = newest ? p->start + SEGMENT_HEADER : limit, from, to;
	struct record rec;
	struct tail tail;
	struct scan s;
	int r;

	if (newest && folder_lacks(&p->f->mark, p->id, must))
		must = p->f->mark.lsn;
	scan_begin(&s, p->d, p->fd, p->salt, p->start, p->start + SEGMENT_HEADER, limit);
	for (;;) {
		from = s.at;
		r = newest ? scan_next_newest(&s, &rec, &tail) : scan_next(&s, &rec);
		if (r == 0 && from < must)
			r = E_CORRUPT; /* the end of the log is missing */
		if (r > 0)
			continue;
		if (r != E_CORRUPT)
			break;
		r = find_end(&s, must, &to);
		if (r >= 0)
			r = take_place(p, from, to);
		if (r < 0)
			break;
		s.limit = MAX_OF(s.limit, to); /* the file may have grown */
		s.at = to;
		scan_again(&s);
	}
	scan_end(&s);
	if (r < 0 && !p->ret->reason)
		return fail_at(p, from, "the file cannot be read", r);
	return r;
}

static int walk_segment(struct repairing *p, size_t i)
{
	bool newest = i + 1 == p->f->n;
	struct segment_header h;
	uint64_t size;
	int r = scan_header(p->d, p->fd, p->start, &h);

	if (r == E_VERSION)
		return fail_at(p, p->start, "a newer program wrote this segment", r);
	if (r >= 0 && !id_eq(p->id, (struct id128){ h.spool_hi, h.spool_lo }))
		r = E_CORRUPT;
	if (r == E_CORRUPT)
		r = rebuild_header(p);
	if (r >= 0)
		r = p->d->size(p->d->self, p->fd, &size);
	if (r >= 0)
		r = walk_records(p,
				 newest ? p->start + MAX_OF(size, (uint64_t)SEGMENT_HEADER)
					: p->f->starts[i + 1],
				 newest);
	return r < 0 && !p->ret->reason ? fail_at(p, p->start, "the file cannot be read", r) : r;
}

static int enter(struct repairing *p, size_t i)
{
	p->start = p->f->starts[i];
	folder_segment_name(p->start, p->name);
	p->fd = p->d->open(p->d->self, p->f->dirfd, p->name, p->o->apply ? O_RDWR : O_RDONLY, 0);
	return p->fd < 0 ? fail_at(p, p->start, "the file cannot be opened", p->fd) : 0;
}

/* The spool's own number: as the mark says, else as the first sound header does. */
static int find_id(struct repairing *p)
{
	struct segment_header h;
	bool found = false;
	int r = 0;

	for (size_t i = 0; i < p->f->n && r >= 0; i++) {
		r = enter(p, i);
		if (r < 0)
			return r;
		if (scan_header(p->d, p->fd, p->start, &h) >= 0 &&
		    (!found || id_eq(p->f->mark.spool, (struct id128){ h.spool_hi, h.spool_lo }))) {
			p->id = (struct id128){ h.spool_hi, h.spool_lo };
			found = true;
		}
		(void)p->d->close(p->d->self, p->fd);
	}
	if (!found && p->f->mark.lsn) {
		p->id = p->f->mark.spool;
		found = true;
	}
	p->salt = record_salt(p->id);
	return found ? 0
		     : fail_at(p, p->start, "no header is left that says which spool this is",
			       E_CORRUPT);
}

int repair_places(const struct folder *f, const struct spool_repair_options *o,
		  struct spool_repair *ret)
{
	OWNED_MEM char *piece = must_alloc(PIECE);
	struct repairing p = { .f = f, .d = f->disk, .o = o, .ret = ret, .piece = piece };
	int r = find_id(&p);

	for (size_t i = 0; i < f->n && r >= 0; i++) {
		r = enter(&p, i);
		if (r < 0)
			break;
		r = walk_segment(&p, i);
		(void)f->disk->close(f->disk->self, p.fd);
	}
	return r;
}
