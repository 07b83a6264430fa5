/* spool/audit.c - the account of every row, kept from the records alone. */
#include "spool/audit.h"

#include "base/hash.h"
#include "base/map.h"
#include "spool/folder.h"
#include "spool/late_format.h"

enum { TRIES = 8 };

struct seen_content {
	struct map_link link;
	struct id128 id;
};
struct seen_job {
	struct map_link link;
	struct id128 id, content;
	uint32_t rows, live;
	unsigned char ended[]; /* bitmap */
};
/* The end of a row whose job is not in the log: it has left the log, or only a
 * later copy is there. */
struct stray {
	struct map_link link;
	struct id128 job;
	uint32_t row;
};
/* A mail that came back and was not read to its end. */
struct seen_mail {
	struct map_link link;
	struct id128 id;
	uint32_t seq;
};
struct account {
	struct map jobs, contents, strays, mails;
	struct late_totals late;
	struct spool_audit *a;
	struct totals t;
	uint64_t lost;
	bool holes;        /* records were lost somewhere before this one */
	bool hole;         /* since the last header */
	bool base_unknown; /* the first header was written by a repair */
	bool unsettled;    /* no repair record follows the loss */
	bool settling;     /* the record before was that of a repair */
};

static struct seen_job *find_job(struct account *ac, struct id128 id)
{
	struct map_link *l = map_find(&ac->jobs, hash_keyed(slice_of(&id, sizeof(id))));

	for (; l; l = map_find_next(l)) {
		struct seen_job *j = container_of(l, struct seen_job, link);
		if (id_eq(j->id, id))
			return j;
	}
	return NULL;
}

static bool has_content(struct account *ac, struct id128 id)
{
	struct map_link *l = map_find(&ac->contents, hash_keyed(slice_of(&id, sizeof(id))));

	for (; l; l = map_find_next(l))
		if (id_eq(container_of(l, struct seen_content, link)->id, id))
			return true;
	return false;
}

static uint64_t stray_hash(struct id128 job, uint32_t row)
{
	uint64_t key[3] = { job.hi, job.lo, row };

	return hash_keyed(slice_of(key, sizeof(key)));
}

static bool is_stray(struct account *ac, struct id128 job, uint32_t row)
{
	struct map_link *l = map_find(&ac->strays, stray_hash(job, row));

	for (; l; l = map_find_next(l)) {
		struct stray *s = container_of(l, struct stray, link);
		if (id_eq(s->job, job) && s->row == row)
			return true;
	}
	return false;
}

static int count_content(struct account *ac, const struct record *rec)
{
	struct content_fixed f;
	struct slice meta, bytes;
	struct seen_content *c;
	int r = record_decode_content(rec->payload, &f, &meta, &bytes);

	if (r < 0 || has_content(ac, f.id))
		return r;
	c = must_alloc(sizeof(*c));
	c->id = f.id;
	map_insert(&ac->contents, &c->link, hash_keyed(slice_of(&f.id, sizeof(f.id))));
	return 0;
}

static bool in_bitmap(const void *bitmap, uint32_t row)
{
	return ((const unsigned char *)bitmap)[row / 8] >> row % 8 & 1;
}

static struct seen_job *add_job(struct account *ac, const struct job_view *v)
{
	struct seen_job *j = must_alloc(sizeof(*j) + (v->f.rows + 7) / 8);

	j->id = v->f.id;
	j->content = v->f.content;
	j->rows = j->live = v->f.rows;
	map_insert(&ac->jobs, &j->link, hash_keyed(slice_of(&j->id, sizeof(j->id))));
	for (uint32_t row = 0; v->bitmap.n && row < v->f.rows; row++) {
		bool ended = in_bitmap(v->bitmap.p, row);
		j->ended[row / 8] |= (unsigned char)(ended << row % 8);
		j->live -= ended;
		if (!ended && ac->strays.count)
			ac->a->revived += is_stray(ac, j->id, row);
	}
	ac->a->books.queued += j->live;
	ac->a->jobs_live += j->live > 0;
	return j;
}

static void end_row(struct account *ac, struct seen_job *j, uint32_t row)
{
	j->ended[row / 8] |= (unsigned char)(1 << row % 8);
	ac->a->books.queued--;
	ac->a->jobs_live -= --j->live == 0;
}

/* A copy must say exactly what the records before it said, unless some were lost. */
static void compare_copy(struct account *ac, struct seen_job *j, const struct job_view *v)
{
	for (uint32_t row = 0; row < j->rows && row < v->f.rows; row++) {
		if (in_bitmap(j->ended, row) == in_bitmap(v->bitmap.p, row))
			continue;
		if (ac->holes && !in_bitmap(j->ended, row))
			end_row(ac, j, row); /* the record of its end was lost */
		else
			ac->a->revived++;
	}
}

static int count_job(struct account *ac, const struct record *rec)
{
	struct job_view v;
	struct seen_job *j;
	int r = record_decode_job(rec, &v);

	if (r < 0)
		return r;
	j = find_job(ac, v.f.id);
	if (j && rec->flags & RECORD_COPY)
		compare_copy(ac, j, &v);
	else if (j)
		ac->a->accepted_twice++;
	else
		(void)add_job(ac, &v);
	if (!(rec->flags & RECORD_COPY))
		ac->t.accepted += v.f.rows;
	return 0;
}

