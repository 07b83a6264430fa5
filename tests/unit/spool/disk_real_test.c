/* The door to real files: what the kernel refuses comes through as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "spool/disk.h"

static const struct disk *d;
static char folder[64];
static int dirfd;

static int make_folder(void **state UNUSED)
{
	d = disk_real();
	(void)strcpy(folder, "/tmp/postern-disk-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	dirfd = d->open_dir(d->self, folder);
	return dirfd < 0 ? -1 : 0;
}

static int remove_folder(void **state UNUSED)
{
	(void)d->unlink(d->self, dirfd, "a");
	(void)d->unlink(d->self, dirfd, "b");
	(void)d->close(d->self, dirfd);
	return rmdir(folder);
}

static void what_is_written_is_read_and_no_more(void **state UNUSED)
{
	int fd = d->open(d->self, dirfd, "a", O_RDWR | O_CREAT, 0600);
	uint64_t size = 0;
	char back[16];

	assert_true(fd >= 0);
	assert_int_equal(d->pwrite(d->self, fd, "hello", 5, 3), 5);
	assert_int_equal(d->pread(d->self, fd, back, sizeof(back), 0), 8);
	assert_memory_equal(back, "\0\0\0hello", 8);
	assert_int_equal(d->pread(d->self, fd, back, sizeof(back), 100), 0);
	assert_int_equal(d->allocate(d->self, fd, 4096), 0);
	assert_int_equal(d->size(d->self, fd, &size), 0);
	assert_int_equal(size, 4096);
	assert_int_equal(d->truncate(d->self, fd, 8), 0);
	assert_int_equal(d->size(d->self, fd, &size), 0);
	assert_int_equal(size, 8);
	assert_int_equal(d->sync_data(d->self, fd), 0);
	assert_int_equal(d->sync_dir(d->self, dirfd), 0);
	assert_int_equal(d->close(d->self, fd), 0);
}

static void a_descriptor_that_is_none_is_said_by_every_call(void **state UNUSED)
{
	uint64_t n;
	char c = 0;

	assert_int_equal(d->close(d->self, -1), -EBADF);
	assert_int_equal(d->pwrite(d->self, -1, &c, 1, 0), -EBADF);
	assert_int_equal(d->pread(d->self, -1, &c, 1, 0), -EBADF);
	assert_int_equal(d->sync_data(d->self, -1), -EBADF);
	assert_int_equal(d->sync_dir(d->self, -1), -EBADF);
	assert_int_equal(d->allocate(d->self, -1, 1), -EBADF);
	assert_int_equal(d->truncate(d->self, -1, 1), -EBADF);
	assert_int_equal(d->size(d->self, -1, &n), -EBADF);
	assert_int_equal(d->rename(d->self, -1, "a", "b"), -EBADF);
	assert_int_equal(d->unlink(d->self, -1, "a"), -EBADF);
	assert_int_equal(d->each_name(d->self, -1, NULL, NULL), -EBADF);
	assert_int_equal(d->free_bytes(d->self, -1, &n), -EBADF);
	assert_int_equal(d->lock(d->self, -1), -EBADF);
	assert_int_equal(d->open(d->self, -1, "a", O_RDONLY, 0), -EBADF);
}

static void what_is_not_there_is_not_found(void **state UNUSED)
{
	assert_int_equal(d->open_dir(d->self, "/tmp/postern-there-is-no-such-folder"), -ENOENT);
	assert_int_equal(d->open(d->self, dirfd, "none", O_RDONLY, 0), -ENOENT);
	assert_int_equal(d->unlink(d->self, dirfd, "none"), -ENOENT);
	assert_int_equal(d->rename(d->self, dirfd, "none", "b"), -ENOENT);
}

static int take_name(void *arg, const char *name)
{
	char *all = arg;

	(void)strcat(strcat(all, name), ";");
	return all[0] == '!' ? -ECANCELED : 0;
}

static void names_are_given_but_for_hidden_ones_until_somebody_has_enough(void **state UNUSED)
{
	char all[64] = "", stopped[64] = "!";
	int fd = d->open(d->self, dirfd, ".hidden", O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(d->close(d->self, fd), 0);
	fd = d->open(d->self, dirfd, "a", O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(d->close(d->self, fd), 0);
	assert_int_equal(d->each_name(d->self, dirfd, take_name, all), 0);
	assert_string_equal(all, "a;");
	assert_int_equal(d->each_name(d->self, dirfd, take_name, stopped), -ECANCELED);
	assert_int_equal(d->unlink(d->self, dirfd, ".hidden"), 0);
}

static void a_lock_is_held_by_one(void **state UNUSED)
{
	int one = d->open(d->self, dirfd, "b", O_RDWR | O_CREAT, 0600);
	int other = d->open(d->self, dirfd, "b", O_RDWR, 0);

	assert_int_equal(d->lock(d->self, one), 0);
	assert_int_equal(d->lock(d->self, other), -EAGAIN);
	assert_int_equal(d->close(d->self, one), 0);
	assert_int_equal(d->lock(d->self, other), 0);
	assert_int_equal(d->close(d->self, other), 0);
}

/* Files of /proc are regular and know nothing of allocation. */
static void a_file_system_without_allocation_is_taken(void **state UNUSED)
{
	int fd = d->open(d->self, AT_FDCWD, "/proc/self/comm", O_RDWR, 0);

	assert_true(fd >= 0);
	assert_int_equal(fallocate(fd, 0, 0, 1), -1);
	assert_int_equal(errno, EOPNOTSUPP);
	assert_int_equal(d->allocate(d->self, fd, 1), 0);
	assert_int_equal(d->close(d->self, fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_and_no_more),
		cmocka_unit_test(a_descriptor_that_is_none_is_said_by_every_call),
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(names_are_given_but_for_hidden_ones_until_somebody_has_enough),
		cmocka_unit_test(a_lock_is_held_by_one),
		cmocka_unit_test(a_file_system_without_allocation_is_taken),
	};

	return cmocka_run_group_tests_name("spool real disk", tests, make_folder, remove_folder);
}
