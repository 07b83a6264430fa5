/* spool/folder.c - the segment files of a folder, in order. */
#include "spool/folder.h"

#include <fcntl.h>

#include "base/encode.h"

/* By hand, and not by printf: the writer has the name at hand for each of its batches. */
void folder_segment_name(lsn_t start, char *buf)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < 16; i++)
		buf[i] = digits[start >> (60 - 4 * i) & 15];
	memcpy(buf + 16, ".seg", sizeof(".seg"));
}

static int parse_name(const char *name, lsn_t *ret)
{
	char again[SEGMENT_NAME];
	lsn_t start;

	if (strlen(name) != 20)
		return E_SYNTAX;
	if (hex_u64(slice_of(name, 16), &start) < 0)
		return E_SYNTAX;
	folder_segment_name(start, again);
	*ret = start;
	return strcmp(again, name) == 0 ? 0 : E_SYNTAX;
}

static int take_name(void *arg, const char *name)
{
	struct folder *f = arg;
	lsn_t start;

	f->spare |= strcmp(name, SPARE_NAME) == 0;
	if (parse_name(name, &start) < 0)
		return 0; /* the lock, or not ours */
	if (f->n == f->cap) {
		f->cap = MAX_OF(f->cap * 2, (size_t)64);
		f->starts = must_resize(f->starts, f->cap * sizeof(*f->starts));
	}
	f->starts[f->n++] = start;
	return 0;
}

static int compare(const void *a, const void *b)
{
	lsn_t x = *(const lsn_t *)a, y = *(const lsn_t *)b;

	return x < y ? -1 : x > y;
}

int folder_list(struct folder *f, const struct disk *disk, int dirfd)
{
	int r;

	*f = (struct folder){ .disk = disk, .dirfd = dirfd };
	r = durable_read(disk, dirfd, &f->mark);
	if (r >= 0)
		r = disk->each_name(disk->self, dirfd, take_name, f);
	if (f->n)
		qsort(f->starts, f->n, sizeof(*f->starts), compare);
	return r;
}

int folder_open(struct folder *f, const struct disk *disk, const char *path)
{
	int r, dirfd = disk->open_dir(disk->self, path);

	if (dirfd < 0)
		return dirfd;
	r = folder_list(f, disk, dirfd);
	if (r >= 0 && !f->n)
		r = f->mark.lsn ? E_CORRUPT : -ENOENT;
	if (r < 0)
		folder_free(f);
	return r;
}

void folder_free(struct folder *f)
{
	free(f->starts);
	f->starts = NULL;
	f->n = 0;
	(void)f->disk->close(f->disk->self, f->dirfd);
}

int folder_enter(const struct folder *f, size_t i, struct segment_header *h, struct scan *s)
{
	const struct disk *d = f->disk;
	lsn_t start = f->starts[i];
	char name[SEGMENT_NAME];
	uint64_t size = 0;
	int fd, r;

	folder_segment_name(start, name);
	fd = d->open(d->self, f->dirfd, name, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	r = scan_header(d, fd, start, h);
	if (r >= 0 && i + 1 == f->n)
		r = d->size(d->self, fd, &size);
	if (r < 0) {
		(void)d->close(d->self, fd);
		return r;
	}
	scan_begin(s, d, fd, record_salt((struct id128){ h->spool_hi, h->spool_lo }), start,
		   start + SEGMENT_HEADER, i + 1 < f->n ? f->starts[i + 1] : start + size);
	return 0;
}

void folder_leave(struct scan *s)
{
	scan_end(s);
	(void)s->disk->close(s->disk->self, s->fd);
}
