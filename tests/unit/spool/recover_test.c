/* Recovery over logs whose checksums are right and whose records are not what we write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/spool/forge.h"

static const char first[] = "0000000000000000.seg";
static struct forge forge;

/* Job 1 with two rows and its content; what the test adds comes next. */
static struct disk_sim *sound_log(void)
{
	struct disk_sim *sim = disk_sim_new();

	forge_begin(&forge, sim, 0);
	(void)forge_content(&forge, 1);
	(void)forge_job(&forge, 1, 2);
	return sim;
}

static void stopped_at(struct disk_sim *sim, lsn_t at, int err)
{
	struct spool_recovery found;

	(void)forge_open(sim, err, &found);
	assert_string_equal(found.bad_segment, first);
	assert_int_equal(found.bad_offset, at);
}

/* A record of this payload, after a sound log: nobody may read past it, and both who read the log
 * must say where it is. */
static void payload_is_refused(unsigned type, unsigned flags, struct slice payload, int err)
{
	OWNED(disk_sim) sim = sound_log();
	lsn_t at = forge_record(&forge, type, flags, payload);
	struct spool_verify v;
	struct spool_audit a;

	(void)forge_record(&forge, RECORD_MARK, 0, SLICE(""));
	forge_end(&forge);
	stopped_at(sim, at, err);
	assert_int_equal(spool_verify("", disk_sim_disk(sim), NULL, NULL, &v), 0);
	assert_int_equal(v.damaged, 0); /* each byte is as it was written */
	if (type == RECORD_RULE || type == RECORD_CONSUMER)
		return; /* no rows in them: the account passes over */
	a = forge_audit(sim, err);
	assert_string_equal(a.bad_segment, first);
	assert_true(a.bad_offset > at && !a.balanced);
}

static void a_log_written_by_hand_opens_and_balances(void **state UNUSED)
{
	OWNED(disk_sim) sim = sound_log();
	struct spool_recovery found;
	struct spool_audit a;
	struct books b;

	(void)forge_outcome(&forge, 1, 0, OUTCOME_DELIVERED);
	forge.header.base.accepted = 5; /* of a log that was cleaned */
	forge.header.base.bounced = 5;
	forge_end(&forge);
	a = forge_audit(sim, 0);
	assert_true(a.balanced && a.books.accepted == 7 && a.books.queued == 1 && a.jobs_live == 1);
	struct spool *sp = forge_open(sim, 0, &found);
	spool_books(sp, &b);
	assert_true(b.accepted == 7 && b.bounced == 5 && b.delivered == 1 && b.queued == 1);
	assert_int_equal(found.records, 3);
	sp = spool_free(sp);
}

static void a_content_whose_lengths_are_not_its_own_is_damage(void **state UNUSED)
{
	struct content_fixed c = { .id = { 3, 9 } };

	payload_is_refused(RECORD_CONTENT, 0, slice_of(&c, sizeof(c) - 1), E_CORRUPT);
	c.meta_len = 1;
	payload_is_refused(RECORD_CONTENT, 0, slice_of(&c, sizeof(c)), E_CORRUPT);
	c.bytes_len = UINT32_MAX; /* the sum is 0 in 32 bits */
	payload_is_refused(RECORD_CONTENT, 0, slice_of(&c, sizeof(c)), E_CORRUPT);
}

static void a_job_that_cannot_be_is_damage(void **state UNUSED)
{
	const struct job_fixed good = forge_fixed(9, 1);
	struct job_fixed bad[] = { good, good, good, good, good };
	char longer[sizeof(good) + 1] = { 0 };

	bad[0].rows = 0;
	bad[1].rows = ROWS_MAX + 1;
	bad[2].raw_len = CONTENT_MAX + 1;
	bad[3].packed = 2;
	bad[4].data_len = 1;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		payload_is_refused(RECORD_JOB, 0, slice_of(&bad[i], sizeof(good)), E_CORRUPT);
	payload_is_refused(RECORD_JOB, 0, slice_of(&good, sizeof(good) - 1), E_CORRUPT);
	memcpy(longer, &good, sizeof(good));
	payload_is_refused(RECORD_JOB, 0, slice_of(longer, sizeof(longer)), E_CORRUPT);
}

