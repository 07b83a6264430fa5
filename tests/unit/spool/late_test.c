/* Mail that came back: owed until it was read, and each fact of it once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "schema/wire/link.h"
#include "spool/audit.h"
#include "spool/keys_seen.h"
#include "spool/late.h"
#include "tests/unit/spool/yard.h"

_Static_assert((int)LATE_DSN == LINK_RETURNED && (int)LATE_DELAY == LINK_RETURNED_DELAY &&
		   (int)LATE_COMPLAINT == LINK_COMPLAINT &&
		   (int)LATE_AUTO_REPLY == LINK_AUTO_REPLY &&
		   (int)LATE_UNSUBSCRIBE == LINK_UNSUBSCRIBE &&
		   (int)LATE_DMARC == LINK_DMARC_REPORT && (int)LATE_TLSRPT == LINK_TLS_REPORT &&
		   (int)LATE_OTHER == LINK_RETURNED_OTHER,
	       "what the log and the link say is the same");

static struct id128 mail_id(uint64_t n)
{
	return (struct id128){ 7, n };
}

static int put_mail(struct yard *y, uint64_t n, struct slice bytes)
{
	struct late_mail m = { mail_id(n), 1000 + (int64_t)n, SLICE("envelope"), bytes };
	lsn_t at;

	return spool_put_late_mail(y->sp, &m, &at);
}

static struct late_fact fact(uint64_t mail, uint32_t seq, bool last, uint64_t key)
{
	return (struct late_fact){ .mail = mail_id(mail),
				   .seq = seq,
				   .last = last,
				   .key = key,
				   .kind = LATE_DSN,
				   .job = yard_id(1),
				   .row = 0,
				   .at_ms = 5000,
				   .status = STATUS(5, 1, 1),
				   .flags = OUTCOME_HARD,
				   .evidence = SLICE("550 no such user"),
				   .host = SLICE("mx.example"),
				   .ip = SLICE("192.0.2.1"),
				   .to = SLICE("b+abc@bounce.example"),
				   .rcpt = SLICE("user@example.org"),
				   .class = SLICE("no-such-user"),
				   .rule = SLICE("a rule") };
}

static int put_fact(struct yard *y, uint64_t mail, uint32_t seq, bool last, uint64_t key)
{
	struct late_fact f = fact(mail, seq, last, key);

	return spool_put_late(y->sp, &f, 1, NULL);
}

static unsigned waiting(struct yard *y)
{
	return (unsigned)yard_books(y).returned_waiting;
}

static void assert_balanced(struct yard *y)
{
	struct spool_audit a;

	yard_commit(y);
	assert_int_equal(spool_audit(y->dir, NULL, &a), 0);
	assert_true(a.balanced && !a.missing_mails && !a.returned_twice);
	assert_int_equal(a.books.returned, yard_books(y).returned);
	assert_int_equal(a.books.returned_again, yard_books(y).returned_again);
	assert_int_equal(a.books.returned_waiting, waiting(y));
}

static void a_mail_is_owed_until_its_last_fact(void **state UNUSED)
{
	struct yard y;
	struct buf meta = { .max = 0 }, bytes = { .max = 0 };
	int64_t at_ms = 0;

	yard_open(&y);
	assert_int_equal(put_mail(&y, 1, SLICE("a notice")), 0);
	assert_int_equal(put_mail(&y, 1, SLICE("a notice")), E_EXISTS);
	yard_again(&y);
	assert_int_equal(spool_read_late_mail(y.sp, mail_id(1), &at_ms, &meta, &bytes), 0);
	assert_int_equal(at_ms, 1001);
	assert_true(slice_eq(buf_data(&meta), SLICE("envelope")));
	assert_true(slice_eq(buf_data(&bytes), SLICE("a notice")));
	assert_int_equal(put_fact(&y, 1, 0, false, 11), 0);
	yard_again(&y);
	assert_int_equal(waiting(&y), 1);
	assert_int_equal(put_fact(&y, 1, 0, false, 11), 0); /* it is there: passed over */
	assert_int_equal(yard_books(&y).returned, 1);
	assert_int_equal(put_fact(&y, 1, 1, true, 12), 0);
	assert_int_equal(yard_books(&y).returned, 2);
	assert_int_equal(put_fact(&y, 1, 2, true, 13), E_UNKNOWN);
	assert_int_equal(waiting(&y), 0);
	assert_balanced(&y);
	yard_again(&y);
	assert_int_equal(waiting(&y), 0);
	assert_int_equal(yard_books(&y).returned, 2);
	buf_free(&meta);
	buf_free(&bytes);
	yard_close(&y);
}

static int count(void *arg, const struct event *e)
{
	unsigned *n = arg;

	*n += e->late != NULL;
	return 0;
}

static unsigned events(struct yard *y)
{
	unsigned n = 0;
	lsn_t at = spool_oldest(y->sp), before;

	do {
		before = at;
		assert_int_equal(spool_events(y->sp, at, 100, count, &n, &at), 0);
	} while (at != before);
	return n;
}

