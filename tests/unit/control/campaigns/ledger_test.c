/* control/campaigns/ledger: what an event makes of a recipient. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "control/campaigns/ledger.h"
#include "control/engine/subject.h"
#include "spool/spool.h"

static struct link_event event_of(unsigned kind, uint16_t code, const char *dsn)
{
	return (struct link_event){ .kind = kind,
				    .code = code,
				    .dsn = slice_str(dsn),
				    .tenant = 3,
				    .campaign = 9,
				    .job = subject_job_of_piece(9, 5001),
				    .row = 7 };
}

static void the_wire_and_the_spool_use_the_same_numbers(void **state UNUSED)
{
	assert_int_equal(LINK_BULK, CLASS_BULK);
	assert_int_equal(LINK_TRANSACTIONAL, CLASS_TRANSACTIONAL);
	assert_int_equal(LINK_DELIVERED, OUTCOME_DELIVERED);
	assert_int_equal(LINK_BOUNCED, OUTCOME_BOUNCED);
	assert_int_equal(LINK_EXPIRED, OUTCOME_EXPIRED);
	assert_int_equal(LINK_CANCELLED, OUTCOME_CANCELLED);
	assert_int_equal(LINK_DEFERRED, OUTCOME_DEFERRED);
	assert_int_equal(LINK_ACCEPTED, EVENT_ACCEPTED);
	assert_int_equal(LINK_EVENT_TLS, OUTCOME_TLS);
	assert_int_equal(LINK_EVENT_SUPPRESSED, OUTCOME_SUPPRESSED);
}

static void each_outcome_has_its_state(void **state UNUSED)
{
	static const struct {
		unsigned kind, flags;
		enum ledger_state state;
	} rows[] = {
		{ LINK_DELIVERED, 0, LEDGER_DELIVERED },
		{ LINK_BOUNCED, 0, LEDGER_BOUNCED },
		{ LINK_EXPIRED, 0, LEDGER_EXPIRED },
		{ LINK_CANCELLED, 0, LEDGER_CANCELLED },
		{ LINK_CANCELLED, LINK_EVENT_SUPPRESSED, LEDGER_SUPPRESSED },
		{ LINK_DEFERRED, 0, LEDGER_DEFERRED },
		{ LINK_ACCEPTED, 0, 0 },
		{ 99, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct link_event e = event_of(rows[i].kind, 0, "");

		e.flags = (uint16_t)rows[i].flags;
		assert_int_equal(ledger_state_of(&e), rows[i].state);
	}
}

static bool no_mailbox(unsigned kind, unsigned flags, const char *dsn, const char *class)
{
	struct link_event e = event_of(kind, 550, dsn);

	e.flags = (uint16_t)flags;
	e.class = slice_str(class);
	return subject_has_no_mailbox(&e);
}

static void the_engine_says_whose_mailbox_is_gone(void **state UNUSED)
{
	assert_true(no_mailbox(LINK_BOUNCED, LINK_EVENT_HARD, "5.1.1", "invalid-recipient"));
	assert_true(no_mailbox(LINK_BOUNCED, LINK_EVENT_HARD | LINK_EVENT_TLS, "", "bad-domain"));
	assert_true(no_mailbox(LINK_BOUNCED, LINK_EVENT_TLS, "5.2.1", "inactive-mailbox"));
	assert_false(no_mailbox(LINK_BOUNCED, 0, "5.2.1", "rate-limited"));
	assert_false(no_mailbox(LINK_BOUNCED, 0, "5.2.10", "inactive-mailbox"));
	assert_false(no_mailbox(LINK_BOUNCED, 0, "", "inactive-mailbox"));
	assert_false(no_mailbox(LINK_BOUNCED, 0, "5.1.1", "quota"));
	assert_false(no_mailbox(LINK_BOUNCED, 0, "5.1.1", ""));
	assert_true(no_mailbox(LINK_RETURNED, LINK_EVENT_HARD, "5.1.1", "invalid-recipient"));
	assert_false(no_mailbox(LINK_RETURNED, 0, "5.2.2", "quota"));
	assert_false(no_mailbox(LINK_RETURNED_DELAY, LINK_EVENT_HARD, "4.1.1", ""));
	assert_false(no_mailbox(LINK_DEFERRED, LINK_EVENT_HARD, "5.1.1", "invalid-recipient"));
	assert_false(no_mailbox(LINK_EXPIRED, 0, "5.2.1", "inactive-mailbox"));
}

static void a_row_of_a_chunk_is_its_recipient(void **state UNUSED)
{
	struct link_event e = event_of(LINK_DELIVERED, 250, "");
	uint64_t campaign, seq;

	assert_true(subject_of_event(&e, &campaign, &seq));
	assert_int_equal(campaign, 9);
	assert_int_equal(seq, 5008);
	e.kind = LINK_ACCEPTED; /* its row is the number of rows */
	assert_true(subject_of_event(&e, &campaign, &seq));
	assert_int_equal(seq, 5001);
}

