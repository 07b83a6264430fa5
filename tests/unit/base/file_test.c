/* tests/unit/base/file_test.c - whole files: what the system refuses is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	(void)strcpy(folder, "/tmp/postern-file-XXXXXX");
	return mkdtemp(folder) ? chdir(folder) : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink("a");
	(void)rmdir("one/two/three");
	(void)rmdir("one/two");
	(void)rmdir("one");
	return chdir("/") < 0 ? -1 : rmdir(folder);
}

static void a_file_is_read_whole_or_not_at_all(void **state)
{
	struct buf b, small;
	char big[10000];

	(void)state;
	buf_init(&b, 0);
	buf_init(&small, 100);
	memset(big, 'x', sizeof(big));
	assert_int_equal(file_write_atomic("a", slice_of(big, sizeof(big)), 0600), 0);
	assert_int_equal(file_read("a", sizeof(big), &b), 0);
	assert_true(slice_eq(buf_data(&b), slice_of(big, sizeof(big))));
	assert_int_equal(file_read("a", sizeof(big) - 1, &b), E_LIMIT);
	assert_int_equal(file_read("a", sizeof(big), &small), E_LIMIT);
	assert_int_equal(file_read("none", 10, &b), -ENOENT);
	assert_int_equal(file_read(".", 10, &b), -EISDIR);
	buf_free(&b);
	buf_free(&small);
}

static void what_cannot_be_written_leaves_nothing_behind(void **state)
{
	char name[PATH_MAX + 1];
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, SLICE("x")), -ENOSPC);
	assert_int_equal(close(fd), 0);
	memset(name, 'n', PATH_MAX);
	name[PATH_MAX] = '\0';
	assert_int_equal(file_write_atomic(name, SLICE("x"), 0600), -ENAMETOOLONG);
	name[PATH_MAX - 1] = '\0'; /* fits, and ".tmp" no more */
	assert_int_equal(file_write_atomic(name, SLICE("x"), 0600), -ENAMETOOLONG);
	assert_int_equal(file_write_atomic("none/a", SLICE("x"), 0600), -ENOENT);
	assert_int_equal(mkdir("one", 0700), 0);
	assert_int_equal(mkdir("one/two", 0700), 0); /* a folder that is not empty stays */
	assert_int_equal(file_write_atomic("one", SLICE("x"), 0600), -EISDIR);
	assert_int_equal(access("one.tmp", F_OK), -1);
	assert_int_equal(access("one/two", F_OK), 0);
}

static void folders_are_made_down_to_the_last(void **state)
{
	char name[PATH_MAX + 1];

	(void)state;
	assert_int_equal(file_make_dirs("one/two/three", 0700), 0);
	assert_int_equal(access("one/two/three", F_OK), 0);
	assert_int_equal(file_make_dirs("one/two/three", 0700), 0); /* it is there */
	assert_int_equal(file_write_atomic("a", SLICE("x"), 0600), 0);
	assert_int_equal(file_make_dirs("a/b", 0700), -ENOTDIR);
	assert_int_equal(file_make_dirs("", 0700), -ENAMETOOLONG);
	memset(name, 'n', PATH_MAX);
	name[PATH_MAX] = '\0';
	assert_int_equal(file_make_dirs(name, 0700), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_whole_or_not_at_all),
		cmocka_unit_test(what_cannot_be_written_leaves_nothing_behind),
		cmocka_unit_test(folders_are_made_down_to_the_last),
	};

	return cmocka_run_group_tests_name("base files", tests, make_folder, remove_folder);
}
