/* What the spool accepts, and what it calls the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/spool/gated.h"

static char big[CONTENT_MAX + 1];

static void a_content_may_come_before_its_jobs(void **state UNUSED)
{
	struct content_in c = { { 8, 1 }, SLICE("meta"), SLICE("first") };
	struct content_in other = { { 8, 2 }, SLICE("meta"), SLICE("second") };
	struct job_in j = { .id = gated_id(1), .content = c.id, .rows = 1 };
	struct buf bytes = { .max = 0 };
	lsn_t lsn = 0, again = 0;
	struct gated g;

	gated_make(&g);
	gated_open(&g);
	assert_int_equal(spool_put(g.sp, &c, NULL, NULL, &lsn), 0);
	assert_int_equal(spool_put(g.sp, &c, NULL, NULL, &again), 0);
	assert_int_equal(again, lsn); /* stored once */
	assert_int_equal(spool_put(g.sp, NULL, &j, NULL, &lsn), 0);
	assert_int_equal(spool_put(g.sp, NULL, &j, NULL, &lsn), E_EXISTS);
	j.id = gated_id(2); /* its content is known, another one comes along */
	assert_int_equal(spool_put(g.sp, &other, &j, NULL, &lsn), 0);
	assert_true(gated_books(&g).jobs == 2 && gated_books(&g).contents == 1);
	assert_int_equal(spool_read_content(g.sp, other.id, NULL, &bytes), 0);
	assert_true(slice_eq(buf_data(&bytes), SLICE("second")));
	j.id = gated_id(3);
	j.content = (struct id128){ 8, 3 };
	assert_int_equal(spool_put(g.sp, &other, &j, NULL, &lsn), E_UNKNOWN);
	buf_free(&bytes);
	gated_end(&g);
}

/* One job put again as it was, and with one thing changed at a time. */
static void expect_known(struct gated *g, const struct job_in *j)
{
	struct job_in other = *j;
	lsn_t lsn = 0, head = spool_head(g->sp);
	char changed[8192];
	job_no no;

	other.meta = SLICE("another meta"); /* and another lifetime: what came first counts */
	other.expires_ms++;
	assert_int_equal(spool_put(g->sp, NULL, &other, &no, &lsn), E_EXISTS);
	assert_true(lsn >= head);
	other = *j;
	other.tenant++;
	assert_int_equal(spool_put(g->sp, NULL, &other, NULL, &lsn), E_CONFLICT);
	other = *j;
	other.campaign++;
	assert_int_equal(spool_put(g->sp, NULL, &other, NULL, &lsn), E_CONFLICT);
	other = *j;
	other.content.lo++;
	assert_int_equal(spool_put(g->sp, NULL, &other, NULL, &lsn), E_CONFLICT);
	other = *j;
	other.rows++;
	assert_int_equal(spool_put(g->sp, NULL, &other, NULL, &lsn), E_CONFLICT);
	other = *j;
	assert_in_range(j->data.n, 1, sizeof(changed));
	memcpy(changed, j->data.p, j->data.n);
	changed[j->data.n / 2] ^= 1;
	other.data = slice_of(changed, j->data.n); /* as many bytes, but others */
	assert_int_equal(spool_put(g->sp, NULL, &other, NULL, &lsn), E_CONFLICT);
	other.data = SLICE("");
	assert_int_equal(spool_put(g->sp, NULL, &other, NULL, &lsn), E_CONFLICT);
	assert_int_equal(spool_head(g->sp), head); /* nothing was taken */
}

