/* spool/commit.c - the committer: takes the batch, writes and syncs it, publishes the position. A
 * batch is written only after the one before it was synced, and a segment is named only after its
 * first bytes were: recovery relies on both. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "spool/inside.h"

enum { KEEP_BATCH = 8 << 20, LOOK_MS = 1000, GATHER_US = 1000 };

int commit_note(struct spool *sp, const char *doing, const char *file, int r)
{
	struct spool_failure *f = &sp->failure;

	if (r >= 0 || f->err)
		return r;
	f->doing = doing;
	f->err = r;
	(void)snprintf(f->file, sizeof(f->file), "%s", file);
	return r;
}

static int write_synced(struct spool *sp, const char *name, int fd, const char *p, size_t n,
			uint64_t offset)
{
	const struct disk *d = sp->disk;
	ssize_t w = d->pwrite(d->self, fd, p, n, offset);
	int r;

	if (w < 0)
		return commit_note(sp, "write", name, (int)w);
	if ((size_t)w != n)
		return commit_note(sp, "write", name, -EIO);
	r = d->sync_data(d->self, fd);
	if (r < 0)
		return commit_note(sp, "sync", name, r);
	atomic_fetch_add(&sp->syncs, 1);
	atomic_fetch_add(&sp->bytes_written, n);
	return 0;
}

static int open_spare(struct spool *sp, uint64_t bytes)
{
	const struct disk *d = sp->disk;
	int r, fd = d->open(d->self, sp->dirfd, SPARE_NAME, O_RDWR | O_CREAT | O_EXCL, 0600);

	if (fd == -EEXIST) { /* it is left from a failure, when it could not be removed */
		(void)d->unlink(d->self, sp->dirfd, SPARE_NAME);
		fd = d->open(d->self, sp->dirfd, SPARE_NAME, O_RDWR | O_CREAT | O_EXCL, 0600);
	}
	if (fd < 0)
		return fd;
	r = d->allocate(d->self, fd, bytes);
	if (r < 0) {
		(void)d->close(d->self, fd);
		(void)d->unlink(d->self, sp->dirfd, SPARE_NAME);
		return r;
	}
	sp->spare_fd = fd;
	sp->spare_bytes = bytes;
	return 0;
}

/* Guarantee: a file named as a segment has its header and first batch on disk. */
static int write_new_segment(struct spool *sp, struct segment *seg, const char *p, size_t n)
{
	const struct disk *d = sp->disk;
	char name[SEGMENT_NAME];
	bool fresh = sp->spare_fd < 0;
	int r = fresh ? open_spare(sp, MAX_OF(sp->segment_bytes, (uint64_t)n)) : 0;

	if (r == -ENOSPC)
		r = open_spare(sp, n); /* smaller than usual */
	if (r < 0)
		return commit_note(sp, "create", SPARE_NAME, r);
	r = write_synced(sp, SPARE_NAME, sp->spare_fd, p, n, 0);
	if (r < 0)
		return r;
	folder_segment_name(seg->start, name);
	r = commit_note(sp, "rename", name, d->rename(d->self, sp->dirfd, SPARE_NAME, name));
	if (r >= 0)
		r = commit_note(sp, "sync folder", name, d->sync_dir(d->self, sp->dirfd));
	if (r < 0)
		return r;
	spool_lock(sp);
	seg->fd = sp->spare_fd;
	seg->file_bytes = MAX_OF(sp->spare_bytes, (uint64_t)n);
	seg->made = true;
	sp->open_fds++;
	sp->unmade--;
	sp->room -= MIN_OF(sp->room, fresh ? sp->spare_bytes : seg->file_bytes - sp->spare_bytes);
	sp->spare_ready = false;
	spool_unlock(sp);
	sp->spare_fd = -1;
	return 0;
}

static int write_piece(struct spool *sp, lsn_t lsn, const char *p, size_t n)
{
	struct segment *seg;
	char name[SEGMENT_NAME];
	int r;

	spool_lock(sp);
	seg = segment_of(sp, lsn);
	r = seg->made ? segment_pin(sp, seg) : 0;
	spool_unlock(sp);
	folder_segment_name(seg->start, name);
	if (r < 0)
		return commit_note(sp, "open", name, r);
	if (!seg->made)
		return write_new_segment(sp, seg, p, n);
	r = write_synced(sp, name, seg->fd, p, n, lsn - seg->start);
	spool_lock(sp);
	segment_unpin(sp, seg);
	spool_unlock(sp);
	return r;
}