static void a_copy_whose_state_is_not_whole_is_damage(void **state UNUSED)
{
	struct {
		struct job_fixed f;
		char state[5 + sizeof(struct deferred_row)];
	} copy = { .f = forge_fixed(9, 1) };
	const size_t bare = sizeof(copy.f) + 5; /* count, bitmap of one byte */

	payload_is_refused(RECORD_JOB, RECORD_COPY, slice_of(&copy, bare - 1), E_CORRUPT);
	payload_is_refused(RECORD_JOB, RECORD_COPY, slice_of(&copy, bare + 1), E_CORRUPT);
	copy.state[0] = 1; /* says that a deferred row follows */
	payload_is_refused(RECORD_JOB, RECORD_COPY, slice_of(&copy, bare), E_CORRUPT);
	copy.state[0] = 2; /* more deferred rows than rows */
	payload_is_refused(RECORD_JOB, RECORD_COPY, slice_of(&copy, bare), E_CORRUPT);
}

static void rules_cursors_and_outcomes_that_cannot_be_are_damage(void **state UNUSED)
{
	char rule[4 + 16] = { 17 }, cursor[8 + CONSUMER_NAME_MAX + 1] = { 0 };
	char long_rule[4 + RULE_KEY_MAX + 1] = { 1, 2 }; /* a key of 513 bytes */

	payload_is_refused(RECORD_RULE, 0, slice_of(rule, 3), E_CORRUPT);
	payload_is_refused(RECORD_RULE, 0, slice_of(rule, sizeof(rule)), E_CORRUPT);
	payload_is_refused(RECORD_RULE, 0, slice_of(long_rule, sizeof(long_rule)), E_CORRUPT);
	payload_is_refused(RECORD_CONSUMER, 0, slice_of(cursor, 8), E_CORRUPT);
	payload_is_refused(RECORD_CONSUMER, 0, slice_of(cursor, sizeof(cursor)), E_CORRUPT);
	payload_is_refused(RECORD_OUTCOME, 0, SLICE("too short"), E_CORRUPT);
}

static void a_record_of_an_unknown_type_is_never_passed_over(void **state UNUSED)
{
	payload_is_refused(RECORD_TYPES, 0, SLICE("of later"), E_VERSION);
	payload_is_refused(0, 0, SLICE("of none"), E_VERSION);
}

static void a_job_accepted_twice_is_damage_and_the_audit_counts_it(void **state UNUSED)
{
	OWNED(disk_sim) sim = sound_log();
	lsn_t at = forge_job(&forge, 1, 2);
	struct spool_audit a;

	forge_end(&forge);
	stopped_at(sim, at, E_CORRUPT);
	a = forge_audit(sim, 0);
	assert_true(a.accepted_twice == 1 && a.missing == 2 && !a.balanced);
	forge.header.base.delivered = 2; /* now the sums agree */
	forge_end(&forge);
	a = forge_audit(sim, 0);
	assert_true(a.accepted_twice == 1 && a.missing == 0 && !a.balanced);
}

static void a_copy_of_other_rows_than_the_job_is_damage(void **state UNUSED)
{
	OWNED(disk_sim) sim = sound_log();
	lsn_t at = forge_copy(&forge, 1, 1, 1, SLICE("")); /* one row, and it has ended */

	forge_end(&forge);
	stopped_at(sim, at, E_CORRUPT);
	assert_int_equal(forge_audit(sim, 0).revived, 1); /* the two accounts differ */
	assert_false(forge_audit(sim, 0).balanced);
}

static void a_row_that_ends_twice_is_damage_and_the_audit_counts_it(void **state UNUSED)
{
	OWNED(disk_sim) sim = sound_log();
	struct spool_audit a;
	lsn_t at;

	(void)forge_outcome(&forge, 1, 1, OUTCOME_BOUNCED);
	at = forge_outcome(&forge, 1, 1, OUTCOME_DELIVERED);
	forge_end(&forge);
	stopped_at(sim, at, E_CORRUPT);
	a = forge_audit(sim, 0);
	assert_true(a.ended_twice == 1 && a.books.queued == 1 && !a.balanced);
}

