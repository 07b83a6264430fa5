/* The spool over a disk that loses, refuses, flips and fills up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "spool/audit.h"
#include "spool/folder.h"
#include "tests/sim/disk_sim.h"

static struct spool_recovery report;

static struct spool *open_on(struct disk_sim *sim, int expected)
{
	struct spool_options o = { .dir = "spool",
				   .disk = disk_sim_disk(sim),
				   .segment_bytes = 8192,
				   .reserve_bytes = 1,
				   .recovery = &report };
	struct spool *sp = NULL;

	assert_int_equal(spool_open(&sp, &o), expected);
	return sp;
}

static int put_n(struct spool *sp, uint64_t n, size_t bytes, job_no *ret)
{
	char text[4096] = { 0 };
	struct content_in c = { { 1, n }, SLICE(""), slice_of(text, bytes) };
	struct job_in j = { .id = { 2, n }, .content = c.id, .rows = 2 };
	lsn_t lsn;

	memset(text, 'x', sizeof(text));
	return spool_put(sp, &c, &j, ret, &lsn);
}

static int end_row(struct spool *sp, job_no job, uint32_t row)
{
	struct outcome o = { .job = job, .row = row, .kind = OUTCOME_DELIVERED };

	return spool_put_outcome(sp, &o, NULL);
}

static void the_rest_of_a_torn_batch_never_follows_a_new_record(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	OWNED(disk_sim) torn = NULL;
	char name[IMAGE_NAME];
	struct spool *sp = open_on(sim, 0);
	job_no job;

	assert_int_equal(put_n(sp, 1, 1024, &job), 0);
	assert_int_equal(put_n(sp, 2, 1024, &job), 0);
	disk_sim_crash_at(sim, disk_sim_ops(sim) + 1);
	assert_int_equal(spool_commit_now(sp), E_POISONED);
	sp = spool_free(sp);
	for (unsigned i = 0; i < disk_sim_images(sim) && !torn; i++) {
		torn = disk_sim_image(sim, i, name);
		if (strcmp(name, "last write, sectors from 1") != 0)
			torn = disk_sim_free(torn);
	}
	assert_non_null(torn);
	sp = open_on(torn, 0);
	/* Job 2 is whole on the platter, and was never promised. */
	assert_true(report.torn_records > 0);
	assert_int_equal(put_n(sp, 3, 1024, &job), 0); /* exactly as long as job 1 */
	assert_int_equal(spool_commit_now(sp), 0);
	disk_sim_crash_at(torn, disk_sim_ops(torn) + 1);
	sp = spool_free(sp);
	for (unsigned i = 0; i < disk_sim_images(torn); i++) {
		OWNED(disk_sim) again = disk_sim_image(torn, i, name);
		sp = open_on(again, 0);
		assert_int_equal(spool_find_job(sp, (struct id128){ 2, 3 }, &job), 0);
		assert_int_equal(spool_find_job(sp, (struct id128){ 2, 1 }, &job), E_UNKNOWN);
		assert_int_equal(spool_find_job(sp, (struct id128){ 2, 2 }, &job), E_UNKNOWN);
		sp = spool_free(sp);
	}
}

static unsigned woken;
static void count_wake(struct spool_port *port UNUSED)
{
	woken++;
}