static void what_came_back_is_about_the_recipient_of_its_job(void **state UNUSED)
{
	struct link_event e = event_of(LINK_RETURNED, 550, "5.1.1");
	uint64_t number = 0, seq = 0;
	bool any = true;

	e.campaign = 0; /* the job has left the log */
	assert_true(subject_of_late(&e, &number, &seq, &any));
	assert_int_equal(number, 9);
	assert_int_equal(seq, 5008);
	assert_false(any);
	e.row = 0xffff;
	assert_true(subject_of_late(&e, &number, &seq, &any));
	assert_int_equal(seq, 5001);
	assert_true(any);
	e.job = subject_job_of_message(77);
	assert_true(subject_of_late(&e, &number, &seq, &any));
	assert_int_equal(number, 0);
	assert_int_equal(seq, 77);
	e = event_of(LINK_COMPLAINT, 0, "");
	e.campaign = 10; /* another's job */
	assert_false(subject_of_late(&e, &number, &seq, &any));
	e.campaign = 0;
	e.tenant = 0; /* nobody knows whose */
	assert_false(subject_of_late(&e, &number, &seq, &any));
}

static void what_came_back_of_submitted_mail_has_its_number(void **state UNUSED)
{
	struct link_event e = event_of(LINK_RETURNED, 550, "5.1.1");
	uint64_t number = 1, seq = 0, outcome = 1;
	bool any = true;

	e.job = (struct id128){ 0, 77 };
	e.campaign = 0;
	assert_true(subject_of_late(&e, &number, &seq, &any));
	assert_int_equal(number, 0);
	assert_true((int64_t)seq < 0);
	assert_false(any);
	e.kind = LINK_DELIVERED;
	assert_true(subject_of_event(&e, &number, &outcome));
	assert_int_equal(seq, outcome);
	e.kind = LINK_COMPLAINT;
	e.row = 0xffff; /* one of several recipients */
	assert_true(subject_of_late(&e, &number, &seq, &any));
	assert_true(any);
	e.tenant = 0;
	assert_false(subject_of_late(&e, &number, &seq, &any));
}

static void what_came_back_is_no_outcome(void **state UNUSED)
{
	for (unsigned kind = 0; kind < 64; kind++) {
		struct link_event e = event_of(kind, 550, "5.1.1");

		if (!subject_is_late(&e))
			continue;
		assert_in_range(kind, 32, 39);
		assert_false(subject_has_outcome(&e));
		assert_int_equal(ledger_state_of(&e), 0);
	}
}

static void a_single_message_is_told_from_a_campaign(void **state UNUSED)
{
	struct link_event e = event_of(LINK_DELIVERED, 250, "");
	uint64_t campaign, seq;

	e.campaign = 0;
	e.job = subject_job_of_message(77);
	assert_true(subject_of_event(&e, &campaign, &seq));
	assert_int_equal(campaign, 0);
	assert_int_equal(seq, 77);
}

static void submitted_mail_has_numbers_that_no_message_and_no_recipient_has(void **state UNUSED)
{
	struct link_event e = event_of(LINK_DELIVERED, 250, "");
	uint64_t campaign, seq;

	e.job = (struct id128){ 0, 77 };
	e.campaign = 5; /* what X-Postern-Campaign named */
	assert_true(subject_is_submitted(&e));
	assert_true(subject_of_event(&e, &campaign, &seq));
	assert_int_equal(campaign, 0);
	assert_true((int64_t)seq < 0);
	e.tenant = 0; /* a notice of ours, or nobody's in particular */
	assert_false(subject_of_event(&e, &campaign, &seq));
}

