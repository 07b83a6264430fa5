/* spool/disk_real.c - the door to files, as the kernel has it.  Calls ended by EINTR are repeated
 * and short writes go on.  A failed sync is never repeated: the page cache may have lost the pages,
 * and the second sync would succeed. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "spool/disk.h"

static int result(int r)
{
	return r < 0 ? -errno : r;
}

static int real_open_dir(void *self UNUSED, const char *path)
{
	return result(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int real_open(void *self UNUSED, int dirfd, const char *name, int flags, unsigned mode)
{
	return result(openat(dirfd, name, flags | O_CLOEXEC | O_NOFOLLOW, mode));
}

static int real_close(void *self UNUSED, int fd)
{
	return result(close(fd));
}

static ssize_t real_pwrite(void *self UNUSED, int fd, const void *p, size_t n, uint64_t offset)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = pwrite(fd, (const char *)p + done, n - done, (off_t)(offset + done));
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -EIO;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

static ssize_t real_pread(void *self UNUSED, int fd, void *p, size_t n, uint64_t offset)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = pread(fd, (char *)p + done, n - done, (off_t)(offset + done));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

static int real_sync_data(void *self UNUSED, int fd)
{
	return result(fdatasync(fd));
}

static int real_sync_dir(void *self UNUSED, int dirfd)
{
	return result(fsync(dirfd));
}

static int real_allocate(void *self UNUSED, int fd, uint64_t size)
{
	int r;

	do
		r = result(fallocate(fd, 0, 0, (off_t)size));
	while (r == -EINTR);
	/* A file system without fallocate can hold a spool, with less certainty about room. */
	return r == -EOPNOTSUPP ? 0 : r;
}

static int real_truncate(void *self UNUSED, int fd, uint64_t size)
{
	return result(ftruncate(fd, (off_t)size));
}

static int real_size(void *self UNUSED, int fd, uint64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = (uint64_t)st.st_size;
	return 0;
}

static int real_rename(void *self UNUSED, int dirfd, const char *from, const char *to)
{
	return result(renameat(dirfd, from, dirfd, to));
}

static int real_unlink(void *self UNUSED, int dirfd, const char *name)
{
	return result(unlinkat(dirfd, name, 0));
}

static int real_each_name(void *self UNUSED, int dirfd, int (*each)(void *arg, const char *name),
			  void *arg)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		r = -errno;
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while (r >= 0 && (errno = 0, entry = readdir(dir)))
		r = entry->d_name[0] == '.' ? 0 : each(arg, entry->d_name);
	if (r >= 0 && errno)
		r = -errno;
	(void)closedir(dir);
	return r < 0 ? r : 0;
}

static int real_free_bytes(void *self UNUSED, int dirfd, uint64_t *ret)
{
	struct statvfs st;

	if (fstatvfs(dirfd, &st) < 0)
		return -errno;
	*ret = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

static int real_lock(void *self UNUSED, int fd)
{
	int r = result(flock(fd, LOCK_EX | LOCK_NB));

	return r == -EWOULDBLOCK ? -EAGAIN : r;
}

static const struct disk real = {
	.open_dir = real_open_dir,
	.open = real_open,
	.close = real_close,
	.pwrite = real_pwrite,
	.pread = real_pread,
	.sync_data = real_sync_data,
	.sync_dir = real_sync_dir,
	.allocate = real_allocate,
	.truncate = real_truncate,
	.size = real_size,
	.rename = real_rename,
	.unlink = real_unlink,
	.each_name = real_each_name,
	.free_bytes = real_free_bytes,
	.lock = real_lock,
};

const struct disk *disk_real(void)
{
	return &real;
}