static void a_failed_sync_ends_acceptance_for_good(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	struct spool *sp = open_on(sim, 0);
	struct spool_port port = { .wake = count_wake };
	lsn_t durable;
	job_no job;

	spool_port_add(sp, &port);
	assert_int_equal(put_n(sp, 1, 100, &job), 0);
	assert_int_equal(spool_commit_now(sp), 0);
	durable = spool_durable(sp);
	woken = 0;
	assert_int_equal(put_n(sp, 2, 100, &job), 0);
	disk_sim_fail_syncs(sim, -EIO);
	assert_int_equal(spool_commit_now(sp), E_POISONED);
	assert_int_equal(woken, 1);
	disk_sim_fail_syncs(sim, 0); /* the kernel would now say yes: it is not asked */
	assert_int_equal(spool_commit_now(sp), E_POISONED);
	assert_int_equal(spool_failed(sp), E_POISONED);
	assert_int_equal(spool_durable(sp), durable);
	assert_int_equal(put_n(sp, 3, 100, &job), E_POISONED);
	assert_int_equal(end_row(sp, 0, 0), E_POISONED);
	assert_int_equal(spool_put_rule(sp, SLICE("a"), SLICE("b"), NULL), E_POISONED);
	sp = spool_free(sp);
	sp = open_on(sim, 0);
	assert_int_equal(spool_find_job(sp, (struct id128){ 2, 1 }, &job), 0);
	assert_int_equal(put_n(sp, 3, 100, &job), 0);
	assert_int_equal(spool_commit_now(sp), 0);
	sp = spool_free(sp);
}

static void a_failed_write_ends_acceptance_for_good(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	struct spool *sp = open_on(sim, 0);
	job_no job;

	assert_int_equal(put_n(sp, 1, 100, &job), 0);
	disk_sim_fail_at(sim, disk_sim_ops(sim) + 1, -ENOSPC);
	assert_int_equal(spool_commit_now(sp), E_POISONED);
	assert_int_equal(put_n(sp, 2, 100, &job), E_POISONED);
	sp = spool_free(sp);
}

static void a_full_disk_refuses_mail_and_takes_outcomes(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	struct spool *sp = open_on(sim, 0);
	uint64_t n = 0, ended = 0;
	uint32_t row = 0;
	struct books b;
	job_no job, first = 0;
	int r = 0;

	disk_sim_capacity(sim, 8192 * 6);
	for (; r == 0 && n < 100; n++) {
		r = put_n(sp, n, 1000, n ? &job : &first);
		assert_int_equal(spool_commit_now(sp), 0);
	}
	assert_int_equal(r, E_FULL);
	spool_books(sp, &b);
	assert_true(b.refusing && b.queued == 2 * (n - 1));
	for (uint64_t i = 0; i + 1 < n; i++)
		for (row = 0; row < 2; row++) {
			assert_int_equal(spool_find_job(sp, (struct id128){ 2, i }, &job), 0);
			assert_int_equal(end_row(sp, job, row), 0);
			ended++;
			assert_int_equal(spool_commit_now(sp), 0);
		}
	assert_int_equal(spool_failed(sp), 0);
	spool_books(sp, &b);
	assert_int_equal(b.delivered, ended);
	assert_false(b.refusing); /* what was delivered has given its space back */
	assert_int_equal(put_n(sp, 1000, 1000, &job), 0);
	assert_int_equal(spool_commit_now(sp), 0);
	sp = spool_free(sp);
}

struct sizes {
	const struct disk_sim *sim;
	char name[16][24];
	uint64_t size[16];
	unsigned n;
};
static void take_size(void *arg, const char *file)
{
	struct sizes *s = arg;

	if (!strstr(file, ".seg"))
		return;
	(void)snprintf(s->name[s->n], sizeof(s->name[0]), "%s", file);
	s->size[s->n++] = disk_sim_size(s->sim, file);
}

static void pending_mail_never_outgrows_the_disk(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	struct spool *sp = NULL;
	uint64_t n = 0;
	job_no job;
	int r;

	disk_sim_capacity(sim, 8192 * 8);
	sp = open_on(sim, 0);
	for (int round = 0; round < 4; round++) { /* all before a commit that writes it */
		while ((r = put_n(sp, n, 1000, &job)) == 0)
			n++;
		assert_int_equal(r, E_FULL);
		assert_int_equal(spool_commit_now(sp), 0);
	}
	assert_true(n > 8 && n < 64);
	sp = spool_free(sp);
}