/* The segment before a new one is full: the rest of its preallocated room is given back.  Not
 * synced: zeros after the last record of an older segment mean nothing. */
static void trim_before(struct spool *sp, lsn_t start)
{
	struct segment *seg;
	uint64_t used;
	int r;

	spool_lock(sp);
	seg = start ? segment_of(sp, start - 1) : NULL;
	r = seg && seg->made ? segment_pin(sp, seg) : E_UNKNOWN;
	used = seg ? seg->end - seg->start : 0;
	spool_unlock(sp);
	if (r < 0)
		return;
	if (seg->file_bytes > used)
		(void)sp->disk->truncate(sp->disk->self, seg->fd, used);
	seg->file_bytes = used;
	spool_lock(sp);
	segment_unpin(sp, seg);
	spool_unlock(sp);
}

static int write_flight(struct spool *sp)
{
	const struct append_batch *b = &sp->flight;
	size_t from = 0;

	for (uint32_t i = 0; i <= b->n_cuts; i++) {
		size_t to = i < b->n_cuts ? b->cuts[i] : b->n;
		int r = to > from ? write_piece(sp, b->start + from, b->p + from, to - from) : 0;
		if (r < 0)
			return r;
		if (i > 0)
			trim_before(sp, b->start + from);
		from = to;
	}
	return 0;
}

static void wake_ports(struct spool *sp)
{
	(void)pthread_mutex_lock(&sp->port_lock);
	for (struct spool_port *port = sp->ports, *next; port; port = next) {
		next = port->next;
		port->wake(port);
	}
	(void)pthread_mutex_unlock(&sp->port_lock);
}

void commit_poison(struct spool *sp)
{
	atomic_store(&sp->failed, E_POISONED);
	wake_ports(sp);
}

static bool take_batch(struct spool *sp)
{
	struct append_batch b;

	spool_lock(sp);
	b = sp->flight;
	sp->flight = sp->active;
	sp->active = b;
	sp->active.n = sp->active.n_cuts = 0;
	sp->active.start = sp->flight.start + sp->flight.n;
	sp->urgent = false;
	sp->lazy_since = 0;
	for (struct kept_consumer *c = sp->t.consumers; c; c = c->next)
		c->flight = c->cursor;
	spool_unlock(sp);
	return sp->flight.n > 0;
}

static void land_batch(struct spool *sp)
{
	spool_lock(sp);
	sp->flight.n = sp->flight.n_cuts = 0;
	if (sp->flight.cap > KEEP_BATCH)
		append_batch_free(&sp->flight);
	for (struct kept_consumer *c = sp->t.consumers; c; c = c->next)
		c->kept = c->flight;
	spool_unlock(sp);
}

/* The log itself is the promise: a mark that cannot be written promises less. */
void commit_mark(struct spool *sp)
{
	const struct durable_mark mark = { sp->id, atomic_load(&sp->durable) };

	(void)!durable_write(sp->disk, sp->dirfd, &sp->mark_fd, &mark);
}

/* 50 us to 10 s. */
const struct histogram_scale spool_commit_scale = {
	.per_second = 1000000,
	.n = 15,
	.most = { 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000,
		  2500000, 10000000 },
};

int commit_batch(struct spool *sp)
{
	int64_t from;
	bool begun;
	lsn_t end;

	if (atomic_load(&sp->failed))
		return E_POISONED;
	if (!take_batch(sp))
		return 0;
	from = clock_mono_us();
	if (write_flight(sp) < 0) {
		/* A second sync might succeed although the page cache has dropped the pages: the
		 * spool is finished. */
		commit_poison(sp);
		return E_POISONED;
	}
	end = sp->flight.start + sp->flight.n;
	sp->sync_us = clock_mono_us() - from;
	histogram_note(&sp->commits, &spool_commit_scale, sp->sync_us);
	begun = sp->flight.n_cuts > 0;
	land_batch(sp);
	atomic_store(&sp->durable, end);
	wake_ports(sp);
	if (begun)
		commit_mark(sp);
	return 0;
}