static void the_end_of_a_row_that_the_job_has_not_is_damage(void **state UNUSED)
{
	OWNED(disk_sim) sim = sound_log();
	lsn_t at = forge_outcome(&forge, 1, 2, OUTCOME_DELIVERED);

	forge_end(&forge);
	stopped_at(sim, at, E_CORRUPT);
	assert_int_equal(forge_audit(sim, 0).ended_twice, 1);
}

static void two_ends_of_a_row_whose_job_has_left_the_log_are_counted(void **state UNUSED)
{
	OWNED(disk_sim) sim = sound_log();
	struct spool_audit a;

	(void)forge_outcome(&forge, 8, 0, OUTCOME_EXPIRED);
	(void)forge_outcome(&forge, 8, 1, OUTCOME_EXPIRED);
	(void)forge_outcome(&forge, 8, 0, OUTCOME_CANCELLED);
	forge.header.base.accepted = 3;
	forge_end(&forge);
	a = forge_audit(sim, 0);
	assert_true(a.ended_twice == 1 && a.missing == 0 && !a.balanced);
}

static void a_copy_that_calls_an_ended_row_live_is_counted(void **state UNUSED)
{
	OWNED(disk_sim) sim = sound_log();
	struct spool_audit a;

	(void)forge_outcome(&forge, 1, 0, OUTCOME_DELIVERED);
	(void)forge_copy(&forge, 1, 2, 0, SLICE("")); /* says that both live */
	(void)forge_outcome(&forge, 8, 1, OUTCOME_DELIVERED);
	(void)forge_content(&forge, 8);
	(void)forge_copy(&forge, 8, 2, 1, SLICE("")); /* the other one has ended, it says */
	forge_end(&forge);
	a = forge_audit(sim, 0);
	assert_true(a.revived == 2 && !a.balanced);
}

static void a_live_job_without_its_content_is_damage_and_the_audit_counts_it(void **state UNUSED)
{
	OWNED(disk_sim) sim = sound_log();
	struct spool_audit a;

	(void)forge_job(&forge, 9, 1);
	(void)forge_content(&forge, 10);
	(void)forge_job(&forge, 10, 1); /* a sound one behind it changes nothing */
	forge_end(&forge);
	(void)forge_open(sim, E_CORRUPT, NULL);
	a = forge_audit(sim, 0);
	assert_true(a.without_content == 1 && a.missing == 0 && !a.balanced);
}

static void a_finished_job_needs_no_content(void **state UNUSED)
{
	OWNED(disk_sim) sim = sound_log();
	struct spool *sp;
	job_no job;

	(void)forge_job(&forge, 9, 1);
	(void)forge_outcome(&forge, 9, 0, OUTCOME_DELIVERED);
	forge_end(&forge);
	assert_true(forge_audit(sim, 0).balanced);
	sp = forge_open(sim, 0, NULL);
	assert_int_equal(spool_find_job(sp, forge_id(9), &job), E_UNKNOWN);
	assert_int_equal(spool_read_content(sp, (struct id128){ 3, 9 }, NULL, NULL), E_UNKNOWN);
	sp = spool_free(sp);
}

static void a_copy_gives_back_what_was_deferred_and_what_has_ended(void **state UNUSED)
{
	const struct deferred_row rows[] = { { 1, 4, 0, 1234 }, { 0, 5, 0, 1 }, { 7, 6, 0, 1 } };
	OWNED(disk_sim) sim = disk_sim_new();
	struct spool *sp;
	uint16_t attempts;
	int64_t next;
	job_no job;

	forge_begin(&forge, sim, 0);
	/* The content's copy comes after the job's: the cleaner moves them in this order. */
	(void)forge_copy(&forge, 1, 3, 1, slice_of(rows, sizeof(rows)));
	(void)forge_content(&forge, 1);
	forge.header.base.accepted = 3;
	forge.header.base.delivered = 1;
	forge_end(&forge);
	sp = forge_open(sim, 0, NULL);
	assert_int_equal(spool_find_job(sp, forge_id(1), &job), 0);
	assert_true(spool_row_live(sp, job, 1, &attempts, &next));
	assert_true(attempts == 4 && next == 1234);
	assert_false(spool_row_live(sp, job, 0, &attempts, &next)); /* it had ended */
	assert_false(spool_row_live(sp, job, 7, &attempts, &next)); /* there is none */
	sp = spool_free(sp);
}