static void a_disk_that_is_full_at_start_takes_outcomes_or_says_no(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	struct spool *sp = open_on(sim, 0);
	uint64_t used = 0, n;
	job_no job;
	int r;

	for (n = 0; n < 30; n++) {
		assert_int_equal(put_n(sp, n, 1000, &job), 0);
		assert_int_equal(spool_commit_now(sp), 0);
	}
	sp = spool_free(sp);
	for (int room = 0; room < 4; room++) { /* others have filled the disk meanwhile */
		struct sizes sizes = { .sim = sim };
		disk_sim_each(sim, take_size, &sizes);
		for (used = 0, n = 0; n < sizes.n; n++)
			used += sizes.size[n];
		disk_sim_capacity(sim, used + room * 5000);
		sp = open_on(sim, 0);
		assert_int_equal(put_n(sp, 100, 1000, &job), E_FULL);
		for (n = 0; n < 6; n++) {
			const struct id128 id = { 2, 6 * (uint64_t)room + n };
			assert_int_equal(spool_find_job(sp, id, &job), 0);
			r = end_row(sp, job, 0);
			assert_true(r == 0 || r == E_FULL);
			assert_int_equal(spool_commit_now(sp), 0);
		}
		assert_true(room < 2 || r == 0);
		sp = spool_free(sp);
		disk_sim_capacity(sim, (uint64_t)1 << 40);
	}
}

struct mover {
	struct spool_port port;
	struct spool *sp;
	bool move;
};
static void move_cursor(struct spool_port *port)
{
	struct mover *m = container_of(port, struct mover, port);

	if (m->move)
		assert_int_equal(spool_consumer_set(m->sp, SLICE("reader"), spool_durable(m->sp)),
				 0);
	m->move = false;
}

static int ignore_event(void *arg, const struct event *e UNUSED)
{
	++*(unsigned *)arg;
	return 0;
}

/* The cursor moves between a commit and the cleaning after it; then the power goes. */
static void a_segment_waits_until_the_cursor_past_it_is_durable(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	OWNED(disk_sim) after = NULL;
	struct spool *sp = open_on(sim, 0);
	struct mover m = { .port = { .wake = move_cursor }, .sp = sp };
	char name[IMAGE_NAME];
	unsigned heard = 0;
	lsn_t cursor = 1;
	job_no job;

	spool_port_add(sp, &m.port);
	assert_int_equal(spool_consumer_set(sp, SLICE("reader"), 0), 0);
	for (uint64_t n = 0; n < 40; n++) {
		assert_int_equal(put_n(sp, n, 1000, &job), 0);
		assert_int_equal(end_row(sp, job, 0), 0);
		assert_int_equal(end_row(sp, job, 1), 0);
		m.move = n == 39;
		assert_int_equal(spool_commit_now(sp), 0);
		if (n == 30) /* its record leaves the oldest segment, what it says stays */
			assert_int_equal(spool_consumer_set(sp, SLICE("reader"), 0), 0);
	}
	disk_sim_crash_at(sim, disk_sim_ops(sim) + 1);
	sp = spool_free(sp);
	after = disk_sim_image(sim, 0, name); /* nothing pending survives */
	sp = open_on(after, 0);
	assert_int_equal(spool_consumer_get(sp, SLICE("reader"), &cursor), 0);
	assert_int_equal(cursor, 0);
	assert_int_equal(spool_events(sp, cursor, 1000, ignore_event, &heard, &cursor), 0);
	assert_int_equal(heard, 120);
	sp = spool_free(sp);
}

