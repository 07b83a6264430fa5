/* Refresh tokens beside the log: what is in the file, and one that is damaged. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "mta/token/rotated.h"

struct folder {
	char path[64], file[96];
	int fd;
};

static struct folder folder_open(void)
{
	struct folder f = { .path = "/tmp/postern-rotated.XXXXXX" };

	assert_non_null(mkdtemp(f.path));
	(void)snprintf(f.file, sizeof(f.file), "%s/" ROTATED_FILE, f.path);
	f.fd = open(f.path, O_RDONLY | O_DIRECTORY);
	assert_true(f.fd >= 0);
	return f;
}

static void folder_close(struct folder *f)
{
	(void)unlink(f->file);
	close(f->fd);
	assert_int_equal(rmdir(f->path), 0);
}

static void assert_has(struct rotated *r, uint64_t tenant, uint64_t id, uint64_t origin,
		       const char *expected)
{
	const struct smart_route route = { .tenant = tenant, .id = id };
	struct buf b = { 0 };

	assert_int_equal(rotated_get(r, &route, origin, &b), expected != NULL);
	assert_string_equal(buf_len(&b) ? buf_cstr(&b) : "", expected ? expected : "");
	buf_free(&b);
}

static void what_was_put_is_there_again_and_nobody_else_can_read_it(void **state)
{
	struct folder f = folder_open();
	bool lost = true;
	struct rotated *r = rotated_new(disk_real(), f.fd, &lost);
	struct stat st;

	(void)state;
	assert_false(lost);
	assert_int_equal(rotated_put(r, 7, 3, 99, SLICE("one")), 0);
	assert_int_equal(rotated_put(r, UINT64_MAX, 0, 0, SLICE("x")), 0);
	assert_int_equal(rotated_put(r, 7, 3, 100, SLICE("two")), 0);
	assert_int_equal(stat(f.file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	r = rotated_free(r);
	r = rotated_new(disk_real(), f.fd, &lost);
	assert_false(lost);
	assert_has(r, 7, 3, 100, "two");
	assert_has(r, 7, 3, 99, NULL);
	assert_has(r, UINT64_MAX, 0, 0, "x");
	(void)rotated_free(r);
	folder_close(&f);
}

static void a_damaged_line_costs_its_own_token_alone(void **state)
{
	static const char text[] = "7 3 64 two\n7 4 64 \nz 4 64 t\n7 4\n\n9 1 a3 three words";
	struct folder f = folder_open();
	struct rotated *r;
	bool lost = false;

	(void)state;
	assert_int_equal(file_write_atomic(f.file, slice_str(text), 0600), 0);
	r = rotated_new(disk_real(), f.fd, &lost);
	assert_true(lost);
	assert_has(r, 7, 3, 0x64, "two");
	assert_has(r, 7, 4, 0x64, NULL);
	(void)rotated_free(r);
	folder_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_there_again_and_nobody_else_can_read_it),
		cmocka_unit_test(a_damaged_line_costs_its_own_token_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