static void the_same_fact_counts_once_also_after_a_restart(void **state UNUSED)
{
	struct yard y;

	yard_open(&y);
	for (uint64_t n = 1; n <= 3; n++) {
		assert_int_equal(put_mail(&y, n, SLICE("a notice")), 0);
		assert_int_equal(put_fact(&y, n, 0, true, 77), 0);
		yard_again(&y);
	}
	assert_int_equal(yard_books(&y).returned, 1);
	assert_int_equal(yard_books(&y).returned_again, 2);
	assert_int_equal(events(&y), 1);
	assert_int_equal(put_mail(&y, 4, SLICE("a notice")), 0);
	assert_int_equal(put_fact(&y, 4, 0, true, 0), 0); /* like no other */
	assert_int_equal(yard_books(&y).returned, 2);
	assert_balanced(&y);
	yard_close(&y);
}

/* Mail goes on until the segments of the first one have gone. */
static void fill(struct yard *y, uint64_t from, unsigned n)
{
	char bytes[900];

	memset(bytes, 'x', sizeof(bytes));
	for (uint64_t i = from; i < from + n; i++) {
		assert_int_equal(put_mail(y, i, slice_of(bytes, sizeof(bytes))), 0);
		assert_int_equal(put_fact(y, i, 0, true, 0), 0);
		yard_commit(y);
	}
}

static void totals_and_keys_outlive_the_segments_they_stood_in(void **state UNUSED)
{
	struct yard y;

	yard_open(&y);
	assert_int_equal(put_mail(&y, 1, SLICE("a notice")), 0);
	assert_int_equal(put_fact(&y, 1, 0, true, 77), 0);
	fill(&y, 100, 40);
	assert_true(spool_oldest(y.sp) > 8192);
	yard_again(&y);
	assert_int_equal(yard_books(&y).returned, 41);
	assert_int_equal(yard_books(&y).returned_mails, 41);
	assert_int_equal(put_mail(&y, 2, SLICE("a notice")), 0);
	assert_int_equal(put_fact(&y, 2, 0, true, 77), 0);
	assert_int_equal(yard_books(&y).returned_again, 1);
	assert_balanced(&y);
	yard_close(&y);
}

static void a_mail_that_waits_is_copied_with_what_is_known_of_it(void **state UNUSED)
{
	struct yard y;
	struct buf bytes = { .max = 0 };
	int64_t at_ms;

	yard_open(&y);
	assert_int_equal(put_mail(&y, 1, SLICE("it waits")), 0);
	assert_int_equal(put_fact(&y, 1, 0, false, 0), 0);
	fill(&y, 100, 60);
	assert_true(spool_oldest(y.sp) > 8192);
	yard_again(&y);
	assert_int_equal(spool_read_late_mail(y.sp, mail_id(1), &at_ms, NULL, &bytes), 0);
	assert_true(slice_eq(buf_data(&bytes), SLICE("it waits")));
	assert_int_equal(put_fact(&y, 1, 0, false, 0), 0);
	assert_int_equal(yard_books(&y).returned, 61);
	assert_int_equal(put_fact(&y, 1, 1, true, 0), 0);
	assert_int_equal(waiting(&y), 0);
	assert_balanced(&y);
	buf_free(&bytes);
	yard_close(&y);
}

static void facts_that_a_consumer_has_not_read_are_kept(void **state UNUSED)
{
	struct yard y;

	yard_open(&y);
	assert_int_equal(spool_consumer_set(y.sp, SLICE("control"), 0), 0);
	assert_int_equal(put_mail(&y, 1, SLICE("a notice")), 0);
	assert_int_equal(put_fact(&y, 1, 0, true, 77), 0);
	fill(&y, 100, 40);
	assert_int_equal(spool_oldest(y.sp), 0);
	assert_int_equal(events(&y), 41);
	assert_int_equal(spool_consumer_set(y.sp, SLICE("control"), spool_durable(y.sp)), 0);
	yard_commit(&y);
	yard_commit(&y);
	assert_true(spool_oldest(y.sp) > 8192);
	yard_close(&y);
}

struct expected {
	struct late_fact f;
	unsigned n;
};

static int compare(void *arg, const struct event *e)
{
	struct expected *x = arg;
	const struct late_fact *f = e->late;

	if (!f)
		return 0;
	x->n++;
	assert_int_equal(e->kind, x->f.kind);
	assert_true(id_eq(e->job, yard_id(1)) && e->row == 0);
	assert_int_equal(e->tenant, 3);
	assert_true(status_eq(f->status, STATUS(5, 1, 1)) && f->flags == OUTCOME_HARD);
	assert_true(slice_eq(f->evidence, x->f.evidence) && slice_eq(f->host, x->f.host) &&
		    slice_eq(f->ip, x->f.ip) && slice_eq(f->to, x->f.to) &&
		    slice_eq(f->rcpt, x->f.rcpt) && slice_eq(f->class, x->f.class) &&
		    slice_eq(f->rule, x->f.rule) && slice_eq(f->report, x->f.report));
	return SPOOL_ENOUGH;
}

