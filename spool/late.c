/* spool/late.c - mail that came back, and the facts that were read in it. */
#include "spool/late.h"

#include "base/hash.h"
#include "spool/compress.h"
#include "spool/inside.h"

/* ---- what the records mean for the books ------------------------------------------------- */

static struct kept_mail *find_mail(const struct tables *t, struct id128 id)
{
	struct map_link *l = map_find(&t->mails, hash_keyed(slice_of(&id, sizeof(id))));

	for (; l; l = map_find_next(l)) {
		struct kept_mail *m = container_of(l, struct kept_mail, link);
		if (id_eq(m->id, id))
			return m;
	}
	return NULL;
}

static void place_mail(struct spool *sp, struct kept_mail *m, lsn_t lsn, uint32_t size)
{
	struct segment *seg = segment_of(sp, lsn);

	if (m->size)
		state_lose(sp, m->lsn, m->size);
	m->lsn = lsn;
	m->size = size;
	list_remove(&m->seg);
	list_push(&seg->mails, &m->seg);
	state_gain(sp, lsn, size);
}

static struct kept_mail *add_mail(struct spool *sp, struct id128 id)
{
	struct kept_mail *m = must_alloc(sizeof(*m));

	m->id = id;
	list_init(&m->seg);
	list_push(&sp->t.mails_in_order, &m->all);
	map_insert(&sp->t.mails, &m->link, hash_keyed(slice_of(&id, sizeof(id))));
	return m;
}

void kept_mail_drop(struct tables *t, struct kept_mail *m)
{
	map_remove(&t->mails, &m->link);
	list_remove(&m->seg);
	list_remove(&m->all);
	free(m);
}

/* The last fact of a mail was appended. */
static void end_mail(struct spool *sp, struct kept_mail *m)
{
	state_lose(sp, m->lsn, m->size);
	kept_mail_drop(&sp->t, m);
}

static void count_fact(struct tables *t, const struct late_fact *f)
{
	if (f->again)
		t->late.again++;
	else
		t->late.kinds[f->kind - LATE_DSN]++;
	t->late.read += f->last;
	if (!f->again)
		keys_seen_add(&t->keys, f->key);
}

int late_apply_mail(struct spool *sp, const struct record *rec)
{
	struct late_mail in;
	struct kept_mail *m;
	uint32_t seq;
	bool copy = rec->flags & RECORD_COPY;
	int r = late_decode_mail(rec, &in, &seq);

	if (r < 0)
		return r;
	m = find_mail(&sp->t, in.id);
	if (m && !copy)
		return E_CORRUPT; /* spooled twice: spool_put_late_mail never does that */
	if (!m)
		m = add_mail(sp, in.id);
	if (!copy)
		sp->t.late.arrived++;
	m->seq = MAX_OF(m->seq, seq);
	place_mail(sp, m, rec->lsn, (uint32_t)(rec->end - rec->lsn));
	return 0;
}

/* A fact of an unknown mail counts too: the mail has left the log. */
int late_apply_fact(struct spool *sp, const struct record *rec)
{
	struct late_view v;
	struct kept_mail *m;
	int r = late_decode(rec->payload, &v);

	if (r < 0)
		return r;
	m = find_mail(&sp->t, v.f.mail);
	if (m && v.f.seq < m->seq)
		return E_CORRUPT; /* the same fact twice: spool_put_late never does that */
	count_fact(&sp->t, &v.f);
	if (m)
		m->seq = v.f.seq + 1;
	if (m && v.f.last)
		end_mail(sp, m);
	return 0;
}

int late_apply_tally(struct spool *sp, const struct record *rec)
{
	struct slice keys;
	uint64_t key;
	int r = late_decode_tally(rec->payload, &sp->t.late, &keys);

	for (; r >= 0 && keys.n; keys = slice_skip(keys, sizeof(key))) {
		memcpy(&key, keys.p, sizeof(key));
		if (!keys_seen_has(&sp->t.keys, key))
			keys_seen_add(&sp->t.keys, key);
	}
	return r;
}

/* ---- the tally --------------------------------------------------------------------------- */

static uint32_t tally_keys(const struct spool *sp)
{
	return keys_seen_list(&sp->t.keys, (uint32_t)(sp->segment_bytes / 1024), NULL);
}

