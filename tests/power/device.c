/* tests/power/device.c - a disk whose power can be cut: a FUSE file system with one file, `disk`.
 *
 *	device MOUNTPOINT IMAGE SEED KEEP
 *
 * What is written stays in memory until it is synced; then it is in IMAGE.  SIGUSR1 is the power
 * cut: of the blocks that were not synced, each one reaches IMAGE with a chance of KEEP percent, in
 * no order, as a drive's cache would have it; the rest is gone, and so is this process, at once.
 * SIGTERM ends it in good order.  A loop device over `disk` asks for a sync with each flush. */
#define FUSE_USE_VERSION 31
#include <fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

enum { BLOCK = 512, FLUSH_US = 4000 };

struct device {
	int image;
	uint64_t size;
	pthread_mutex_t lock;
	unsigned char **unsynced;     /* by number; NULL: as IMAGE has it */
	uint64_t *written, n_written; /* numbers of those that are unsynced */
	unsigned keep;
	uint64_t chance;
};
static struct device dev = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool is_disk(const char *path)
{
	return strcmp(path, "/disk") == 0;
}

/* ---- blocks ------------------------------------------------------------------------------ */

static void store(uint64_t number)
{
	unsigned char *block = dev.unsynced[number];

	if (pwrite(dev.image, block, BLOCK, (off_t)(number * BLOCK)) != BLOCK)
		abort();
}

static void forget_all(void)
{
	for (uint64_t i = 0; i < dev.n_written; i++) {
		free(dev.unsynced[dev.written[i]]);
		dev.unsynced[dev.written[i]] = NULL;
	}
	dev.n_written = 0;
}

static void load(uint64_t number, unsigned char *to)
{
	if (dev.unsynced[number])
		memcpy(to, dev.unsynced[number], BLOCK);
	else if (pread(dev.image, to, BLOCK, (off_t)(number * BLOCK)) != BLOCK)
		abort();
}

static unsigned char *block_to_write(uint64_t number)
{
	unsigned char *block = dev.unsynced[number];

	if (!block) {
		block = must_alloc(BLOCK);
		load(number, block);
		dev.unsynced[number] = block;
		dev.written[dev.n_written++] = number;
	}
	return block;
}

/* Calls once for each block that the range touches. */
static void each_block(uint64_t at, size_t n, char *bytes,
		       void (*touch)(uint64_t number, size_t in, size_t n, char *bytes))
{
	while (n) {
		size_t in = at % BLOCK, part = MIN_OF(n, BLOCK - in);
		touch(at / BLOCK, in, part, bytes);
		at += part;
		bytes += part;
		n -= part;
	}
}

static void read_part(uint64_t number, size_t in, size_t n, char *bytes)
{
	unsigned char block[BLOCK];

	load(number, block);
	memcpy(bytes, block + in, n);
}

static void write_part(uint64_t number, size_t in, size_t n, char *bytes)
{
	memcpy(block_to_write(number) + in, bytes, n);
}

/* ---- the cut ----------------------------------------------------------------------------- */

static unsigned percent(void)
{
	dev.chance = dev.chance * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(dev.chance >> 33) % 100;
}

static void *wait_for_cut(void *signals)
{
	uint64_t kept = 0;
	int got;

	(void)sigwait(signals, &got);
	pthread_mutex_lock(&dev.lock); /* whatever is under way comes before the cut */
	for (uint64_t i = 0; i < dev.n_written; i++)
		if (percent() < dev.keep) {
			store(dev.written[i]);
			kept++;
		}
	(void)printf("cut: %llu of %llu unsynced blocks were kept\n", (unsigned long long)kept,
		     (unsigned long long)dev.n_written);
	(void)fflush(stdout);
	_exit(0);
}