static void a_known_id_with_other_bytes_is_refused_and_with_the_same_is_no_news(void **state UNUSED)
{
	struct content_in c = { { 9, 1 }, SLICE("meta"), SLICE("first") }, other = c;
	struct job_in jobs[2] = { { .id = gated_id(1000),
				    .content = c.id,
				    .tenant = 3,
				    .campaign = 4,
				    .rows = 2,
				    .data = SLICE("rows of two people") },
				  { .id = gated_id(1001), .content = c.id, .rows = 1 } };
	char long_rows[4000] = "";
	job_no ended = 0;
	lsn_t lsn = 0;
	struct gated g;

	memset(long_rows, 'r', sizeof(long_rows)); /* stored compressed */
	jobs[1].data = slice_of(long_rows, 3000);
	gated_make(&g);
	gated_open(&g);
	assert_int_equal(spool_put(g.sp, &c, &jobs[0], NULL, &lsn), 0);
	assert_int_equal(spool_put(g.sp, NULL, &jobs[1], &ended, &lsn), 0);
	other.bytes = SLICE("other");
	assert_int_equal(spool_put(g.sp, &other, NULL, NULL, &lsn), E_CONFLICT);
	assert_int_equal(spool_put(g.sp, &other, &jobs[0], NULL, &lsn), E_CONFLICT);
	other = c;
	other.meta = SLICE("other");
	assert_int_equal(spool_put(g.sp, &other, NULL, NULL, &lsn), E_CONFLICT);
	for (int round = 0; round < 4; round++) {
		expect_known(&g, &jobs[0]);
		expect_known(&g, &jobs[1]);
		if (round == 0)
			gated_commit(&g); /* then from the file */
		if (round == 1) {
			gated_close(&g);
			gated_open(&g);
		}
		if (round == 2) { /* one has ended; the other is moved by the cleaner */
			assert_int_equal(spool_find_job(g.sp, jobs[1].id, &ended), 0);
			assert_int_equal(gated_finish(&g, ended, 0), 0);
			gated_commit(&g);
		}
	}
	assert_int_equal(spool_consumer_set(g.sp, SLICE("a"), 0), 0);
	assert_int_equal(spool_consumer_drop(g.sp, SLICE("a")), 0);
	gated_fill(&g, 0, 200, 300, 0);
	expect_known(&g, &jobs[0]); /* a copy now */
	assert_int_equal(spool_put(g.sp, &c, NULL, NULL, &lsn), 0);
	gated_end(&g);
}

static void every_part_has_its_bound_and_the_sum_too(void **state UNUSED)
{
	const struct slice most = slice_of(big, CONTENT_MAX), more = slice_of(big, sizeof(big)),
			   half = slice_of(big, CONTENT_MAX / 2);
	const struct slice contents[][2] = { { more, SLICE("") },
					     { SLICE(""), more },
					     { most, most } };
	const struct slice jobs[][2] = { { more, SLICE("") }, { SLICE(""), more }, { half, half } };
	struct gated g;
	lsn_t lsn;

	gated_make(&g);
	gated_open(&g);
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		struct content_in c = { { 8, 1 }, contents[i][0], contents[i][1] };
		assert_int_equal(spool_put(g.sp, &c, NULL, NULL, &lsn), E_LIMIT);
	}
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		struct content_in c = { { 8, 1 }, SLICE(""), SLICE("") };
		struct job_in j = { .id = gated_id(1),
				    .content = c.id,
				    .rows = 1,
				    .meta = jobs[i][0],
				    .data = jobs[i][1] };
		assert_int_equal(spool_put(g.sp, &c, &j, NULL, &lsn), E_LIMIT);
	}
	assert_int_equal(spool_consumer_set(g.sp, SLICE(""), 0), E_LIMIT);
	assert_int_equal(gated_books(&g).contents, 0);
	gated_end(&g);
}

static void an_outcome_of_no_kind_or_of_no_job_is_refused(void **state UNUSED)
{
	struct outcome o = { .kind = 0 };
	struct gated g;
	unsigned unknown = 0;

	gated_make(&g);
	gated_open(&g);
	assert_int_equal(spool_put_outcome(g.sp, &o, NULL), -EINVAL);
	gated_fill(&g, 0, 60, 300, 0); /* the oldest have left the log, and their slots */
	o.kind = OUTCOME_DELIVERED;
	for (o.job = 0; o.job < 100; o.job++) {
		int r = spool_put_outcome(g.sp, &o, NULL);
		assert_true(r == E_UNKNOWN || r == E_CONFLICT);
		unknown += r == E_UNKNOWN;
	}
	assert_true(unknown > 40 && unknown < 100);
	assert_int_equal(gated_books(&g).delivered, 60);
	gated_end(&g);
}