uint64_t late_tally_size(const struct spool *sp)
{
	static const struct late_totals none;

	if (!memcmp(&sp->t.late, &none, sizeof(none)))
		return 0;
	return record_size(sizeof(none) + tally_keys(sp) * sizeof(uint64_t));
}

void late_put_tally(struct spool *sp)
{
	uint32_t n = tally_keys(sp);
	OWNED_MEM uint64_t *keys = must_alloc((n + (size_t)1) * sizeof(*keys));
	struct append_part parts[] = { { &sp->t.late, sizeof(sp->t.late) },
				       { keys, n * sizeof(*keys) } };

	(void)keys_seen_list(&sp->t.keys, n, keys);
	(void)append_record(sp, RECORD_TALLY, RECORD_COPY, append_parts_crc(parts, 2), parts, 2);
}

int late_settle(struct spool *sp)
{
	struct late_totals *t = &sp->t.late;
	int r;

	t->arrived = t->read + sp->t.mails.count;
	if (!late_tally_size(sp))
		return 0;
	r = append_room(sp, late_tally_size(sp), WANT_OUTCOME);
	if (r >= 0)
		late_put_tally(sp);
	return r;
}

/* ---- put --------------------------------------------------------------------------------- */

int spool_put_late_mail(struct spool *sp, const struct late_mail *in, lsn_t *ret_lsn)
{
	struct late_mail_fixed f = { in->id, in->at_ms, (uint32_t)in->meta.n,
				     (uint32_t)in->bytes.n };
	const struct append_part parts[] = { { &f, sizeof(f) },
					     { in->meta.p, in->meta.n },
					     { in->bytes.p, in->bytes.n } };
	uint64_t size;
	uint32_t crc;
	lsn_t end;
	int r;

	if (in->meta.n > LATE_META_MAX || in->bytes.n > LATE_MAIL_MAX)
		return E_LIMIT;
	size = record_size(sizeof(f) + in->meta.n + in->bytes.n);
	crc = append_parts_crc(parts, 3);
	spool_lock(sp);
	r = find_mail(&sp->t, in->id) ? E_EXISTS : append_room(sp, size, WANT_MAIL);
	if (r >= 0) {
		end = append_record(sp, RECORD_LATE_MAIL, 0, crc, parts, 3);
		sp->t.late.arrived++;
		place_mail(sp, add_mail(sp, in->id), end - size, (uint32_t)size);
		append_urgent(sp);
		*ret_lsn = end;
	}
	spool_unlock(sp);
	return r;
}

/* The job's record tells whose it is, while it is in the log. */
static void fill_in(const struct spool *sp, struct late_fact *f)
{
	uint32_t i = f->tenant && f->campaign ? NONE : kept_job_find(&sp->t, f->job);
	const struct kept_job *j;

	if (i == NONE)
		return;
	j = kept_job_at(&sp->t, i);
	if (!f->tenant)
		f->tenant = j->tenant;
	if (!f->campaign && f->tenant == j->tenant)
		f->campaign = j->campaign;
}

static int put_fact(struct spool *sp, struct late_fact f, struct slice report, bool packed,
		    lsn_t *end)
{
	struct late_fixed x;
	struct slice cut[LATE_TEXTS];
	struct append_part parts[LATE_TEXTS + 2] = { { &x, sizeof(x) } };
	size_t size = sizeof(x) + report.n;
	struct kept_mail *m = find_mail(&sp->t, f.mail);
	int r;

	if (!m)
		return E_UNKNOWN;
	if (f.seq < m->seq)
		return 0;
	f.again = keys_seen_has(&sp->t.keys, f.key);
	fill_in(sp, &f);
	x = late_fixed_of(&f, (uint32_t)report.n, packed);
	late_texts(&f, cut);
	for (size_t i = 0; i < LATE_TEXTS; i++) {
		parts[i + 1] = (struct append_part){ cut[i].p, cut[i].n };
		size += cut[i].n;
	}
	parts[LATE_TEXTS + 1] = (struct append_part){ report.p, report.n };
	r = append_room(sp, record_size(size), WANT_OUTCOME);
	if (r < 0)
		return r;
	*end = append_record(sp, RECORD_RETURNED, 0, append_parts_crc(parts, ARRAY_LEN(parts)),
			     parts, ARRAY_LEN(parts));
	count_fact(&sp->t, &f);
	m->seq = f.seq + 1;
	if (f.last)
		end_mail(sp, m);
	append_lazy(sp);
	return 0;
}