/* ---- the file system --------------------------------------------------------------------- */

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	(void)fi;
	*st = (struct stat){ .st_mode = S_IFDIR | 0700, .st_nlink = 2 };
	if (is_disk(path))
		*st = (struct stat){ .st_mode = S_IFREG | 0600,
				     .st_nlink = 1,
				     .st_size = (off_t)dev.size };
	else if (strcmp(path, "/") != 0)
		return -ENOENT;
	return 0;
}

static int on_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t off,
		      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	(void)path, (void)off, (void)fi, (void)flags;
	(void)fill(buf, "disk", NULL, 0, 0);
	return 0;
}

static int on_open(const char *path, struct fuse_file_info *fi)
{
	(void)fi;
	return is_disk(path) ? 0 : -ENOENT;
}

static size_t within(off_t off, size_t n)
{
	uint64_t at = (uint64_t)off;

	return at >= dev.size ? 0 : (size_t)MIN_OF((uint64_t)n, dev.size - at);
}

static int on_read(const char *path, char *buf, size_t n, off_t off, struct fuse_file_info *fi)
{
	(void)path, (void)fi;
	n = within(off, n);
	pthread_mutex_lock(&dev.lock);
	each_block((uint64_t)off, n, buf, read_part);
	pthread_mutex_unlock(&dev.lock);
	return (int)n;
}

static int on_write(const char *path, const char *buf, size_t n, off_t off,
		    struct fuse_file_info *fi)
{
	(void)path, (void)fi;
	if (within(off, n) < n)
		return -ENOSPC;
	pthread_mutex_lock(&dev.lock);
	each_block((uint64_t)off, n, (char *)(uintptr_t)buf, write_part);
	pthread_mutex_unlock(&dev.lock);
	return (int)n;
}

static void store_all(void)
{
	for (uint64_t i = 0; i < dev.n_written; i++)
		store(dev.written[i]);
	forget_all();
}

/* It takes as long as a drive's flush does, so that cuts fall into it.  The image itself need not
 * be synced: this machine's power stays on. */
static int on_fsync(const char *path, int data_only, struct fuse_file_info *fi)
{
	(void)path, (void)data_only, (void)fi;
	(void)usleep(FLUSH_US);
	pthread_mutex_lock(&dev.lock);
	store_all();
	pthread_mutex_unlock(&dev.lock);
	return 0;
}

static const struct fuse_operations operations = {
	.getattr = on_getattr,
	.readdir = on_readdir,
	.open = on_open,
	.read = on_read,
	.write = on_write,
	.fsync = on_fsync,
};

/* ---- life -------------------------------------------------------------------------------- */

static bool open_image(const char *path)
{
	struct stat st;

	dev.image = open(path, O_RDWR | O_CLOEXEC);
	if (dev.image < 0 || fstat(dev.image, &st) < 0 || st.st_size % BLOCK)
		return false;
	dev.size = (uint64_t)st.st_size;
	dev.unsynced = must_alloc(dev.size / BLOCK * sizeof(*dev.unsynced));
	dev.written = must_alloc(dev.size / BLOCK * sizeof(*dev.written));
	return true;
}

int main(int argc, char **argv)
{
	char *mount[] = { argv[0], (char *)"-f", (char *)"-s", argc == 5 ? argv[1] : NULL, NULL };
	static sigset_t cut;
	pthread_t thread;
	int r;

	if (argc != 5 || !open_image(argv[2])) {
		(void)fprintf(stderr, "usage: device MOUNTPOINT IMAGE SEED KEEP\n");
		return 64;
	}
	dev.chance = strtoull(argv[3], NULL, 10);
	dev.keep = (unsigned)strtoul(argv[4], NULL, 10);
	(void)sigemptyset(&cut);
	(void)sigaddset(&cut, SIGUSR1);
	(void)pthread_sigmask(SIG_BLOCK, &cut, NULL);
	if (pthread_create(&thread, NULL, wait_for_cut, &cut) != 0)
		return 1;
	r = fuse_main(4, mount, &operations, NULL);
	store_all();
	return r;
}