/* I16, and the mark of a good end: after it the last batch is no exception. */
static void one_flipped_bit_anywhere_is_found_and_placed(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	struct spool *sp = open_on(sim, 0);
	struct sizes sizes = { .sim = sim };
	struct spool_verify v;
	unsigned flips = 0, torn = 0;
	job_no job;

	for (uint64_t n = 0; n < 40; n++) {
		assert_int_equal(put_n(sp, n, 300, &job), 0);
		assert_int_equal(end_row(sp, job, 1), 0);
		assert_int_equal(spool_commit_now(sp), 0);
	}
	sp = spool_free(sp);
	disk_sim_each(sim, take_size, &sizes);
	assert_true(sizes.n > 1);
	for (unsigned f = 0; f < sizes.n; f++)
		for (uint64_t at = 0; at < sizes.size[f]; at += 7) {
			bool last_record = at + 64 > sizes.size[f];
			disk_sim_flip(sim, sizes.name[f], at, at % 8);
			assert_int_equal(spool_verify("", disk_sim_disk(sim), NULL, NULL, &v), 0);
			if (v.damaged == 0) { /* the zeros that pad a record, or the mark itself */
				torn++;
				assert_true(last_record || v.torn == false);
			} else {
				assert_int_equal(v.damaged, 1);
				sp = open_on(sim, E_CORRUPT);
				assert_string_equal(report.bad_segment, sizes.name[f]);
				assert_true(report.bad_offset <= at);
			}
			disk_sim_flip(sim, sizes.name[f], at, at % 8);
			flips++;
		}
	print_message("%u flips, %u of them in padding or the mark\n", flips, torn);
	assert_true(torn < flips / 20);
	sp = open_on(sim, 0);
	sp = spool_free(sp);
}

static void a_missing_segment_is_found(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	const struct disk *d = disk_sim_disk(sim);
	struct spool *sp = open_on(sim, 0);
	struct sizes sizes = { .sim = sim };
	char middle[24] = "";
	job_no job;

	for (uint64_t n = 0; n < 40; n++) {
		assert_int_equal(put_n(sp, n, 1000, &job), 0);
		assert_int_equal(spool_commit_now(sp), 0);
	}
	sp = spool_free(sp);
	disk_sim_each(sim, take_size, &sizes);
	for (unsigned i = 0; i < sizes.n; i++)
		if (strcmp(sizes.name[i], "0000000000000000.seg") != 0 &&
		    (!middle[0] || strcmp(sizes.name[i], middle) < 0))
			memcpy(middle, sizes.name[i], sizeof(middle));
	assert_int_equal(d->unlink(d->self, 0, middle), 0);
	sp = open_on(sim, E_CORRUPT);
	assert_string_equal(report.bad_segment, "0000000000000000.seg");
}

static void every_refused_operation_while_opening_leaves_the_log_as_it_was(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	struct spool *sp = open_on(sim, 0);
	job_no job;

	for (uint64_t n = 0; n < 20; n++) {
		assert_int_equal(put_n(sp, n, 500, &job), 0);
		assert_int_equal(spool_commit_now(sp), 0);
	}
	sp = spool_free(sp);
	for (unsigned i = 1; i < 12; i++) {
		struct spool_options o = { .dir = "",
					   .disk = disk_sim_disk(sim),
					   .reserve_bytes = 1,
					   .segment_bytes = 8192 };
		disk_sim_fail_at(sim, disk_sim_ops(sim) + i, i % 2 ? -EIO : -ENOSPC);
		if (spool_open(&sp, &o) >= 0)
			sp = spool_free(sp);
		disk_sim_fail_at(sim, 0, 0);
		sp = open_on(sim, 0);
		for (uint64_t n = 0; n < 20; n++)
			assert_int_equal(spool_find_job(sp, (struct id128){ 2, n }, &job), 0);
		sp = spool_free(sp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rest_of_a_torn_batch_never_follows_a_new_record),
		cmocka_unit_test(a_failed_sync_ends_acceptance_for_good),
		cmocka_unit_test(a_failed_write_ends_acceptance_for_good),
		cmocka_unit_test(a_full_disk_refuses_mail_and_takes_outcomes),
		cmocka_unit_test(pending_mail_never_outgrows_the_disk),
		cmocka_unit_test(a_disk_that_is_full_at_start_takes_outcomes_or_says_no),
		cmocka_unit_test(a_segment_waits_until_the_cursor_past_it_is_durable),
		cmocka_unit_test(one_flipped_bit_anywhere_is_found_and_placed),
		cmocka_unit_test(a_missing_segment_is_found),
		cmocka_unit_test(every_refused_operation_while_opening_leaves_the_log_as_it_was),
	};

	return cmocka_run_group_tests_name("spool faults", tests, NULL, NULL);
}
