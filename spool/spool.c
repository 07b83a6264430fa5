/* spool/spool.c - opens and ends a spool; its positions, rules and books. */
#include "spool/spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/random.h"
#include "spool/inside.h"

enum { READ_ONLY_TRIES = 8 };

static void set_options(struct spool *sp, const struct spool_options *o)
{
	sp->disk = o->disk ? o->disk : disk_real();
	sp->segment_bytes = o->segment_bytes ? o->segment_bytes : DEFAULT_SEGMENT;
	sp->segment_bytes = MIN_OF(MAX_OF(sp->segment_bytes, (uint64_t)1024), (uint64_t)1 << 30);
	sp->reserve_bytes = o->reserve_bytes ? o->reserve_bytes : 2 * sp->segment_bytes;
	sp->lazy_commit_ms = o->lazy_commit_ms;
	sp->clean_ratio = MAX_OF(o->clean_ratio ? o->clean_ratio : 300u, 110u);
	sp->read_only = o->read_only;
}

static struct spool *spool_new(const struct spool_options *o)
{
	struct spool *sp = must_alloc(sizeof(*sp));
	pthread_condattr_t attr;

	sp->dirfd = sp->lockfd = sp->spare_fd = sp->mark_fd = -1;
	set_options(sp, o);
	tables_init(&sp->t);
	(void)pthread_mutex_init(&sp->lock, NULL);
	(void)pthread_mutex_init(&sp->port_lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&sp->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	return sp;
}

static int blame(struct spool_recovery *report, const char *file, const char *reason, int err)
{
	(void)snprintf(report->bad_segment, sizeof(report->bad_segment), "%s", file);
	report->reason = reason;
	return err;
}

static int open_dir(struct spool *sp, const char *path, struct spool_recovery *report)
{
	const struct disk *d = sp->disk;
	int r;

	sp->dirfd = d->open_dir(d->self, path);
	if (sp->dirfd < 0)
		return blame(report, "", "the folder cannot be opened", sp->dirfd);
	if (sp->read_only)
		return 0;
	sp->lockfd = d->open(d->self, sp->dirfd, "lock", O_RDWR | O_CREAT, 0600);
	if (sp->lockfd < 0)
		return blame(report, "lock", "the file cannot be created", sp->lockfd);
	r = d->lock(d->self, sp->lockfd);
	return r < 0 ? blame(report, "lock", "another process uses the spool", r) : 0;
}

/* The first segment of a new spool is on disk before spool_open() returns. */
static int begin_log(struct spool *sp, const struct spool_options *o, struct spool_recovery *report)
{
	int r;

	if (report->durable && !o->fresh)
		return blame(report, "", "the segments of the spool that was here are gone",
			     E_CORRUPT);
	if (sp->read_only)
		return blame(report, "", "there is no spool in this folder", -ENOENT);
	sp->id = (struct id128){ random_u64(), random_u64() };
	sp->salt = record_salt(sp->id);
	spool_lock(sp);
	r = append_room(sp, 0, WANT_OUTCOME);
	spool_unlock(sp);
	if (r >= 0)
		r = commit_batch(sp);
	if (r >= 0)
		return 0;
	r = sp->failure.err ? sp->failure.err : r;
	return blame(report, sp->failure.file, "the first segment cannot be written", r);
}

static int open_once(struct spool **ret, const struct spool_options *o,
		     struct spool_recovery *report, bool repairing)
{
	OWNED(spool) sp = spool_new(o);
	int r = open_dir(sp, o->dir, report);

