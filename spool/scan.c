/* spool/scan.c - reads records in order, and judges what follows the last sound one. */
#include "spool/scan.h"

enum { BLOCK = 1 << 20 };

void scan_begin(struct scan *s, const struct disk *disk, int fd, uint64_t salt, lsn_t start,
		lsn_t at, lsn_t limit)
{
	*s = (struct scan){ .disk = disk,
			    .fd = fd,
			    .salt = salt,
			    .start = start,
			    .at = at,
			    .limit = limit,
			    .buf_lsn = at };
}

void scan_end(struct scan *s)
{
	free(s->buf);
	s->buf = NULL;
	s->cap = s->have = 0;
}

void scan_again(struct scan *s)
{
	s->have = 0;
	s->buf_lsn = s->at;
}

/* Reads until at least `need` bytes at s->at are there, or all that the file has
 * before the limit. */
static int fill(struct scan *s, size_t need)
{
	size_t keep = (size_t)(s->buf_lsn + s->have - s->at);
	size_t want = MAX_OF(need, (size_t)MIN_OF((uint64_t)BLOCK, s->limit - s->at));
	ssize_t n;
	char *p;

	if (want > s->cap) {
		p = malloc(want);
		if (!p)
			return -ENOMEM;
		if (keep)
			memcpy(p, s->buf + (s->at - s->buf_lsn), keep);
		free(s->buf);
		s->buf = p;
		s->cap = want;
	} else if (keep) {
		memmove(s->buf, s->buf + (s->at - s->buf_lsn), keep);
	}
	s->buf_lsn = s->at;
	s->have = keep;
	want = (size_t)MIN_OF((uint64_t)(s->cap - keep), s->limit - s->at - keep);
	n = s->disk->pread(s->disk->self, s->fd, s->buf + keep, want, s->at + keep - s->start);
	if (n < 0)
		return (int)n;
	s->have += (size_t)n;
	return 0;
}

int scan_next(struct scan *s, struct record *rec)
{
	size_t need = 0, have;
	int r;

	if (s->at >= s->limit)
		return 0;
	for (int tries = 0; tries < 3; tries++) {
		have = (size_t)(s->buf_lsn + s->have - s->at);
		r = record_parse(s->buf ? s->buf + (s->at - s->buf_lsn) : NULL, have, s->at,
				 s->salt, rec, &need);
		if (r > 0)
			s->at = rec->end;
		if (r != 0)
			return r;
		if (need > s->limit - s->at)
			return E_CORRUPT;
		r = fill(s, need);
		if (r < 0)
			return r;
	}
	return E_CORRUPT; /* the file ends before its limit */
}

/* 1: there is a sound record at lsn. */
static int is_sound(const struct scan *s, lsn_t lsn)
{
	struct scan one;
	struct record rec;
	int r;

	scan_begin(&one, s->disk, s->fd, s->salt, s->start, lsn, s->limit);
	r = scan_next(&one, &rec);
	scan_end(&one);
	return r == E_CORRUPT ? 0 : r;
}

/* The first place of a sound record in a block that begins at lsn; 0: there is none. */
static int look_in(const struct scan *s, const char *block, size_t n, lsn_t lsn, lsn_t *ret)
{
	const size_t back = offsetof(struct record_header, lsn);
	uint64_t word;
	int r = 0;

	for (size_t i = 0; i + 8 <= n && r == 0; i += 8) {
		memcpy(&word, block + i, 8);
		*ret = lsn + i - back;
		if (word == (*ret ^ s->salt) && *ret > s->at)
			r = is_sound(s, *ret);
	}
	return r;
}

int scan_skip(struct scan *s)
{
	OWNED_MEM char *block = malloc((size_t)MIN_OF((uint64_t)BLOCK, s->limit - s->at));
	lsn_t found = 0;
	ssize_t n = BLOCK;
	int r = block ? 0 : -ENOMEM;

	for (lsn_t at = s->at + 8; r == 0 && n == BLOCK && at < s->limit; at += (lsn_t)n) {
		size_t want = (size_t)MIN_OF((uint64_t)BLOCK, s->limit - at);
		n = s->disk->pread(s->disk->self, s->fd, block, want, at - s->start);
		r = n < 0 ? (int)n : look_in(s, block, (size_t)n, at, &found);
	}
	if (r > 0) {
		s->at = found;
		scan_again(s);
	}
	return r;
}

int scan_tail(const struct scan *s, struct tail *ret)
{
	struct scan t;
	struct record rec;
	int r;

	*ret = (struct tail){ false, 0 };
	scan_begin(&t, s->disk, s->fd, s->salt, s->start, s->at, s->limit);
	while ((r = scan_skip(&t)) > 0) {
		while ((r = scan_next(&t, &rec)) > 0) {
			ret->sound++;
			ret->damaged |= rec.batch > s->at;
		}
		if (r != E_CORRUPT)
			break;
	}
	scan_end(&t);
	return r;
}

int scan_next_newest(struct scan *s, struct record *rec, struct tail *tail)
{
	int r = scan_next(s, rec);

	*tail = (struct tail){ false, 0 };
	for (int tries = 0; r == E_CORRUPT && tries < 2; tries++) {
		r = scan_tail(s, tail);
		if (r < 0)
			return r;
		if (!tail->damaged)
			return 0;
		scan_again(s);
		r = scan_next(s, rec);
	}
	return r;
}

int scan_header(const struct disk *disk, int fd, lsn_t start, struct segment_header *ret)
{
	ssize_t n = disk->pread(disk->self, fd, ret, sizeof(*ret), 0);
	int r;

	if (n < 0)
		return (int)n;
	if (n != sizeof(*ret))
		return E_CORRUPT;
	r = segment_header_check(ret);
	if (r >= 0 && ret->start != start)
		r = E_CORRUPT;
	return r;
}
