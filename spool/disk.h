/* spool/disk.h - the door to files: every byte the spool reads or writes goes through one of these
 * tables.  disk_real() talks to the kernel; tests/sim/disk_sim.c tears, loses, refuses and records.
 * Fails: every function gives 0 or more, or -errno; none retries a failed sync. */
#pragma once
#include <sys/types.h>

#include "base/base.h"

struct disk {
	void *self;
	int (*open_dir)(void *self, const char *path);
	int (*open)(void *self, int dirfd, const char *name, int flags, unsigned mode);
	int (*close)(void *self, int fd);
	ssize_t (*pwrite)(void *self, int fd, const void *p, size_t n, uint64_t offset);
	ssize_t (*pread)(void *self, int fd, void *p, size_t n, uint64_t offset);
	int (*sync_data)(void *self, int fd);
	int (*sync_dir)(void *self, int dirfd);
	int (*allocate)(void *self, int fd, uint64_t size);
	int (*truncate)(void *self, int fd, uint64_t size);
	int (*size)(void *self, int fd, uint64_t *ret);
	int (*rename)(void *self, int dirfd, const char *from, const char *to);
	int (*unlink)(void *self, int dirfd, const char *name);
	int (*each_name)(void *self, int dirfd, int (*each)(void *arg, const char *name),
			 void *arg);
	int (*free_bytes)(void *self, int dirfd, uint64_t *ret);
	int (*lock)(void *self, int fd); /* exclusive, -EAGAIN when another process holds it */
};
const struct disk *disk_real(void);
