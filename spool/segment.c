/* spool/segment.c - the list of segments, oldest first, and their open files. */
#include <fcntl.h>

#include "spool/inside.h"

enum { OPEN_FDS_MAX = 256 };

struct segment *segment_add(struct spool *sp, lsn_t start)
{
	struct segment *seg = must_alloc(sizeof(*seg));

	seg->start = start;
	seg->end = start + SEGMENT_HEADER;
	seg->limit = sp->segment_bytes;
	seg->fd = -1;
	seg->jobs = seg->jobs_tail = seg->contents = seg->contents_tail = NONE;
	list_init(&seg->rules);
	list_init(&seg->mails);
	seg->head = SEGMENT_HEADER;
	if (sp->n_segs == sp->cap_segs) {
		sp->cap_segs = MAX_OF(sp->cap_segs * 2, (size_t)16);
		sp->segs = must_resize(sp->segs, sp->cap_segs * sizeof(*sp->segs));
	}
	sp->segs[sp->n_segs++] = seg;
	return seg;
}

struct segment *segment_of(const struct spool *sp, lsn_t lsn)
{
	size_t low = 0, high = sp->n_segs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (sp->segs[mid]->start <= lsn)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? sp->segs[low - 1] : NULL;
}

static void segment_close(struct spool *sp, struct segment *seg)
{
	if (seg->fd < 0)
		return;
	(void)sp->disk->close(sp->disk->self, seg->fd);
	seg->fd = -1;
	sp->open_fds--;
}

void segment_drop_oldest(struct spool *sp)
{
	struct segment *seg = sp->segs[0];

	sp->n_segs--;
	memmove(sp->segs, sp->segs + 1, sp->n_segs * sizeof(*sp->segs));
	seg->dead = true;
	if (seg->pins)
		return;
	segment_close(sp, seg);
	free(seg);
}

/* Few descriptors for many segments.  The newest stays open for the writer. */
static void close_some(struct spool *sp)
{
	for (size_t i = 0; i + 1 < sp->n_segs && sp->open_fds >= OPEN_FDS_MAX; i++)
		if (!sp->segs[i]->pins && sp->segs[i]->made)
			segment_close(sp, sp->segs[i]);
}

int segment_pin(struct spool *sp, struct segment *seg)
{
	char name[SEGMENT_NAME];
	int fd;

	if (seg->fd < 0) {
		close_some(sp);
		folder_segment_name(seg->start, name);
		fd = sp->disk->open(sp->disk->self, sp->dirfd, name,
				    sp->read_only ? O_RDONLY : O_RDWR, 0);
		if (fd < 0)
			return fd;
		seg->fd = fd;
		sp->open_fds++;
	}
	seg->pins++;
	return 0;
}

void segment_unpin(struct spool *sp, struct segment *seg)
{
	if (--seg->pins || !seg->dead)
		return;
	segment_close(sp, seg);
	free(seg);
}

void segment_link_job(struct spool *sp, uint32_t i)
{
	struct kept_job *j = kept_job_at(&sp->t, i);
	struct segment *seg = segment_of(sp, j->lsn);

	j->seg_next = NONE;
	if (seg->jobs == NONE)
		seg->jobs = i;
	else
		kept_job_at(&sp->t, seg->jobs_tail)->seg_next = i;
	seg->jobs_tail = i;
}

void segment_link_content(struct spool *sp, uint32_t i)
{
	struct kept_content *c = kept_content_at(&sp->t, i);
	struct segment *seg = segment_of(sp, c->lsn);

	c->seg_next = NONE;
	if (seg->contents == NONE)
		seg->contents = i;
	else
		kept_content_at(&sp->t, seg->contents_tail)->seg_next = i;
	seg->contents_tail = i;
}