static void events_of_nobody_are_passed_over(void **state UNUSED)
{
	struct link_event e = event_of(LINK_DELIVERED, 250, "");
	uint64_t campaign, seq;

	e.tenant = 0; /* submitted by SMTP */
	assert_false(subject_of_event(&e, &campaign, &seq));
	e.tenant = 1ULL << 40;
	assert_false(subject_of_event(&e, &campaign, &seq));
	e = event_of(LINK_DELIVERED, 250, "");
	e.job = subject_job_of_piece(
	    8, 1); /* the job belongs to another campaign than the event says */
	assert_false(subject_of_event(&e, &campaign, &seq));
}

static void a_number_is_drawn_for_each_start_and_never_looks_like_an_older_one(void **state UNUSED)
{
	uint64_t a = subject_draw_number(), b = subject_draw_number();

	assert_true(a != b);
	for (int i = 0; i < 1000; i++) {
		struct link_event e = event_of(LINK_DELIVERED, 250, "");
		uint64_t number, seq;

		a = subject_draw_number();
		assert_true(a > UINT32_MAX &&
			    a <= INT64_MAX); /* not a campaign's, nor a message's */
		e.job = subject_job_of_piece(a, 1);
		e.campaign = a;
		assert_true(subject_of_event(&e, &number, &seq));
		assert_int_equal(number, a);
	}
}

static void a_content_is_named_by_its_bytes(void **state UNUSED)
{
	struct id128 id = subject_content(SLICE("meta"), SLICE("bytes"));

	assert_true(id_eq(id, subject_content(SLICE("meta"), SLICE("bytes"))));
	assert_false(id_eq(id, subject_content(SLICE("meta"), SLICE("byteS"))));
	assert_false(id_eq(id, subject_content(SLICE("metab"), SLICE("ytes"))));
	assert_true(subject_content(SLICE(""), SLICE("")).hi != 0); /* those are the engine's */
}

static void a_cancel_for_an_erased_contact_says_so(void **state UNUSED)
{
	struct link_event e = event_of(LINK_CANCELLED, 0, "");

	e.text = SLICE("rcpt/9.1:7: contact deleted");
	assert_true(subject_was_deleted(&e));
	assert_int_equal(ledger_reason_of(&e), REASON_CONTACT_GONE);
	e.text = SLICE("campaign/9: cancelled");
	assert_false(subject_was_deleted(&e));
	assert_int_equal(ledger_reason_of(&e), REASON_CAMPAIGN);
	e.text = SLICE("rcpt/9.1:7: contact deleted");
	e.kind = LINK_BOUNCED;
	assert_false(subject_was_deleted(&e));
}

static void every_state_has_a_word_that_leads_back(void **state UNUSED)
{
	for (int i = 1; i < LEDGER_STATES; i++)
		assert_int_equal(ledger_state_parse(slice_str(ledger_state_name(i))), i);
	assert_int_equal(ledger_state_parse(SLICE("")), 0);
	assert_int_equal(ledger_state_parse(SLICE("nonsense")), 0);
	assert_string_equal(ledger_state_name(99), "");
	assert_string_equal(campaign_status_name(CAMPAIGN_PAUSED), "paused");
	assert_string_equal(campaign_status_name(-1), "");
	assert_string_equal(campaign_unfit_name(UNFIT_HELD), "nobody_to_send_to");
	assert_null(campaign_unfit_name(UNFIT_NO));
	assert_null(campaign_unfit_name(99));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wire_and_the_spool_use_the_same_numbers),
		cmocka_unit_test(each_outcome_has_its_state),
		cmocka_unit_test(the_engine_says_whose_mailbox_is_gone),
		cmocka_unit_test(a_row_of_a_chunk_is_its_recipient),
		cmocka_unit_test(what_came_back_is_about_the_recipient_of_its_job),
		cmocka_unit_test(what_came_back_of_submitted_mail_has_its_number),
		cmocka_unit_test(what_came_back_is_no_outcome),
		cmocka_unit_test(a_single_message_is_told_from_a_campaign),
		cmocka_unit_test(submitted_mail_has_numbers_that_no_message_and_no_recipient_has),
		cmocka_unit_test(events_of_nobody_are_passed_over),
		cmocka_unit_test(
		    a_number_is_drawn_for_each_start_and_never_looks_like_an_older_one),
		cmocka_unit_test(a_content_is_named_by_its_bytes),
		cmocka_unit_test(a_cancel_for_an_erased_contact_says_so),
		cmocka_unit_test(every_state_has_a_word_that_leads_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