	sp->repairing = repairing;
	if (r >= 0)
		r = recover_log(sp, report);
	if (r >= 0 && !sp->n_segs)
		r = begin_log(sp, o, report);
	if (r < 0) {
		atomic_store(&sp->failed, r); /* nothing is written at the end */
		return r;
	}
	if (repairing)
		commit_look_at_room(sp);
	else
		commit_housekeeping(sp);
	*ret = TAKE(sp);
	return 0;
}

int spool_open_unsettled(struct spool **ret, const struct spool_options *o)
{
	memset(o->recovery, 0, sizeof(*o->recovery));
	return open_once(ret, o, o->recovery, true);
}

int spool_open(struct spool **ret, const struct spool_options *o)
{
	struct spool_recovery report, *to = o->recovery ? o->recovery : &report;
	int r = 0;

	/* A live writer may remove the oldest files while we read: try again. */
	for (int i = 0; i < READ_ONLY_TRIES; i++) {
		memset(to, 0, sizeof(*to));
		r = open_once(ret, o, to, false);
		if (r != -ENOENT || !o->read_only)
			return r;
	}
	return r;
}

int spool_start(struct spool *sp)
{
	int r;

	if (sp->read_only)
		return -EROFS;
	sp->running = true;
	r = pthread_create(&sp->thread, NULL, commit_thread, sp);
	if (r)
		sp->running = false;
	return -r;
}

int spool_commit_now(struct spool *sp)
{
	int r;

	assert(!sp->running);
	r = commit_batch(sp);
	if (r >= 0)
		commit_housekeeping(sp);
	return r;
}

static void stop_thread(struct spool *sp)
{
	if (!sp->running)
		return;
	spool_lock(sp);
	sp->stopping = true;
	(void)pthread_cond_signal(&sp->wake);
	spool_unlock(sp);
	(void)pthread_join(sp->thread, NULL);
	sp->running = false;
}

/* Everything pending, then a mark in a batch of its own: from now on damage to any record shows as
 * damage, not as a torn tail.  The rest of the preallocated room is given back. */
static void close_log(struct spool *sp)
{
	struct segment *seg;

	if (sp->read_only || atomic_load(&sp->failed) || !sp->n_segs || commit_batch(sp) < 0)
		return;
	spool_lock(sp);
	if (append_room(sp, record_size(0), WANT_COPY) >= 0)
		(void)append_record(sp, RECORD_MARK, 0, 0, NULL, 0);
	spool_unlock(sp);
	if (commit_batch(sp) < 0)
		return;
	seg = segment_newest(sp);
	if (seg->fd >= 0)
		(void)sp->disk->truncate(sp->disk->self, seg->fd, seg->end - seg->start);
	commit_mark(sp);
}

static void close_files(struct spool *sp)
{
	const struct disk *d = sp->disk;

	while (sp->n_segs)
		segment_drop_oldest(sp);
	free(sp->segs);
	if (sp->spare_fd >= 0) {
		(void)d->close(d->self, sp->spare_fd);
		(void)d->unlink(d->self, sp->dirfd, SPARE_NAME);
	}
	if (sp->mark_fd >= 0)
		(void)d->close(d->self, sp->mark_fd);
	if (sp->lockfd >= 0)
		(void)d->close(d->self, sp->lockfd);
	if (sp->dirfd >= 0)
		(void)d->close(d->self, sp->dirfd);
}

struct spool *spool_free(struct spool *sp)
{
	if (!sp)
		return NULL;
	stop_thread(sp);
	close_log(sp);
	tables_free(&sp->t);
	free(sp->orphans);
	close_files(sp);
	append_batch_free(&sp->active);
	append_batch_free(&sp->flight);
	(void)pthread_mutex_destroy(&sp->lock);
	(void)pthread_mutex_destroy(&sp->port_lock);
	(void)pthread_cond_destroy(&sp->wake);
	free(sp);
	return NULL;
}

int spool_folder(const struct spool *sp, const struct disk **ret)
{
	*ret = sp->disk;
	return sp->dirfd;
}

const struct histogram *spool_commits(const struct spool *sp)
{
	return &sp->commits;
}

lsn_t spool_durable(const struct spool *sp)
{
	return atomic_load(&sp->durable);
}

lsn_t spool_head(const struct spool *sp)
{
	return atomic_load(&sp->head);
}

lsn_t spool_repaired(const struct spool *sp)
{
	return sp->t.repaired; /* fixed after open */
}

int spool_failed(const struct spool *sp)
{
	return atomic_load(&sp->failed);
}

bool spool_failure(const struct spool *sp, struct spool_failure *ret)
{
	if (!spool_failed(sp))
		return false;
	*ret = sp->failure;
	return true;
}

void spool_port_add(struct spool *sp, struct spool_port *port)
{
	(void)pthread_mutex_lock(&sp->port_lock);
	port->next = sp->ports;
	sp->ports = port;
	(void)pthread_mutex_unlock(&sp->port_lock);
}

void spool_port_remove(struct spool *sp, struct spool_port *port)
{
	struct spool_port **at = &sp->ports;

	(void)pthread_mutex_lock(&sp->port_lock);
	while (*at && *at != port)
		at = &(*at)->next;
	if (*at)
		*at = port->next;
	(void)pthread_mutex_unlock(&sp->port_lock);
}

lsn_t spool_oldest(struct spool *sp)
{
	lsn_t oldest;

	spool_lock(sp);
	oldest = sp->segs[sp->segs[0]->going ? 1 : 0]->start;
	spool_unlock(sp);
	return oldest;
}

/* Matching rules are copied first: each() may call the spool. */
int spool_each_rule(struct spool *sp, struct slice prefix,
		    int (*each)(void *arg, struct slice key, struct slice value), void *arg)
{
	struct buf found = { .max = 0 };
	struct map_link *l = NULL;
	size_t pos = 0;
	int r = 0;

	spool_lock(sp);
	while ((l = map_next(&sp->t.rules, &pos, l))) {
		const struct kept_rule *rule = container_of(l, struct kept_rule, link);
		const uint32_t len[2] = { rule->key_len, rule->value_len };
		if (rule->key_len < prefix.n || memcmp(rule->bytes, prefix.p, prefix.n) != 0)
			continue;
		buf_put(&found, slice_of(len, sizeof(len)));
		buf_put(&found, slice_of(rule->bytes, (size_t)len[0] + len[1]));
	}
	spool_unlock(sp);
	while (r >= 0 && buf_len(&found)) {
		const char *p = buf_data(&found).p;
		uint32_t len[2];
		memcpy(len, p, sizeof(len));
		r = each(arg, slice_of(p + 8, len[0]), slice_of(p + 8 + len[0], len[1]));
		buf_consume(&found, 8 + (size_t)len[0] + len[1]);
	}
	buf_free(&found);
	return r < 0 ? r : 0;
}

void spool_books(struct spool *sp, struct books *ret)
{
	const struct tables *t = &sp->t;

	spool_lock(sp);
	*ret = (struct books){
		.accepted = t->totals.accepted,
		.delivered = t->totals.delivered,
		.bounced = t->totals.bounced,
		.expired = t->totals.expired,
		.cancelled = t->totals.cancelled,
		.queued = t->queued,
		.lost = t->lost,
		.deferred_attempts = t->totals.deferred,
		.returned_waiting = t->mails.count,
		.log_bytes = atomic_load(&sp->head) - sp->segs[0]->start,
		.live_bytes = t->live_bytes,
		.segments = sp->n_segs,
		.syncs = atomic_load(&sp->syncs),
		.bytes_written = atomic_load(&sp->bytes_written),
		.jobs = t->live_jobs,
		.contents = t->live_contents,
		.rules = t->rules.count,
		.free_bytes = atomic_load(&sp->free_bytes),
		.refusing = sp->refusing,
	};
	late_books(&t->late, ret);
	spool_unlock(sp);
}
