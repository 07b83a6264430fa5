/* Repair: whatever is damaged, the rest runs, and the books say what is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <fcntl.h>

#include "spool/folder.h"
#include "spool/repair.h"
#include "tests/unit/spool/gated.h"

enum { JOBS = 24, LIVE = 12 };

static const struct disk *disk;

struct log {
	struct gated g;
	struct spool_repair found;
	unsigned places, told;
	char last_aside[REPAIR_ASIDE];
};

/* Several segments; every second job is live, the others are delivered. */
static void make_log(struct log *l)
{
	memset(l, 0, sizeof(*l));
	gated_make(&l->g);
	gated_open(&l->g);
	gated_fill(&l->g, 0, JOBS, 300, 2);
	assert_true(gated_segments(&l->g) > 3);
	assert_int_equal(gated_books(&l->g).queued, LIVE);
	gated_close(&l->g);
	disk = disk_sim_disk(l->g.sim);
}

static void take_place(void *arg, const struct spool_repair_place *place)
{
	struct log *l = arg;

	l->places++;
	(void)snprintf(l->last_aside, sizeof(l->last_aside), "%s", place->aside);
}

static void take_record(void *arg, const struct spool_repair_record *record)
{
	struct log *l = arg;

	assert_non_null(record->type);
	l->told++;
}

static int repair(struct log *l, bool apply)
{
	struct spool_repair_options o = { .dir = "",
					  .disk = disk,
					  .apply = apply,
					  .each_place = take_place,
					  .each_record = take_record,
					  .arg = l };

	l->places = l->told = 0;
	return spool_repair(&o, &l->found);
}

/* The audit and the engine's own books agree, and each recipient is accounted for. */
static struct books all_agree(struct log *l)
{
	struct spool_verify v;
	struct spool_audit a;
	struct books b;

	assert_int_equal(spool_verify("", disk, NULL, NULL, &v), 0);
	assert_int_equal(v.damaged, 0);
	assert_int_equal(spool_audit("", disk, &a), 0);
	assert_true(a.balanced);
	assert_int_equal(spool_open(&l->g.sp, &l->g.o), 0);
	spool_books(l->g.sp, &b);
	assert_true(b.accepted == a.books.accepted && b.delivered == a.books.delivered &&
		    b.cancelled == a.books.cancelled && b.queued == a.books.queued &&
		    b.lost == a.books.lost);
	return b;
}

/* Life goes on: new work, cleaning, a restart; lost stays what it was. */
static void goes_on(struct log *l, struct books before)
{
	struct spool_audit a;

	gated_fill(&l->g, 100, 160, 300, 60);
	gated_close(&l->g);
	assert_int_equal(spool_audit("", disk, &a), 0);
	assert_true(a.balanced && a.books.lost == before.lost);
	assert_int_equal(a.books.accepted, before.accepted + 60);
	assert_int_equal(a.headers_differ, 0);
	gated_open(&l->g);
	gated_close(&l->g);
}

struct spot {
	char segment[24];
	uint64_t offset, bytes;
	struct id128 id;
	uint8_t type;
	bool newest;
};

/* Of a job (7, n), its outcome or its content (8, n). */
static bool id_lives(struct id128 id)
{
	return (id.hi == 7 || id.hi == 8) && id.lo < JOBS && id.lo % 2 == 0;
}

static size_t find_spots(struct spot *spots, size_t max)
{
	struct segment_header h;
	struct record rec;
	struct folder f;
	struct scan s;
	size_t n = 0;

	assert_int_equal(folder_open(&f, disk, ""), 0);
	for (size_t i = 0; i < f.n; i++) {
		assert_true(folder_enter(&f, i, &h, &s) >= 0);
		while (scan_next(&s, &rec) > 0) {
			assert_true(n < max);
			spots[n] = (struct spot){ .offset = rec.lsn - s.start,
						  .bytes = rec.end - rec.lsn,
						  .type = rec.type,
						  .newest = i + 1 == f.n };
			folder_segment_name(f.starts[i], spots[n].segment);
			if (rec.payload.n >= sizeof(spots[n].id))
				memcpy(&spots[n].id, rec.payload.p, sizeof(spots[n].id));
			n++;
		}
		folder_leave(&s);
	}
	folder_free(&f);
	return n;
}

