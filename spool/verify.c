/* spool/verify.c - checks every byte of every segment, and goes on after damage. */
#include "spool/audit.h"
#include "spool/folder.h"

static void note_damage(struct spool_verify_segment *v, const struct scan *s, lsn_t from, lsn_t to)
{
	if (!v->damaged)
		v->first_damage = from - s->start;
	v->damaged++;
	v->damaged_bytes += to - from;
}

/* There is no record here: damage up to the next sound one, or the end of the log. */
static int pass_damage(struct scan *s, struct spool_verify_segment *v)
{
	lsn_t from = s->at;
	int r = scan_skip(s);

	if (r < 0)
		return r;
	if (r == 0)
		s->at = s->limit;
	note_damage(v, s, from, s->at);
	return 1;
}

/* *id: of the first segment whose header is sound; those after it must have the same. */
static int verify_segment(const struct folder *f, size_t i, struct id128 *id,
			  struct spool_verify_segment *v)
{
	struct segment_header h;
	struct tail tail = { false, 0 };
	struct record rec;
	struct scan s;
	int r = folder_enter(f, i, &h, &s);

	if (r == E_CORRUPT || r == E_VERSION) { /* without a header no record can be found */
		v->damaged = 1;
		return 0;
	}
	if (r < 0)
		return r;
	if (id_eq(*id, (struct id128){ 0, 0 }))
		*id = (struct id128){ h.spool_hi, h.spool_lo };
	if (!id_eq(*id, (struct id128){ h.spool_hi, h.spool_lo })) {
		v->damaged = 1; /* another spool's */
		folder_leave(&s);
		return 0;
	}
	do {
		r = i + 1 == f->n ? scan_next_newest(&s, &rec, &tail) : scan_next(&s, &rec);
		v->records += r > 0;
		if (r == E_CORRUPT)
			r = pass_damage(&s, v);
	} while (r > 0);
	if (r == 0 && i + 1 == f->n && folder_lacks(&f->mark, *id, s.at))
		note_damage(v, &s, s.at, f->mark.lsn); /* the end of the log is missing */
	v->torn = tail.sound > 0;
	v->bytes = s.at - s.start;
	folder_leave(&s);
	return r;
}

static void add(struct spool_verify *sum, const struct spool_verify_segment *v)
{
	sum->segments++;
	sum->records += v->records;
	sum->bytes += v->bytes;
	sum->damaged += v->damaged;
	sum->damaged_bytes += v->damaged_bytes;
	sum->torn |= v->torn;
}

int spool_verify(const char *dir, const struct disk *disk,
		 int (*each)(void *arg, const struct spool_verify_segment *seg), void *arg,
		 struct spool_verify *ret)
{
	struct spool_verify sum = { .segments = 0 };
	struct id128 id = { 0, 0 };
	struct folder f;
	int r = folder_open(&f, disk ? disk : disk_real(), dir);

	if (r < 0)
		return r;
	for (size_t i = 0; i < f.n && r >= 0; i++) {
		struct spool_verify_segment v = { .index = i, .of = f.n };
		folder_segment_name(f.starts[i], v.name);
		r = verify_segment(&f, i, &id, &v);
		if (r == -ENOENT) { /* a live writer has removed it */
			r = 0;
			continue;
		}
		if (r < 0)
			break;
		add(&sum, &v);
		r = each ? each(arg, &v) : 0;
	}
	folder_free(&f);
	if (r >= 0)
		*ret = sum;
	return r < 0 ? r : 0;
}