static void count_stray(struct account *ac, const struct outcome_view *v)
{
	struct stray *s;

	if (is_stray(ac, v->job, v->o.row)) {
		ac->a->ended_twice++;
		return;
	}
	s = must_alloc(sizeof(*s));
	s->job = v->job;
	s->row = v->o.row;
	map_insert(&ac->strays, &s->link, stray_hash(v->job, v->o.row));
}

static int count_outcome(struct account *ac, const struct record *rec)
{
	struct outcome_view v;
	struct seen_job *j;
	int r = record_decode_outcome(rec->payload, &v);
	uint64_t *const total[] = {
		[OUTCOME_DELIVERED] = &ac->t.delivered, [OUTCOME_BOUNCED] = &ac->t.bounced,
		[OUTCOME_EXPIRED] = &ac->t.expired,     [OUTCOME_CANCELLED] = &ac->t.cancelled,
		[OUTCOME_DEFERRED] = &ac->t.deferred,
	};

	if (r < 0)
		return r;
	++*total[v.o.kind];
	if (v.o.kind == OUTCOME_DEFERRED)
		return 0;
	j = find_job(ac, v.job);
	if (!j) {
		count_stray(ac, &v);
		return 0;
	}
	if (v.o.row >= j->rows || in_bitmap(j->ended, v.o.row)) {
		ac->a->ended_twice++;
		return 0;
	}
	end_row(ac, j, v.o.row);
	return 0;
}

static struct seen_mail *find_mail(struct account *ac, struct id128 id)
{
	struct map_link *l = map_find(&ac->mails, hash_keyed(slice_of(&id, sizeof(id))));

	for (; l; l = map_find_next(l)) {
		struct seen_mail *m = container_of(l, struct seen_mail, link);
		if (id_eq(m->id, id))
			return m;
	}
	return NULL;
}

static int count_mail(struct account *ac, const struct record *rec)
{
	struct late_mail in;
	struct seen_mail *m;
	uint32_t seq;
	int r = late_decode_mail(rec, &in, &seq);

	if (r < 0)
		return r;
	ac->late.arrived += !(rec->flags & RECORD_COPY);
	m = find_mail(ac, in.id);
	if (m) {
		ac->a->returned_twice += !(rec->flags & RECORD_COPY) || m->seq > seq;
		return 0;
	}
	m = must_alloc(sizeof(*m));
	m->id = in.id;
	m->seq = seq;
	map_insert(&ac->mails, &m->link, hash_keyed(slice_of(&in.id, sizeof(in.id))));
	return 0;
}

static int count_fact(struct account *ac, const struct record *rec)
{
	struct late_view v;
	struct seen_mail *m;
	int r = late_decode(rec->payload, &v);

	if (r < 0)
		return r;
	ac->late.again += v.f.again;
	ac->late.kinds[v.f.kind - LATE_DSN] += !v.f.again;
	ac->late.read += v.f.last;
	m = find_mail(ac, v.f.mail);
	if (!m)
		return 0;
	ac->a->returned_twice += v.f.seq < m->seq;
	m->seq = v.f.seq + 1;
	if (v.f.last) {
		map_remove(&ac->mails, &m->link);
		free(m);
	}
	return 0;
}

/* What the engine counted, against what the records before it say.  The first record of a log says
 * what was before it, and the one after a repair what it found. */
static int take_tally(struct account *ac, const struct record *rec)
{
	struct late_totals t;
	struct slice keys;
	int r = late_decode_tally(rec->payload, &t, &keys);

	if (r < 0)
		return r;
	ac->a->headers_differ += ac->a->records > 1 && !ac->unsettled && !ac->settling &&
				 memcmp(&t, &ac->late, sizeof(t)) != 0;
	ac->late = t;
	ac->settling = false;
	return 0;
}

static int count_lost(struct account *ac, const struct record *rec)
{
	struct lost_fixed f;

	ac->holes = ac->hole = ac->unsettled = true;
	if (rec->payload.n < sizeof(f))
		return 0;
	memcpy(&f, rec->payload.p, sizeof(f));
	ac->t.accepted += f.rows;
	return 0;
}

static int count_repair(struct account *ac, const struct record *rec)
{
	struct repair_fixed f;

	if (rec->payload.n != sizeof(f))
		return E_CORRUPT;
	memcpy(&f, rec->payload.p, sizeof(f));
	ac->t = f.totals;
	ac->lost = f.lost;
	ac->hole = ac->base_unknown = ac->unsettled = false;
	ac->settling = true;
	return 0;
}