static void an_event_says_what_was_put_and_whose_it_is(void **state UNUSED)
{
	struct yard y;
	struct expected x = { .f = fact(1, 0, false, 5) };
	OWNED_MEM char *report = must_alloc(100000);
	lsn_t at;
	job_no job;

	yard_open(&y);
	assert_int_equal(yard_put(&y, 1, 1, true, &job), 0);
	assert_int_equal(put_mail(&y, 1, SLICE("a report")), 0);
	memset(report, 'r', 100000);
	x.f.report = slice_of(report, 100000);
	x.f.kind = LATE_DMARC;
	assert_int_equal(spool_put_late(y.sp, &x.f, 1, &at), 0);
	yard_commit(&y);
	assert_int_equal(spool_durable(y.sp), at);
	assert_true(yard_books(&y).log_bytes < 4096); /* it was packed */
	assert_int_equal(spool_events(y.sp, 0, 100, compare, &x, &at), 0);
	assert_int_equal(x.n, 1);
	assert_string_equal(spool_event_name(x.f.kind), "dmarc-report");
	yard_close(&y);
}

static void texts_are_cut_and_what_is_too_large_is_refused(void **state UNUSED)
{
	struct yard y;
	struct late_fact f = fact(1, 0, true, 0);
	OWNED_MEM char *large = must_alloc(LATE_REPORT_MAX + 1);
	struct expected x;
	lsn_t at;
	job_no job;

	yard_open(&y);
	assert_int_equal(yard_put(&y, 1, 1, true, &job), 0);
	assert_int_equal(put_mail(&y, 1, SLICE("a report")), 0);
	f.report = slice_of(large, LATE_REPORT_MAX + 1);
	assert_int_equal(spool_put_late(y.sp, &f, 1, &at), E_LIMIT);
	f.report.n = 0;
	f.kind = LATE_END;
	assert_int_equal(spool_put_late(y.sp, &f, 1, &at), -EINVAL);
	f.kind = LATE_DSN;
	f.evidence = slice_of(large, LATE_EVIDENCE_MAX + 1);
	assert_int_equal(spool_put_late(y.sp, &f, 1, &at), 0);
	yard_commit(&y);
	x = (struct expected){ .f = f };
	x.f.evidence.n = LATE_EVIDENCE_MAX;
	assert_int_equal(spool_events(y.sp, 0, 100, compare, &x, &at), 0);
	assert_int_equal(x.n, 1);
	yard_close(&y);
}

static void what_waits_is_given_in_the_order_in_which_it_came(void **state UNUSED)
{
	struct yard y;
	struct id128 ids[8];

	yard_open(&y);
	for (uint64_t n = 1; n < 6; n++)
		assert_int_equal(put_mail(&y, n, SLICE("a notice")), 0);
	assert_int_equal(put_fact(&y, 3, 0, true, 0), 0);
	yard_again(&y);
	assert_int_equal(spool_late_mails(y.sp, ids, 8), 4);
	assert_true(ids[0].lo == 1 && ids[1].lo == 2 && ids[2].lo == 4 && ids[3].lo == 5);
	assert_int_equal(spool_late_mails(y.sp, ids, 3), 3);
	yard_close(&y);
}

static void a_set_of_keys_forgets_its_oldest_half_only(void **state UNUSED)
{
	struct keys_seen k = { .young = { NULL, 0, 0 } };
	OWNED_MEM uint64_t *all = must_alloc(3 * (size_t)KEYS_SEEN_MAX * sizeof(*all));

	for (uint64_t i = 1; i <= 2 * (uint64_t)KEYS_SEEN_MAX + 1; i++)
		keys_seen_add(&k, i * 0x9e3779b97f4a7c15);
	assert_false(keys_seen_has(&k, 0x9e3779b97f4a7c15));
	assert_false(keys_seen_has(&k, 0));
	for (uint64_t i = KEYS_SEEN_MAX + 1; i <= 2 * (uint64_t)KEYS_SEEN_MAX + 1; i++)
		assert_true(keys_seen_has(&k, i * 0x9e3779b97f4a7c15));
	assert_int_equal(keys_seen_list(&k, UINT32_MAX, all), KEYS_SEEN_MAX + 1);
	assert_int_equal(keys_seen_list(&k, 3, all), 3);
	assert_int_equal(all[0], (2 * (uint64_t)KEYS_SEEN_MAX + 1) * 0x9e3779b97f4a7c15);
	keys_seen_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_is_owed_until_its_last_fact),
		cmocka_unit_test(the_same_fact_counts_once_also_after_a_restart),
		cmocka_unit_test(totals_and_keys_outlive_the_segments_they_stood_in),
		cmocka_unit_test(a_mail_that_waits_is_copied_with_what_is_known_of_it),
		cmocka_unit_test(facts_that_a_consumer_has_not_read_are_kept),
		cmocka_unit_test(an_event_says_what_was_put_and_whose_it_is),
		cmocka_unit_test(texts_are_cut_and_what_is_too_large_is_refused),
		cmocka_unit_test(what_waits_is_given_in_the_order_in_which_it_came),
		cmocka_unit_test(a_set_of_keys_forgets_its_oldest_half_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
