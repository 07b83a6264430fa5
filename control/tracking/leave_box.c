/* control/tracking/leave_box.c - the folder, the file that is being written, the shared sync. */
#include "control/tracking/leave_box.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "control/app/options.h"
#include "control/tracking/options.h"

/* A file that is being written.  It is closed, and its lock given up, by the last who uses it. */
struct leave_file {
	int fd;
	unsigned users;
	uint64_t written, synced; /* records */
	bool syncing, failed;
};
/* Somebody who is in that file already. */
struct leave_seen {
	struct map_link link;
};

struct leave_box {
	char *dir;
	int64_t most, bytes; /* of all files, some of which other processes may write */
	pthread_mutex_t lock;
	pthread_cond_t synced;
	struct leave_file *file; /* NULL: the next put begins one */
	struct map seen;
	unsigned number;
};

/* ---- the folder -------------------------------------------------------------------------- */

static bool path_of(const struct leave_box *box, const char *name, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s", box->dir, name);

	return n > 0 && n < PATH_MAX;
}

static int sync_folder(const struct leave_box *box)
{
	OWNED_FD int fd = open(box->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static bool is_ours(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && !strcmp(dot, ".log");
}

/* Sums the bytes; the name of the oldest file that comes after `after`, or "".  A file's name
 * begins with the time of its making. */
static int look(struct leave_box *box, const char *after, int64_t *ret_bytes, char oldest[NAME_MAX])
{
	DIR *dir = opendir(box->dir);
	struct dirent *e;
	struct stat st;

	if (!dir)
		return -errno;
	*ret_bytes = 0;
	oldest[0] = '\0';
	while ((e = readdir(dir)) != NULL) {
		if (!is_ours(e->d_name) || strlen(e->d_name) >= NAME_MAX ||
		    fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		*ret_bytes += st.st_size;
		if (strcmp(e->d_name, after) > 0 && (!*oldest || strcmp(e->d_name, oldest) < 0))
			slice_copy(oldest, NAME_MAX, slice_str(e->d_name));
	}
	(void)closedir(dir);
	return 0;
}

int leave_box_open(struct leave_box **ret, const char *dir, int64_t bytes_max)
{
	OWNED(leave_box) box = must_alloc(sizeof(*box));
	char oldest[NAME_MAX];
	int r;

	(void)pthread_mutex_init(&box->lock, NULL);
	(void)pthread_cond_init(&box->synced, NULL);
	map_init(&box->seen);
	box->dir = must_copy(slice_str(dir));
	box->most = bytes_max;
	r = file_make_dirs(dir, 0700);
	if (r >= 0)
		r = look(box, "", &box->bytes, oldest);
	if (r < 0)
		return r;
	*ret = TAKE(box);
	return 0;
}

struct leave_box *leave_box_of(const struct app *app)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct leave_box *only;
	char dir[PATH_MAX];
	struct leave_box *box;
	int n = snprintf(dir, sizeof(dir), "%s/unsubscribes", app_options(app)->data_dir);

	(void)pthread_mutex_lock(&lock);
	if (!only && n > 0 && n < PATH_MAX &&
	    leave_box_open(&only, dir, tracking_options(app)->waiting_max) < 0)
		only = NULL;
	box = only;
	(void)pthread_mutex_unlock(&lock);
	return box;
}

/* ---- the file that is being written; all of it under the lock ---------------------------- */

static void forget_seen(struct leave_box *box)
{
	struct map_link *l;

	while ((l = map_any(&box->seen)) != NULL) {
		map_remove(&box->seen, l);
		free(container_of(l, struct leave_seen, link));
	}
}

static void unuse(struct leave_file *f)
{
	if (--f->users)
		return;
	(void)close(f->fd);
	free(f);
}

static void end_file(struct leave_box *box, struct leave_file *f)
{
	if (box->file != f)
		return;
	box->file = NULL;
	forget_seen(box);
	unuse(f);
}

struct leave_box *leave_box_free(struct leave_box *box)
{
	if (!box)
		return NULL;
	if (box->file)
		end_file(box, box->file);
	map_free(&box->seen);
	(void)pthread_cond_destroy(&box->synced);
	(void)pthread_mutex_destroy(&box->lock);
	free(box->dir);
	free(box);
	return NULL;
}

/* Opens a file that was not there; its name begins with the time.  Another box may make one in the
 * same millisecond: the next number is tried then. */
static int make_file(struct leave_box *box)
{
	enum { TRIES = 100 };
	char name[64], path[PATH_MAX];
	int fd = -1;

	errno = EEXIST;
	for (int i = 0; fd < 0 && errno == EEXIST && i < TRIES; i++) {
		(void)snprintf(name, sizeof(name), "%015lld-%d-%u.log", (long long)clock_wall_ms(),
			       (int)getpid(), box->number++);
		if (!path_of(box, name, path))
			return -ENAMETOOLONG;
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	}
	return fd < 0 ? -errno : fd;
}

static int begin_file(struct leave_box *box)
{
	OWNED_FD int fd = make_file(box);
	int r;

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	r = sync_folder(box);
	if (r < 0)
		return r;
	box->file = must_alloc(sizeof(*box->file));
	box->file->fd = fd;
	box->file->users = 1; /* the box */
	fd = -1;
	return 0;
}

static int write_line(struct leave_box *box, struct slice line, uint64_t hash)
{
	struct leave_seen *seen;
	int r = box->file ? 0 : begin_file(box);

	if (r < 0)
		return r;
	r = file_write_all(box->file->fd, line);
	if (r < 0) { /* part of it may be there */
		end_file(box, box->file);
		return r;
	}
	box->file->written++;
	box->bytes += (int64_t)line.n;
	seen = must_alloc(sizeof(*seen));
	map_insert(&box->seen, &seen->link, hash);
	return 0;
}

/* ---- putting ----------------------------------------------------------------------------- */

/* One thread syncs for all that have written; the others wait for it. */
static void sync_once(struct leave_box *box, struct leave_file *f)
{
	uint64_t written = f->written;
	int r;

	f->syncing = true;
	(void)pthread_mutex_unlock(&box->lock);
	r = fdatasync(f->fd);
	(void)pthread_mutex_lock(&box->lock);
	f->syncing = false;
	if (r == 0)
		f->synced = written;
	f->failed |= r < 0;
	(void)pthread_cond_broadcast(&box->synced);
}

static int wait_synced(struct leave_box *box)
{
	struct leave_file *f = box->file;
	uint64_t mine = f->written;
	int r;

	f->users++;
	while (f->synced < mine && !f->failed) {
		if (f->syncing)
			(void)pthread_cond_wait(&box->synced, &box->lock);
		else
			sync_once(box, f);
	}
	r = f->synced < mine ? -EIO : 0;
	if (f->failed)
		end_file(box, f);
	unuse(f);
	return r;
}

int leave_box_put(struct leave_box *box, const struct leave_record *r)
{
	uint64_t hash = hash_keyed(slice_str(r->ticket));
	struct buf line;
	int e = 0;

	buf_init(&line, 0);
	leave_record_put(&line, r);
	(void)pthread_mutex_lock(&box->lock);
	if (!box->file || !map_find(&box->seen, hash)) {
		if (box->bytes + (int64_t)buf_len(&line) > box->most)
			e = E_FULL;
		else
			e = write_line(box, buf_data(&line), hash);
	}
	if (e >= 0)
		e = wait_synced(box);
	(void)pthread_mutex_unlock(&box->lock);
	buf_free(&line);
	return e;
}

bool leave_box_waiting(struct leave_box *box)
{
	bool waiting;

	(void)pthread_mutex_lock(&box->lock);
	waiting = box->bytes > 0;
	(void)pthread_mutex_unlock(&box->lock);
	return waiting;
}

/* ---- emptying ---------------------------------------------------------------------------- */

static int give_all(struct slice rest, leave_box_took took, void *arg, struct leave_box_sums *sums)
{
	struct leave_record record;
	int r;

	while ((r = leave_record_next(&rest, &record)) != 0) {
		if (r < 0) {
			sums->damaged++;
			continue;
		}
		r = took(arg, &record);
		if (r < 0 && r != E_DENIED)
			return r;
		sums->taken += r >= 0;
		sums->refused += r < 0;
	}
	return 0;
}

/* Each of its records is in the database, or was refused for good. */
static int remove_file(struct leave_box *box, const char *path, bool refused)
{
	char kept[PATH_MAX];
	int n = snprintf(kept, sizeof(kept), "%s.refused", path);

	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	if ((refused ? rename(path, kept) : unlink(path)) < 0)
		return -errno;
	return sync_folder(box);
}

static int empty_file(struct leave_box *box, const char *path, leave_box_took took, void *arg,
		      struct leave_box_sums *sums)
{
	struct buf all;
	int r;

	buf_init(&all, 0);
	r = file_read(path, (size_t)box->most + LEAVE_RECORD_MAX, &all);
	if (r >= 0)
		r = give_all(buf_data(&all), took, arg, sums);
	if (r >= 0)
		r = remove_file(box, path, sums->refused > 0);
	buf_free(&all);
	return r;
}

/* The oldest file that nobody writes: 1 and its lock in *ret_fd; 0: there is none. */
static int find_file(struct leave_box *box, char path[PATH_MAX], int *ret_fd)
{
	char name[NAME_MAX] = "", next[NAME_MAX];
	int64_t bytes;
	int r;

	while ((r = look(box, name, &bytes, next)) >= 0) {
		(void)pthread_mutex_lock(&box->lock);
		box->bytes = bytes;
		(void)pthread_mutex_unlock(&box->lock);
		if (!*next || !path_of(box, next, path))
			return 0;
		memcpy(name, next, sizeof(name));
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
			*ret_fd = fd;
			return 1;
		}
		if (fd >= 0)
			(void)close(fd);
	}
	return r;
}

/* Ends the file that is being written, so that it can be emptied.  The next put begins another. */
static bool close_own(struct leave_box *box)
{
	bool had;

	(void)pthread_mutex_lock(&box->lock);
	had = box->file != NULL;
	if (had)
		end_file(box, box->file);
	(void)pthread_mutex_unlock(&box->lock);
	return had;
}

int leave_box_empty(struct leave_box *box, leave_box_took took, void *arg,
		    struct leave_box_sums *ret)
{
	struct leave_box_sums sums = { 0 };
	OWNED_FD int fd = -1; /* holds the file's lock */
	char path[PATH_MAX];
	int r = find_file(box, path, &fd);

	if (r > 0)
		r = empty_file(box, path, took, arg, &sums);
	else if (r == 0 && !close_own(box))
		return 0;
	*ret = sums;
	return r < 0 ? r : 1;
}