struct names {
	char all[64];
};
static void take_consumer(void *arg, struct slice name, lsn_t cursor)
{
	struct names *n = arg;
	size_t at = strlen(n->all);

	(void)snprintf(n->all + at, sizeof(n->all) - at, "%.*s=%llu;", (int)name.n, name.p,
		       (unsigned long long)cursor);
}

static void consumers_come_and_go_in_any_order(void **state UNUSED)
{
	struct names before = { "" }, after = { "" };
	struct gated g;
	lsn_t at = 1;

	gated_make(&g);
	gated_open(&g);
	assert_int_equal(spool_consumer_set(g.sp, SLICE("a"), 0), 0);
	assert_int_equal(spool_consumer_set(g.sp, SLICE("b"), 8), 0);
	assert_int_equal(spool_consumer_set(g.sp, SLICE("c"), 16), 0);
	spool_each_consumer(g.sp, take_consumer, &before);
	assert_string_equal(before.all, "c=16;b=8;a=0;");
	assert_int_equal(spool_consumer_get(g.sp, SLICE("a"), &at), 0);
	assert_int_equal(at, 0);
	assert_int_equal(spool_consumer_drop(g.sp, SLICE("b")), 0); /* from between */
	gated_commit(&g);
	gated_close(&g);
	gated_open(&g);
	spool_each_consumer(g.sp, take_consumer, &after);
	assert_string_equal(after.all, "c=16;a=0;");
	assert_int_equal(spool_consumer_drop(g.sp, SLICE("b")), E_UNKNOWN);
	assert_int_equal(spool_consumer_drop(g.sp, SLICE("a")), 0);
	assert_int_equal(spool_consumer_drop(g.sp, SLICE("c")), 0);
	gated_end(&g);
}

static int two_then_stop(void *arg, struct slice key UNUSED, struct slice value UNUSED)
{
	return ++*(unsigned *)arg == 2 ? -ECANCELED : 0;
}

static int count_rule(void *arg, struct slice key UNUSED, struct slice value UNUSED)
{
	++*(unsigned *)arg;
	return 1; /* only what is negative ends it */
}

static void rules_are_given_by_prefix_until_somebody_has_enough(void **state UNUSED)
{
	static const char *const keys[] = { "h", "hold:1", "hold:2", "hold:3", "hole", "cancel:1" };
	struct gated g;
	unsigned n = 0;

	gated_make(&g);
	gated_open(&g);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_int_equal(spool_put_rule(g.sp, slice_str(keys[i]), SLICE("v"), NULL), 0);
	assert_int_equal(spool_each_rule(g.sp, SLICE("hold:"), count_rule, &n), 0);
	assert_int_equal(n, 3);
	n = 0;
	assert_int_equal(spool_each_rule(g.sp, SLICE(""), two_then_stop, &n), -ECANCELED);
	assert_int_equal(n, 2);
	assert_int_equal(spool_put_rule(g.sp, SLICE("never"), SLICE(""), NULL), 0); /* was none */
	assert_int_equal(gated_books(&g).rules, ARRAY_LEN(keys));
	gated_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_content_may_come_before_its_jobs),
		cmocka_unit_test(
		    a_known_id_with_other_bytes_is_refused_and_with_the_same_is_no_news),
		cmocka_unit_test(every_part_has_its_bound_and_the_sum_too),
		cmocka_unit_test(an_outcome_of_no_kind_or_of_no_job_is_refused),
		cmocka_unit_test(consumers_come_and_go_in_any_order),
		cmocka_unit_test(rules_are_given_by_prefix_until_somebody_has_enough),
	};

	return cmocka_run_group_tests_name("spool puts", tests, NULL, NULL);
}