static void is_as_expected(const struct spot *at, struct books b, const struct spool_repair *found)
{
	bool lives = id_lives(at->id);
	bool job = at->type == RECORD_JOB, content = at->type == RECORD_CONTENT;
	bool outcome = at->type == RECORD_OUTCOME;

	assert_int_equal(b.accepted, JOBS);
	assert_int_equal(b.lost, job && lives);
	assert_int_equal(b.cancelled, content && lives);
	assert_int_equal(found->cancelled, content && lives);
	assert_int_equal(b.delivered, JOBS - LIVE - outcome);
	assert_int_equal(b.queued, LIVE - (lives && (job || content)) + outcome);
}

/* One flipped bit in each record: in its header or in what it holds. */
static void one_flipped_bit_costs_what_its_record_held(void **state UNUSED)
{
	static struct spot spots[200];
	struct log *l = must_alloc(sizeof(*l));
	size_t n = 1;

	for (size_t i = 0; i < n; i++) {
		for (uint64_t in = i % 4 ? 4 : 20; in < 60; in += 26) {
			make_log(l);
			n = find_spots(spots, ARRAY_LEN(spots));
			bool legible = in != 20; /* not where the salted position is */
			if (in >= spots[i].bytes || (spots[i].newest && !legible)) {
				gated_end(&l->g);
				continue;
			}
			disk_sim_flip(l->g.sim, spots[i].segment, spots[i].offset + in, 2);
			assert_int_equal(spool_open(&l->g.sp, &l->g.o), E_CORRUPT);
			assert_int_equal(repair(l, false), 0);
			assert_int_equal(l->places, 1);
			assert_true(l->told == legible && *l->last_aside == 0);
			assert_int_equal(spool_open(&l->g.sp, &l->g.o), E_CORRUPT);
			assert_int_equal(repair(l, true), 0);
			assert_true(l->places == 1 && l->found.bytes == spots[i].bytes);
			assert_int_equal(disk_sim_size(l->g.sim, l->last_aside), spots[i].bytes);
			is_as_expected(&spots[i], all_agree(l), &l->found);
			if ((i + in) % 8 == 0)
				goes_on(l, l->found.books);
			gated_end(&l->g);
		}
	}
	assert_true(n > 60);
	free(l);
}

static void a_damaged_header_is_written_again_and_nothing_is_lost(void **state UNUSED)
{
	static struct spot spots[200];
	struct log *l = must_alloc(sizeof(*l));
	struct books b;

	make_log(l);
	size_t n = find_spots(spots, ARRAY_LEN(spots));
	gated_end(&l->g);
	for (size_t i = 0; i < n; i++) {
		if (i && strcmp(spots[i].segment, spots[i - 1].segment) == 0)
			continue;
		make_log(l);
		disk_sim_flip(l->g.sim, spots[i].segment, 33, 1);
		assert_int_equal(repair(l, true), 0);
		assert_int_equal(l->places, 1);
		b = all_agree(l);
		assert_true(b.accepted == JOBS && b.queued == LIVE && b.lost == 0);
		goes_on(l, b);
		gated_end(&l->g);
	}
	free(l);
}

static void a_missing_segment_or_end_is_lost_and_the_rest_runs(void **state UNUSED)
{
	static struct spot spots[200];
	struct log *l = must_alloc(sizeof(*l));
	struct books b;

	make_log(l);
	size_t n = find_spots(spots, ARRAY_LEN(spots));
	gated_end(&l->g);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(spots[i].segment, spots[i - 1].segment) == 0)
			continue;
		make_log(l);
		assert_int_equal(disk->unlink(disk->self, 0, spots[i].segment), 0);
		assert_int_equal(spool_open(&l->g.sp, &l->g.o), E_CORRUPT);
		assert_int_equal(repair(l, true), 0);
		b = all_agree(l);
		if (!spots[i].newest)
			assert_int_equal(b.accepted, JOBS);
		assert_true(b.accepted == b.delivered + b.cancelled + b.queued + b.lost);
		goes_on(l, b);
		gated_end(&l->g);
	}
	free(l);
}