static int count_record(struct account *ac, const struct record *rec)
{
	ac->a->records++;
	switch (rec->type) {
	case RECORD_CONTENT:
		return count_content(ac, rec);
	case RECORD_JOB:
		return count_job(ac, rec);
	case RECORD_OUTCOME:
		return count_outcome(ac, rec);
	case RECORD_LATE_MAIL:
		return count_mail(ac, rec);
	case RECORD_RETURNED:
		return count_fact(ac, rec);
	case RECORD_TALLY:
		return take_tally(ac, rec);
	case RECORD_LOST:
		return count_lost(ac, rec);
	case RECORD_REPAIR:
		return count_repair(ac, rec);
	default:
		return rec->type < RECORD_TYPES && rec->type ? 0 : E_VERSION;
	}
}

/* Between a loss and the repair record, a header knows more than the records before it. */
static void take_header(struct account *ac, const struct segment_header *h, bool first)
{
	ac->unsettled |= h->rebuilt;
	if (first) {
		ac->t = h->base;
		ac->lost = h->lost;
		ac->base_unknown = h->rebuilt;
	} else if (!ac->unsettled && !h->rebuilt) {
		ac->a->headers_differ +=
		    memcmp(&ac->t, &h->base, sizeof(h->base)) != 0 || ac->lost != h->lost;
	} else if (!h->rebuilt && ac->base_unknown) {
		ac->t = h->base;
	} else if (!h->rebuilt && ac->hole) {
		ac->t.accepted = h->base.accepted;
	}
	ac->hole &= h->rebuilt;
	ac->base_unknown &= h->rebuilt;
}

static int count_segment(struct account *ac, const struct folder *f, size_t i)
{
	struct tail tail;
	struct segment_header h;
	struct record rec;
	struct scan s;
	int r = folder_enter(f, i, &h, &s);

	folder_segment_name(f->starts[i], ac->a->bad_segment);
	ac->a->bad_offset = 0;
	if (r < 0)
		return r;
	take_header(ac, &h, i == 0);
	do
		r = i + 1 == f->n ? scan_next_newest(&s, &rec, &tail) : scan_next(&s, &rec);
	while (r > 0 && (r = count_record(ac, &rec)) >= 0);
	if (r == 0 && i + 1 == f->n &&
	    folder_lacks(&f->mark, (struct id128){ h.spool_hi, h.spool_lo }, s.at))
		r = E_CORRUPT; /* the end of the log is missing */
	ac->a->bad_offset = s.at - s.start;
	ac->a->bytes += s.at - s.start;
	folder_leave(&s);
	return r;
}

static void free_all(struct map *m, size_t offset)
{
	struct map_link *l, *next;
	size_t pos = 0;

	for (l = map_next(m, &pos, NULL); l; l = next) {
		next = map_next(m, &pos, l);
		free((char *)l - offset);
	}
	map_free(m);
}

static void conclude(struct account *ac)
{
	struct spool_audit *a = ac->a;
	struct books *k = &a->books;
	struct map_link *l = NULL;
	size_t pos = 0;

	while ((l = map_next(&ac->jobs, &pos, l))) {
		struct seen_job *j = container_of(l, struct seen_job, link);
		a->without_content += j->live && !has_content(ac, j->content);
	}
	k->accepted = ac->t.accepted;
	k->delivered = ac->t.delivered;
	k->bounced = ac->t.bounced;
	k->expired = ac->t.expired;
	k->cancelled = ac->t.cancelled;
	k->lost = ac->lost;
	k->deferred_attempts = ac->t.deferred;
	a->missing = (int64_t)(k->accepted - k->delivered - k->bounced - k->expired - k->cancelled -
			       k->queued - k->lost);
	late_books(&ac->late, k);
	k->returned_waiting = ac->mails.count;
	a->missing_mails = (int64_t)(k->returned_mails - ac->late.read - k->returned_waiting);
	a->balanced = !a->missing && !ac->unsettled && !a->ended_twice && !a->revived &&
		      !a->accepted_twice && !a->returned_twice && !a->missing_mails &&
		      !a->without_content && !a->headers_differ;
	a->bad_segment[0] = 0;
	a->bad_offset = 0;
}

static int audit_once(const char *dir, const struct disk *disk, struct spool_audit *a)
{
	struct account ac = { .a = a };
	struct folder f;
	int r = folder_open(&f, disk, dir);

	memset(a, 0, sizeof(*a));
	if (r < 0)
		return r;
	map_init(&ac.jobs);
	map_init(&ac.contents);
	map_init(&ac.strays);
	map_init(&ac.mails);
	for (size_t i = 0; i < f.n && r >= 0; i++)
		r = count_segment(&ac, &f, i);
	a->segments = f.n;
	if (r >= 0)
		conclude(&ac);
	free_all(&ac.jobs, offsetof(struct seen_job, link));
	free_all(&ac.contents, offsetof(struct seen_content, link));
	free_all(&ac.strays, offsetof(struct stray, link));
	free_all(&ac.mails, offsetof(struct seen_mail, link));
	folder_free(&f);
	return r < 0 ? r : 0;
}

int spool_audit(const char *dir, const struct disk *disk, struct spool_audit *ret)
{
	int r = -ENOENT;

	/* A live writer may remove the oldest segment after it was listed: list again. */
	for (int i = 0; i < TRIES && r == -ENOENT; i++)
		r = audit_once(dir, disk ? disk : disk_real(), ret);
	return r;
}
