#include "spool/scan.h"

enum { BLOCK = 1 << 20 };

void scan_begin(struct scan *s, const struct disk *disk, int fd, uint64_t salt, lsn_t start, lsn_t at,
		lsn_t limit)
{
	*s = (struct scan){ .disk = disk, .fd = fd, .salt = salt, .start = start, .at = at,
			    .limit = limit, .buf_lsn = at };
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

/* Makes at least `need` bytes at s->at present, or as many as the file has before the limit. */
static int fill(struct scan *s, size_t need)
{
	size_t keep = (size_t)(s->buf_lsn + s->have - s->at), want = MAX_OF(need, (size_t)BLOCK);
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
		r = record_parse(s->buf ? s->buf + (s->at - s->buf_lsn) : NULL, have, s->at, s->salt,
				 rec, &need);
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

static int look_at(const struct scan *s, lsn_t lsn, struct tail *ret)
{
	struct scan one;
	struct record rec;
	int r;

	scan_begin(&one, s->disk, s->fd, s->salt, s->start, lsn, s->limit);
	r = scan_next(&one, &rec);
	if (r > 0) {
		ret->sound++;
		ret->damaged |= rec.batch > s->at;
	}
	scan_end(&one);
	return r == E_CORRUPT ? 0 : r;
}

int scan_tail(const struct scan *s, struct tail *ret)
{
	OWNED_MEM char *block = malloc(BLOCK);
	lsn_t at = s->at + 8, expect;
	uint64_t word;
	ssize_t n;
	int r;

	*ret = (struct tail){ false, 0 };
	if (!block)
		return -ENOMEM;
	for (; at + RECORD_HEADER <= s->limit; at += (size_t)n & ~(size_t)7) {
		size_t want = (size_t)MIN_OF((uint64_t)BLOCK, s->limit - at);
		n = s->disk->pread(s->disk->self, s->fd, block, want, at - s->start);
		if (n < 8)
			return n < 0 ? (int)n : 0;
		for (size_t i = 0; i + 8 <= (size_t)n; i += 8) {
			memcpy(&word, block + i, 8);
			expect = at + i - offsetof(struct record_header, lsn);
			if (word != (expect ^ s->salt) || expect <= s->at)
				continue;
			r = look_at(s, expect, ret);
			if (r < 0)
				return r;
		}
	}
	return 0;
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