/* Packs the report without the lock. */
static int pack_and_put(struct spool *sp, const struct late_fact *f, lsn_t *end)
{
	OWNED_MEM char *packed = NULL;
	struct slice report = f->report;
	size_t n = 0;
	int r;

	if (f->kind < LATE_DSN || f->kind >= LATE_END || f->row > ROWS_MAX)
		return -EINVAL;
	if (f->report.n > LATE_REPORT_MAX)
		return E_LIMIT;
	r = f->report.n ? compress_pack(f->report, &packed, &n) : 0;
	if (r < 0)
		return r;
	if (r > 0)
		report = slice_of(packed, n);
	spool_lock(sp);
	r = put_fact(sp, *f, report, packed != NULL, end);
	spool_unlock(sp);
	return r;
}

int spool_put_late(struct spool *sp, const struct late_fact *facts, unsigned n, lsn_t *ret_lsn)
{
	lsn_t end = spool_head(sp);
	int r = 0;

	for (unsigned i = 0; i < n && r >= 0; i++)
		r = pack_and_put(sp, &facts[i], &end);
	if (r >= 0 && ret_lsn)
		*ret_lsn = end;
	return r;
}

/* ---- read -------------------------------------------------------------------------------- */

unsigned spool_late_mails(struct spool *sp, struct id128 *ret, unsigned max)
{
	struct kept_mail *m;
	unsigned n = 0;

	spool_lock(sp);
	list_each(&sp->t.mails_in_order, m, struct kept_mail, all) {
		if (n == max)
			break;
		ret[n++] = m->id;
	}
	spool_unlock(sp);
	return n;
}

int spool_read_late_mail(struct spool *sp, struct id128 id, int64_t *ret_at_ms, struct buf *meta,
			 struct buf *bytes)
{
	OWNED_MEM char *mem = NULL;
	struct kept_mail *kept;
	struct late_mail m;
	struct record rec;
	uint32_t seq;
	int r;

	spool_lock(sp);
	kept = find_mail(&sp->t, id);
	if (!kept) {
		spool_unlock(sp);
		return E_UNKNOWN;
	}
	r = read_record_unlock(sp, kept->lsn, kept->size, &mem, &rec);
	if (r >= 0)
		r = late_decode_mail(&rec, &m, &seq);
	if (r < 0)
		return r;
	*ret_at_ms = m.at_ms;
	r = meta ? buf_append(meta, m.meta) : 0;
	return r >= 0 && bytes ? buf_append(bytes, m.bytes) : r;
}

/* Entered and left with the lock held, which is not held while the disk is read. */
static int move_mail(struct spool *sp, struct id128 id, lsn_t lsn, uint32_t size, uint64_t *copied)
{
	OWNED_MEM char *mem = NULL;
	struct late_copy_fixed state = { 0, 0 };
	struct kept_mail *m;
	struct late_mail in;
	struct record rec;
	size_t given = 0;
	uint32_t seq;
	int r = read_record_unlock(sp, lsn, size, &mem, &rec);

	if (r >= 0)
		r = late_decode_mail(&rec, &in, &seq);
	if (r >= 0)
		given = sizeof(struct late_mail_fixed) + in.meta.n + in.bytes.n;
	spool_lock(sp);
	m = r < 0 ? NULL : find_mail(&sp->t, id);
	if (!m)
		return r; /* its last fact was put meanwhile */
	state.seq = m->seq;
	const struct append_part parts[] = { { rec.payload.p, given }, { &state, sizeof(state) } };
	size = (uint32_t)record_size(given + sizeof(state));
	r = append_room(sp, size, WANT_COPY);
	if (r < 0)
		return r;
	lsn =
	    append_record(sp, RECORD_LATE_MAIL, RECORD_COPY, append_parts_crc(parts, 2), parts, 2);
	place_mail(sp, m, lsn - size, size);
	*copied += size;
	return 0;
}

int late_move_mails(struct spool *sp, struct segment *seg, uint64_t *copied, uint64_t max)
{
	struct kept_mail *m;
	int r = 0;

	while (r >= 0 && *copied < max && (m = list_first(&seg->mails, struct kept_mail, seg)))
		r = move_mail(sp, m->id, m->lsn, m->size, copied);
	return r;
}
