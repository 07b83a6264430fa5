/* The second record of how far the log was durable: an end that is missing shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <fcntl.h>

#include "spool/audit.h"
#include "tests/unit/spool/gated.h"

enum { JOBS = 30 };

static const struct disk *disk;

/* A log of several segments; ret_newest has the name of the last. */
static void newest_of(void *arg, const char *file)
{
	char *name = arg;

	if (strstr(file, ".seg") && strcmp(file, name) > 0)
		(void)snprintf(name, 24, "%s", file);
}

static void make_log(struct gated *g, char *ret_newest)
{
	gated_make(g);
	gated_open(g);
	gated_fill(g, 0, JOBS, 300, 1);
	assert_true(gated_segments(g) > 2);
	gated_close(g);
	disk = disk_sim_disk(g->sim);
	*ret_newest = 0;
	disk_sim_each(g->sim, newest_of, ret_newest);
}

static void cut(const char *file, uint64_t size)
{
	int fd = disk->open(disk->self, 0, file, O_RDWR, 0);

	assert_true(fd >= 0);
	assert_int_equal(disk->truncate(disk->self, fd, size), 0);
	(void)disk->close(disk->self, fd);
}

static void all_notice(struct gated *g, const char *file)
{
	struct spool_recovery found;
	struct spool_verify v;
	struct spool_audit a;

	g->o.recovery = &found;
	assert_int_equal(spool_open(&g->sp, &g->o), E_CORRUPT);
	if (file)
		assert_string_equal(found.bad_segment, file);
	assert_non_null(strstr(found.reason, "it was durable further"));
	assert_true(found.durable > 0);
	assert_int_equal(spool_audit("", disk, &a), E_CORRUPT);
	assert_int_equal(spool_verify("", disk, NULL, NULL, &v), 0);
	assert_true(v.damaged == 1 && v.damaged_bytes > 0);
	g->o.recovery = NULL;
}

static void a_missing_newest_segment_is_noticed(void **state UNUSED)
{
	struct gated g;
	char newest[24];

	make_log(&g, newest);
	assert_int_equal(disk->unlink(disk->self, 0, newest), 0);
	all_notice(&g, NULL);
	gated_end(&g);
}

static void a_cut_end_is_noticed_after_a_stop_in_good_order(void **state UNUSED)
{
	struct gated g;
	char newest[24];

	for (uint64_t off = 8; off < 600; off += 104) {
		make_log(&g, newest);
		cut(newest, disk_sim_size(g.sim, newest) - off);
		all_notice(&g, newest);
		gated_end(&g);
	}
}

static void a_spool_written_before_there_was_a_mark_opens(void **state UNUSED)
{
	struct gated g;
	char newest[24];

	make_log(&g, newest);
	assert_int_equal(disk->unlink(disk->self, 0, "durable"), 0);
	gated_open(&g);
	assert_true(gated_has(&g, JOBS - 1));
	gated_close(&g);
	assert_int_equal(disk_sim_size(g.sim, "durable"), 64);
	gated_end(&g);
}

static void a_mark_that_is_damaged_or_of_another_spool_says_nothing(void **state UNUSED)
{
	struct gated g;
	char newest[24];

	for (uint64_t at = 0; at < 64; at += 7) {
		make_log(&g, newest);
		cut(newest, disk_sim_size(g.sim, newest) - 24);
		disk_sim_flip(g.sim, "durable", at, 3);
		gated_open(&g);
		gated_end(&g);
	}
}

static void a_log_that_went_on_after_the_mark_opens(void **state UNUSED)
{
	struct gated g;
	char newest[24];

	make_log(&g, newest);
	gated_open(&g);
	gated_fill(&g, JOBS, JOBS + 1, 10, 1);
	disk_gate_fail(g.gate, CALL_PWRITE, EACH_CALL, -EIO); /* no stop in good order */
	gated_close(&g);
	disk_gate_open(g.gate);
	gated_open(&g);
	assert_true(gated_has(&g, JOBS));
	gated_end(&g);
}

static void a_folder_without_its_segments_begins_anew_only_when_told(void **state UNUSED)
{
	struct spool_recovery found;
	struct spool_verify v;
	struct gated g;
	char newest[24];

	make_log(&g, newest);
	for (*newest = 0; disk_sim_each(g.sim, newest_of, newest), *newest; *newest = 0)
		assert_int_equal(disk->unlink(disk->self, 0, newest), 0);
	g.o.recovery = &found;
	assert_int_equal(spool_open(&g.sp, &g.o), E_CORRUPT);
	assert_string_equal(found.reason, "the segments of the spool that was here are gone");
	assert_int_equal(spool_verify("", disk, NULL, NULL, &v), E_CORRUPT);
	g.o.fresh = true;
	gated_open(&g);
	gated_close(&g);
	g.o.fresh = false;
	gated_open(&g);
	assert_int_equal(gated_books(&g).accepted, 0);
	gated_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_newest_segment_is_noticed),
		cmocka_unit_test(a_cut_end_is_noticed_after_a_stop_in_good_order),
		cmocka_unit_test(a_spool_written_before_there_was_a_mark_opens),
		cmocka_unit_test(a_mark_that_is_damaged_or_of_another_spool_says_nothing),
		cmocka_unit_test(a_log_that_went_on_after_the_mark_opens),
		cmocka_unit_test(a_folder_without_its_segments_begins_anew_only_when_told),
	};

	return cmocka_run_group_tests_name("spool durable", tests, NULL, NULL);
}
