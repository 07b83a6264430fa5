/* What a spool says when it does not open, or when it fails while it is open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/sim/clock_sim.h"
#include "tests/unit/spool/forge.h"
#include "tests/unit/spool/yard.h"

static const char first[] = "0000000000000000.seg";

static const char *in_yard(const struct yard *y, const char *file)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", y->dir, file);
	return path;
}

static void flip(const struct yard *y, const char *file, off_t at)
{
	int fd = open(in_yard(y, file), O_RDWR | O_CLOEXEC);
	char c = 0;

	assert_true(fd >= 0 && pread(fd, &c, 1, at) == 1);
	c ^= 4;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	(void)close(fd);
}

static void is_refused(struct yard *y, int err, const char *file, uint64_t offset,
		       const char *reason)
{
	y->sp = spool_free(y->sp);
	assert_int_equal(spool_open(&y->sp, &y->o), err);
	assert_string_equal(y->recovery.bad_segment, file);
	assert_int_equal(y->recovery.bad_offset, offset);
	assert_string_equal(y->recovery.reason, reason);
}

static void a_flipped_byte_is_named_with_its_file_and_offset(void **state UNUSED)
{
	struct yard y;
	job_no job;

	yard_open(&y);
	for (uint64_t i = 0; i < 40; i++)
		assert_int_equal(yard_put(&y, i, 1, true, &job), 0);
	y.sp = spool_free(y.sp);
	flip(&y, first, SEGMENT_HEADER + 30);
	is_refused(&y, E_CORRUPT, first, SEGMENT_HEADER,
		   "these bytes are not the record that was written");
	flip(&y, first, SEGMENT_HEADER + 30);
	flip(&y, first, 50);
	is_refused(&y, E_CORRUPT, first, 0, "the header of the segment is damaged");
	flip(&y, first, 50);
	assert_int_equal(spool_open(&y.sp, &y.o), 0);
	assert_null(y.recovery.reason);
	yard_close(&y);
}

static void what_the_system_refuses_is_named_with_its_file(void **state UNUSED)
{
	struct spool *other = NULL;
	struct yard y;
	char away[96];

	yard_open(&y);
	assert_int_equal(spool_open(&other, &y.o), -EAGAIN);
	assert_string_equal(y.recovery.bad_segment, "lock");
	assert_string_equal(y.recovery.reason, "another process uses the spool");
	y.sp = spool_free(y.sp);
	(void)snprintf(away, sizeof(away), "%s/away", y.dir);
	assert_int_equal(rename(in_yard(&y, first), away), 0);
	assert_int_equal(mkdir(in_yard(&y, first), 0700), 0);
	is_refused(&y, -EISDIR, first, 0, "the file cannot be opened");
	assert_int_equal(rmdir(in_yard(&y, first)), 0);
	assert_int_equal(rename(away, in_yard(&y, first)), 0);
	y.o.dir = "/nonexistent/spool";
	is_refused(&y, -ENOENT, "", 0, "the folder cannot be opened");
	yard_close(&y);
}

static void a_job_whose_content_is_not_in_the_log_is_named(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	static struct forge f;
	struct spool_recovery found;
	lsn_t at;

	forge_begin(&f, sim, 0);
	at = forge_job(&f, 1, 2);
	forge_end(&f);
	(void)forge_open(sim, E_CORRUPT, &found);
	assert_string_equal(found.bad_segment, first);
	assert_int_equal(found.bad_offset, at);
	assert_string_equal(found.reason, "the content of this job is not in the log");
}

static void a_folder_that_is_removed_while_it_is_in_use_ends_the_spool(void **state UNUSED)
{
	struct spool_failure why;
	struct yard y;
	job_no job;

	yard_open(&y);
	assert_int_equal(yard_put(&y, 1, 1, true, &job), 0);
	yard_commit(&y);
	assert_false(spool_failure(y.sp, &why));
	assert_int_equal(unlink(in_yard(&y, first)), 0);
	clock_sim_advance_ms(2000);
	assert_int_equal(yard_put(&y, 2, 1, true, &job), 0);
	yard_commit(&y); /* to a file without a name */
	assert_true(spool_failure(y.sp, &why));
	assert_string_equal(why.doing, "find");
	assert_string_equal(why.file, first);
	assert_int_equal(why.err, -ENOENT);
	assert_int_equal(yard_put(&y, 3, 1, true, &job), E_POISONED);
	yard_close(&y);
}

static void a_reader_that_commits_makes_no_file(void **state UNUSED)
{
	struct spool *reader = NULL;
	struct yard y;

	yard_open(&y);
	y.sp = spool_free(y.sp);
	y.o.read_only = true;
	assert_int_equal(spool_open(&reader, &y.o), 0);
	assert_int_equal(spool_commit_now(reader), 0);
	assert_int_equal(access(in_yard(&y, "spare"), F_OK), -1);
	reader = spool_free(reader);
	yard_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flipped_byte_is_named_with_its_file_and_offset),
		cmocka_unit_test(what_the_system_refuses_is_named_with_its_file),
		cmocka_unit_test(a_job_whose_content_is_not_in_the_log_is_named),
		cmocka_unit_test(a_folder_that_is_removed_while_it_is_in_use_ends_the_spool),
		cmocka_unit_test(a_reader_that_commits_makes_no_file),
	};

	return cmocka_run_group_tests_name("spool refusal", tests, NULL, NULL);
}