/* The power fails at operation `at` of the repair: each disk that may then be is repaired. */
static unsigned crash_in_repair(struct log *l, unsigned at, unsigned *same, bool *ret_crashed,
				struct books wanted)
{
	struct disk_sim *sim = l->g.sim;
	char name[IMAGE_NAME];
	unsigned i, n;

	disk_sim_crash_at(sim, disk_sim_ops(sim) + at);
	(void)!repair(l, true);
	*ret_crashed = disk_sim_crashed(sim);
	n = *ret_crashed ? disk_sim_images(sim) : 0;
	for (i = 0; i < n; i++) {
		OWNED(disk_sim) image = disk_sim_image(sim, i, name);
		struct books b;
		disk = disk_sim_disk(image);
		l->g.o.disk = disk;
		assert_int_equal(repair(l, true), 0);
		b = all_agree(l);
		/* A write that was torn in the newest segment may hide how many were accepted. */
		if (b.queued != wanted.queued || b.delivered != wanted.delivered ||
		    b.cancelled != wanted.cancelled || b.accepted > wanted.accepted ||
		    wanted.accepted - b.accepted != wanted.lost - b.lost)
			fail_msg("operation %u, image \"%s\": the books differ", at, name);
		*same += b.lost == wanted.lost;
		l->g.sp = spool_free(l->g.sp);
	}
	return i;
}

/* A flipped bit that is on the platter. */
static void spoil(const char *file, uint64_t at, unsigned bit)
{
	int fd = disk->open(disk->self, 0, file, O_RDWR, 0);
	char c = 0;

	assert_true(fd >= 0 && disk->pread(disk->self, fd, &c, 1, at) == 1);
	c = (char)(c ^ 1 << bit);
	assert_int_equal(disk->pwrite(disk->self, fd, &c, 1, at), 1);
	assert_int_equal(disk->sync_data(disk->self, fd), 0);
	(void)disk->close(disk->self, fd);
}

static void damage(const struct spot *spots, size_t n, unsigned chance)
{
	for (unsigned k = 0; k < 3; k++) {
		const struct spot *at = &spots[(chance * 7 + k * 31) % n];
		if (at->bytes > 40)
			spoil(at->segment, at->offset + 30 + k, chance % 8);
	}
	if (chance % 2)
		spoil(spots[chance * 5 % n].segment, 60, 1);
}

static void a_repair_that_loses_power_anywhere_is_done_again(void **state UNUSED)
{
	static struct spot spots[200];
	struct log *l = must_alloc(sizeof(*l));
	unsigned images = 0, same = 0;
	bool crashed;

	for (unsigned chance = 1; chance < 9; chance++) {
		struct books wanted;
		make_log(l);
		size_t n = find_spots(spots, ARRAY_LEN(spots));
		damage(spots, n, chance);
		assert_int_equal(repair(l, true), 0);
		wanted = all_agree(l);
		gated_end(&l->g);
		crashed = true;
		for (unsigned at = 1; crashed; at++) {
			make_log(l);
			damage(spots, n, chance);
			images += crash_in_repair(l, at, &same, &crashed, wanted);
			gated_end(&l->g);
		}
	}
	print_message("%u images, %u with the same books\n", images, same);
	assert_true(images > 300 && same * 20 >= images * 19);
	free(l);
}

static void a_sound_log_is_left_as_it_is(void **state UNUSED)
{
	struct log *l = must_alloc(sizeof(*l));
	struct books b;

	make_log(l);
	assert_int_equal(repair(l, true), 0);
	assert_int_equal(l->places, 0);
	b = all_agree(l);
	assert_true(b.lost == 0 && b.queued == LIVE);
	assert_int_equal(repair(l, false), 0);
	gated_end(&l->g);
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_flipped_bit_costs_what_its_record_held),
		cmocka_unit_test(a_damaged_header_is_written_again_and_nothing_is_lost),
		cmocka_unit_test(a_missing_segment_or_end_is_lost_and_the_rest_runs),
		cmocka_unit_test(a_repair_that_loses_power_anywhere_is_done_again),
		cmocka_unit_test(a_sound_log_is_left_as_it_is),
	};

	return cmocka_run_group_tests_name("spool repair", tests, NULL, NULL);
}