void commit_look_at_room(struct spool *sp)
{
	const struct disk *d = sp->disk;
	uint64_t bytes;

	if (d->free_bytes(d->self, sp->dirfd, &bytes) < 0)
		bytes = UINT64_MAX / 2; /* an error that is missed here shows when it is written */
	atomic_store(&sp->free_bytes, bytes);
	spool_lock(sp);
	sp->room = bytes;
	sp->spare_ready = sp->spare_fd >= 0;
	sp->refusing = bytes < append_reserve(sp) || !sp->spare_ready ||
		       (sp->refusing && !append_has_place(sp, 0, WANT_MAIL));
	spool_unlock(sp);
}

/* What is written to a removed file is lost, although every write and sync succeeds: looks now and
 * then whether the newest segment still has its name. */
static void look_for_folder(struct spool *sp)
{
	const struct disk *d = sp->disk;
	int64_t now = clock_mono_ms();
	char name[SEGMENT_NAME];
	struct segment *seg;
	int fd;

	if (sp->looked_ms && now - sp->looked_ms < LOOK_MS)
		return;
	sp->looked_ms = now;
	spool_lock(sp);
	seg = segment_newest(sp);
	for (size_t i = sp->n_segs; i > 1 && !seg->made; i--)
		seg = sp->segs[i - 2];
	folder_segment_name(seg->start, name);
	spool_unlock(sp);
	fd = d->open(d->self, sp->dirfd, name, O_RDONLY, 0);
	if (fd >= 0)
		(void)d->close(d->self, fd);
	if (fd != -ENOENT)
		return;
	(void)commit_note(sp, "find", name, fd);
	commit_poison(sp);
}

void commit_housekeeping(struct spool *sp)
{
	if (atomic_load(&sp->failed) || sp->read_only)
		return;
	look_for_folder(sp);
	if (atomic_load(&sp->failed))
		return;
	if (sp->spare_fd < 0)
		(void)open_spare(sp, sp->segment_bytes); /* the next look sees that there is none */
	commit_look_at_room(sp);
	clean_step(sp);
}

/* With the lock held: how long may the pending records still wait?  0: not at all. */
static int64_t may_wait_ms(const struct spool *sp)
{
	int64_t left;

	if (sp->urgent || sp->stopping)
		return 0;
	if (!sp->lazy_since)
		return LOOK_MS;
	left = sp->lazy_since + sp->lazy_commit_ms - clock_mono_ms();
	return left < 0 ? 0 : MIN_OF(left, (int64_t)LOOK_MS);
}

static int wait_until(struct spool *sp, int64_t us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };
	int r;

	sp->waiting = true;
	r = pthread_cond_timedwait(&sp->wake, &sp->lock, &ts);
	sp->waiting = false;
	return r;
}

/* Those whose batch has just become durable are about to write again, while the batch of the others
 * is pending already.  Without a wait, two half groups take turns for ever.  One group is worth a
 * quarter of a sync. */
static void gather(struct spool *sp, size_t landed)
{
	int64_t until = clock_mono_us() + MIN_OF(sp->sync_us / 4, (int64_t)GATHER_US);

	spool_lock(sp);
	sp->wake_at = sp->active.n + landed;
	while (sp->active.n > 0 && sp->active.n < sp->wake_at && !sp->stopping)
		if (wait_until(sp, until))
			break;
	sp->wake_at = 0;
	spool_unlock(sp);
}

static void wait_for_work(struct spool *sp)
{
	int64_t ms;

	spool_lock(sp);
	ms = may_wait_ms(sp);
	if (ms > 0)
		(void)wait_until(sp, clock_mono_us() + ms * 1000);
	spool_unlock(sp);
}

static bool must_go_on(struct spool *sp)
{
	bool on;

	spool_lock(sp);
	on = !sp->stopping && !atomic_load(&sp->failed);
	spool_unlock(sp);
	return on;
}

static bool is_due(struct spool *sp)
{
	bool due;

	spool_lock(sp);
	due = sp->active.n && may_wait_ms(sp) == 0;
	if (!sp->active.n) {
		sp->urgent = false; /* the last commit has what was waited for */
		sp->lazy_since = 0;
	}
	spool_unlock(sp);
	return due;
}

void *commit_thread(void *arg)
{
	struct spool *sp = arg;

	while (must_go_on(sp)) {
		lsn_t before = atomic_load(&sp->durable);
		wait_for_work(sp);
		if (is_due(sp) && commit_batch(sp) >= 0)
			gather(sp, (size_t)(atomic_load(&sp->durable) - before));
		commit_housekeeping(sp);
	}
	return NULL;
}