static void second_segment(struct disk_sim *sim)
{
	static struct forge next;

	forge_end(&forge);
	forge_begin(&next, sim, forge.n);
	next.header.base.accepted = 2;
	(void)forge_record(&next, RECORD_MARK, 0, SLICE(""));
	forge_end(&next);
}

static void segments_that_follow_each_other_are_one_log(void **state UNUSED)
{
	OWNED(disk_sim) sim = sound_log();
	struct spool *sp;

	second_segment(sim);
	assert_true(forge_audit(sim, 0).balanced);
	sp = forge_open(sim, 0, NULL);
	sp = spool_free(sp);
}

static void a_segment_of_another_spool_or_place_is_damage(void **state UNUSED)
{
	struct spool_recovery found;
	struct spool_verify v;
	static struct forge next;

	for (int i = 0; i < 5; i++) {
		OWNED(disk_sim) sim = sound_log();
		const struct disk *d = disk_sim_disk(sim);
		char name[24];
		int fd;
		forge_end(&forge);
		forge_begin(&next, sim, forge.n);
		next.header.base.accepted = 2;
		next.header.spool_lo += i == 0;
		next.header.version += i == 1;
		next.header.length += i == 2;
		forge_end(&next);
		(void)snprintf(name, sizeof(name), "%016llx.seg", (unsigned long long)forge.n);
		fd = d->open(d->self, 0, name, 0, 0);
		assert_true(fd >= 0);
		if (i == 3)
			assert_int_equal(d->truncate(d->self, fd, SEGMENT_HEADER - 1), 0);
		if (i == 4) /* the first one's header in its place */
			assert_int_equal(d->pwrite(d->self, fd, forge.file, SEGMENT_HEADER, 0),
					 SEGMENT_HEADER);
		(void)d->close(d->self, fd);
		(void)forge_open(sim, i == 1 || i == 2 ? E_VERSION : E_CORRUPT, &found);
		assert_string_equal(found.bad_segment, name);
		assert_int_equal(found.bad_offset, 0);
		assert_int_equal(spool_verify("", d, NULL, NULL, &v), 0);
		/* Without its header, or with that of another spool, nothing of it counts. */
		assert_int_equal(v.damaged, 1);
	}
}

static void a_header_with_other_totals_than_the_records_is_counted(void **state UNUSED)
{
	OWNED(disk_sim) sim = sound_log();
	struct spool_audit a;

	(void)forge_outcome(&forge, 1, 0, OUTCOME_DELIVERED); /* second_segment() leaves it out */
	second_segment(sim);
	a = forge_audit(sim, 0);
	assert_true(a.headers_differ == 1 && a.missing == 0 && !a.balanced);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_written_by_hand_opens_and_balances),
		cmocka_unit_test(a_content_whose_lengths_are_not_its_own_is_damage),
		cmocka_unit_test(a_job_that_cannot_be_is_damage),
		cmocka_unit_test(a_copy_whose_state_is_not_whole_is_damage),
		cmocka_unit_test(rules_cursors_and_outcomes_that_cannot_be_are_damage),
		cmocka_unit_test(a_record_of_an_unknown_type_is_never_passed_over),
		cmocka_unit_test(a_job_accepted_twice_is_damage_and_the_audit_counts_it),
		cmocka_unit_test(a_copy_of_other_rows_than_the_job_is_damage),
		cmocka_unit_test(a_row_that_ends_twice_is_damage_and_the_audit_counts_it),
		cmocka_unit_test(the_end_of_a_row_that_the_job_has_not_is_damage),
		cmocka_unit_test(two_ends_of_a_row_whose_job_has_left_the_log_are_counted),
		cmocka_unit_test(a_copy_that_calls_an_ended_row_live_is_counted),
		cmocka_unit_test(a_live_job_without_its_content_is_damage_and_the_audit_counts_it),
		cmocka_unit_test(a_finished_job_needs_no_content),
		cmocka_unit_test(a_copy_gives_back_what_was_deferred_and_what_has_ended),
		cmocka_unit_test(segments_that_follow_each_other_are_one_log),
		cmocka_unit_test(a_segment_of_another_spool_or_place_is_damage),
		cmocka_unit_test(a_header_with_other_totals_than_the_records_is_counted),
	};

	return cmocka_run_group_tests_name("spool recovery", tests, NULL, NULL);
}
