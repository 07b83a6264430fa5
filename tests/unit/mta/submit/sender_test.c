/* Who may submit as whom and to whom, in a real engine without a control plane, and with facts that
 * come over the link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mta/senders/address.h"
#include "mta/submit/submit.h"
#include "schema/wire/meta.h"
#include "tests/unit/mta/link/speak.h"
#include "tests/unit/mta/smtpd/talk.h"

#define SENDERS "submission.senders = shop.example 7 fast, news.example 8, ours.example\n"
static const char *const foreign = "550 5.7.1 ";

static int order(struct framed *c, enum link_facts_step step, struct slice facts)
{
	static uint64_t request = 10;
	struct link_frame f = { .type = LINK_FACTS,
				.request = ++request,
				.facts = { (uint8_t)step, facts } };

	framed_send(c, &f);
	assert_true(framed_next(c, &f));
	assert_int_equal(f.request, request);
	return f.type == LINK_ACK ? 0 : f.error.code;
}

static void greet(struct framed *c, struct box *b)
{
	framed_open(c, b, "link.sock");
	(void)speak_hello(c, "");
}

/* An engine that was told that the control plane knows of nobody. */
static void start(struct box *b, const char *extra)
{
	struct framed c;

	box_start(b, extra);
	greet(&c, b);
	assert_int_equal(order(&c, LINK_FACTS_BEGIN, SLICE("")), 0);
	assert_int_equal(order(&c, LINK_FACTS_END, SLICE("")), 0);
	framed_close(&c);
}

static void mail_is(const char *from, const char *answer)
{
	char line[256];
	int fd = talk_greeted(2525, NULL);

	(void)snprintf(line, sizeof(line), "MAIL FROM:<%s>\r\n", from);
	talk_expect(fd, line, answer);
	close(fd);
}

static void message_is(const char *from, const char *header, const char *answer)
{
	char line[1024];
	int fd = talk_greeted(2525, NULL);

	(void)snprintf(line, sizeof(line), "MAIL FROM:<%s>\r\nRCPT TO:<a@one.example>\r\nDATA\r\n",
		       from);
	talk_say(fd, line);
	(void)talk_hear(fd, 3);
	(void)snprintf(line, sizeof(line), "%s\r\nx\r\n.\r\n", header);
	talk_expect(fd, line, answer);
	close(fd);
}

static void without_senders_any_may_be_used(void **state)
{
	struct box b;

	(void)state;
	box_start(&b, NULL);
	message_is("s@any.example", "From: x@other.example\r\n", "250 ");
	box_remove(&b);
	start(&b, "submission.check_senders = always\n");
	mail_is("s@any.example", foreign);
	box_remove(&b);
	start(&b, "submission.check_senders = never\n" SENDERS);
	message_is("s@any.example", "From: x@other.example\r\n", "250 ");
	box_remove(&b);
}

/* Mail that may turn out to be fine is not refused for good. */
static void until_the_control_plane_has_spoken_a_stranger_is_asked_to_come_again(void **state)
{
	struct box b;

	(void)state;
	box_start(&b, "submission.check_senders = always\nsubmission.senders = shop.example\n");
	mail_is("s@any.example", "451 4.7.1 MAIL FROM: any.example is not known");
	message_is("s@shop.example", "From: x@any.example\r\n", "451 4.7.1 From: ");
	message_is("s@shop.example", "From: x@shop.example\r\n", "250 ");
	box_remove(&b);
}

static void the_envelope_and_every_author_must_be_one_tenants(void **state)
{
	static const struct {
		const char *from, *header;
		bool fine;
	} rows[] = {
		{ "s@shop.example", "From: Shop <a@Shop.Example>\r\n", true },
		{ "b@bounces.shop.example", "From: a@shop.example, b@mail.shop.example\r\n", true },
		{ "s@shop.example", "From: a@ours.example\r\nSender: b@shop.example\r\n", true },
		{ "s@ours.example", "From: a@news.example\r\n", true },
		{ "", "From: a@news.example\r\n", true },
		{ "s@shop.example", "From: ceo@bank.example\r\n", false },
		{ "s@shop.example", "From: \"a@shop.example\" <ceo@bank.example>\r\n", false },
		{ "s@shop.example", "From: a@shop.example,\r\n ceo@bank.example\r\n", false },
		{ "s@shop.example", "From: team: a@shop.example, ceo@bank.example;\r\n", false },
		{ "s@shop.example", "From: a@shop.example (,) <ceo@bank.example>\r\n", false },
		{ "s@shop.example", "From: undisclosed:;\r\n", false },
		{ "s@shop.example", "From: nobody\r\n", false },
		{ "s@shop.example", "From: a@shop.example\r\nSender: ceo@bank.example\r\n", false },
		{ "s@shop.example", "Subject: no author\r\n", false },
		{ "s@shop.example", "From: a@news.example\r\n", false }, /* of another tenant */
		{ "s@ours.example", "From: a@news.example, b@shop.example\r\n", false },
		{ "", "From: ceo@bank.example\r\n", false },
	};
	struct box b;

	(void)state;
	start(&b, SENDERS);
	mail_is("s@bank.example", "550 5.7.1 MAIL FROM: bank.example is not a sender domain");
	mail_is("s@notshop.example", foreign);
	mail_is("s@example", foreign);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		message_is(rows[i].from, rows[i].header, rows[i].fine ? "250 " : foreign);
	box_remove(&b);
}

static void a_bound_network_speaks_for_its_tenant_alone(void **state)
{
	struct box b;

	(void)state;
	start(&b, SENDERS "submission.tenants = 127.0.0.0/8 7\n");
	mail_is("s@news.example", foreign);
	message_is("s@shop.example", "From: a@ours.example\r\n", "250 ");
	message_is("", "From: a@news.example\r\n", foreign);
	box_remove(&b);
}

static void a_message_belongs_to_its_senders_tenant_and_pool(void **state)
{
	struct buf meta = { 0 }, rows = { 0 };
	struct wire_job_meta jm;
	struct job_info info;
	uint64_t cursor = 0;
	struct spool *sp;
	struct box b;
	job_no job;

	(void)state;
	start(&b, SENDERS);
	message_is("", "From: a@shop.example\r\n", "250 ");
	sp = engine_spool(b.engine);
	assert_int_equal(spool_next_job(sp, &cursor, &job), 0);
	assert_int_equal(spool_job_info(sp, job, &info), 0);
	assert_int_equal(info.tenant, 7);
	assert_int_equal(spool_read_job(sp, job, &meta, &rows), 0);
	assert_int_equal(wire_job_meta_get(buf_data(&meta), &jm), 0);
	assert_true(slice_eq(jm.pool, SLICE("fast")));
	box_remove(&b);
	buf_free(&meta);
	buf_free(&rows);
}

/* ---- suppressed recipients --------------------------------------------------------------- */

static void rcpt_is(const char *from, const char *to, const char *answer)
{
	char line[256];
	int fd = talk_greeted(2525, NULL);

	(void)snprintf(line, sizeof(line), "MAIL FROM:<%s>\r\n", from);
	talk_expect(fd, line, "250 ");
	(void)snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", to);
	talk_expect(fd, line, answer);
	close(fd);
}

static void the_operators_list_holds_for_everybody(void **state)
{
	char path[] = "/tmp/postern-list.XXXXXX", extra[128];
	int fd = mkstemp(path);
	struct box b;

	(void)state;
	assert_int_equal(write(fd, "gone@x.example\nleft@x.example bulk\n", 35), 35);
	close(fd);
	(void)snprintf(extra, sizeof(extra), "submission.suppressions = %s\n", path);
	box_start(&b, extra);
	rcpt_is("any@any.example", "Gone@X.example", "550 5.7.1 this recipient is suppressed");
	rcpt_is("", "\"gone\"@x.example", "550 5.7.1 ");
	rcpt_is("any@any.example", "left@x.example", "250 ");
	box_remove(&b);
	unlink(path);
}

static void put_stop(struct buf *out, enum wire_fact_kind kind, uint64_t tenant,
		     const char *address)
{
	struct wire_fact f = { .kind = kind, .tenant = tenant };

	assert_int_equal(senders_address_hash(slice_str(address), f.hash), 0);
	assert_int_equal(wire_fact_put(out, &f), 0);
}

static void put_sender(struct buf *out, uint64_t tenant, const char *domain)
{
	struct wire_fact f = { .kind = WIRE_FACT_SENDER,
			       .tenant = tenant,
			       .domain = slice_str(domain),
			       .pool = SLICE("") };

	assert_int_equal(wire_fact_put(out, &f), 0);
}

static void feed(struct framed *c)
{
	struct buf facts = { 0 };

	assert_int_equal(order(c, LINK_FACTS_BEGIN, SLICE("")), 0);
	put_sender(&facts, 3, "one.example");
	put_sender(&facts, 4, "two.example");
	assert_int_equal(order(c, LINK_FACTS_MORE, buf_data(&facts)), 0);
	buf_clear(&facts);
	put_stop(&facts, WIRE_FACT_STOPS_ALL, 3, "gone@x.example");
	put_stop(&facts, WIRE_FACT_STOPS_BULK, 3, "left@x.example");
	assert_int_equal(order(c, LINK_FACTS_MORE, buf_data(&facts)), 0);
	rcpt_is("a@one.example", "gone@x.example", "250 "); /* not before its end */
	assert_int_equal(order(c, LINK_FACTS_END, SLICE("")), 0);
	buf_free(&facts);
}

static void what_the_control_plane_says_holds_at_once_and_after_a_restart(void **state)
{
	struct buf facts = { 0 };
	struct framed c;
	struct box b;

	(void)state;
	box_start(&b, NULL);
	greet(&c, &b);
	put_stop(&facts, WIRE_FACT_STOPS_NONE, 3, "gone@x.example");
	assert_int_equal(order(&c, LINK_FACTS_CHANGE, buf_data(&facts)), E_CONFLICT);
	feed(&c);
	mail_is("a@other.example", foreign);
	rcpt_is("a@one.example", "gone@x.example", "550 5.7.1 ");
	rcpt_is("a@one.example", "left@x.example", "250 ");
	rcpt_is("a@two.example", "gone@x.example", "250 ");
	assert_int_equal(order(&c, LINK_FACTS_CHANGE, buf_data(&facts)), 0);
	rcpt_is("a@one.example", "gone@x.example", "250 ");
	buf_clear(&facts);
	put_stop(&facts, WIRE_FACT_STOPS_ALL, 4, "gone@x.example");
	assert_int_equal(order(&c, LINK_FACTS_CHANGE, buf_data(&facts)), 0);
	framed_close(&c);
	box_stop(&b);
	box_start_again(&b, NULL);
	mail_is("a@other.example", foreign);
	rcpt_is("a@one.example", "gone@x.example", "250 ");
	rcpt_is("a@two.example", "gone@x.example", "550 5.7.1 ");
	box_remove(&b);
	buf_free(&facts);
}

static void many_stops(struct framed *c, enum wire_fact_kind kind)
{
	struct wire_fact f = { .kind = kind, .tenant = 3 };
	struct buf facts = { 0 };

	for (uint32_t i = 1; i <= 40000; i++) {
		memcpy(f.hash, &i, sizeof(i));
		assert_int_equal(wire_fact_put(&facts, &f), 0);
	}
	assert_int_equal(order(c, LINK_FACTS_CHANGE, buf_data(&facts)), 0);
	buf_free(&facts);
}

static void a_file_that_is_mostly_changes_is_written_anew(void **state)
{
	struct framed c;
	struct stat st;
	char path[128];
	struct box b;

	(void)state;
	box_start(&b, NULL);
	greet(&c, &b);
	feed(&c);
	(void)snprintf(path, sizeof(path), "%s/spool/senders", b.dir);
	many_stops(&c, WIRE_FACT_STOPS_ALL);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 1000000);
	many_stops(&c, WIRE_FACT_STOPS_NONE);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 1000);
	framed_close(&c);
	box_stop(&b);
	box_start_again(&b, NULL);
	rcpt_is("a@one.example", "gone@x.example", "550 5.7.1 ");
	rcpt_is("a@one.example", "other@x.example", "250 ");
	box_remove(&b);
}

static void a_change_that_is_damaged_changes_nothing(void **state)
{
	struct buf facts = { 0 };
	struct framed c;
	struct box b;

	(void)state;
	box_start(&b, NULL);
	greet(&c, &b);
	feed(&c);
	put_stop(&facts, WIRE_FACT_STOPS_ALL, 3, "left@x.example");
	buf_put(&facts, SLICE("\x03half"));
	assert_int_equal(order(&c, LINK_FACTS_CHANGE, buf_data(&facts)), E_SYNTAX);
	rcpt_is("a@one.example", "left@x.example", "250 ");
	assert_int_equal(order(&c, (enum link_facts_step)9, SLICE("")), E_SYNTAX);
	assert_int_equal(order(&c, LINK_FACTS_MORE, SLICE("")), E_CONFLICT);
	assert_int_equal(order(&c, LINK_FACTS_END, SLICE("")), E_CONFLICT);
	assert_int_equal(order(&c, LINK_FACTS_EQUAL, SLICE("")), E_CONFLICT);
	framed_close(&c);
	box_remove(&b);
	buf_free(&facts);
}

/* Suppressions of a version that kept them as rules of the spool hold until a whole set comes. */
static void old_suppressions_hold_until_there_are_new_ones(void **state)
{
	struct framed c;
	struct box b;
	lsn_t lsn;

	(void)state;
	box_start(&b, "submission.senders = one.example 3\n");
	/* sha256sum of "old@x.example" */
	assert_int_equal(spool_put_rule(engine_spool(b.engine),
					SLICE("suppress/3/"
					      "1544bb76d94c1334bbf4bb3eeee53664"),
					SLICE("1"), &lsn),
			 0);
	box_stop(&b);
	box_start_again(&b, "submission.senders = one.example 3\n");
	rcpt_is("a@one.example", "old@x.example", "550 5.7.1 ");
	greet(&c, &b);
	feed(&c);
	framed_close(&c);
	rcpt_is("a@one.example", "old@x.example", "250 ");
	box_stop(&b);
	box_start_again(&b, "submission.senders = one.example 3\n");
	rcpt_is("a@one.example", "old@x.example", "250 ");
	rcpt_is("a@one.example", "gone@x.example", "550 5.7.1 ");
	box_remove(&b);
}

static void offers(const char *from, const char *answer)
{
	char line[256];
	int fd = talk_greeted(2525, NULL);

	(void)snprintf(line, sizeof(line), "MAIL FROM:<%s>\r\n", from);
	talk_expect(fd, line, "250 ");
	talk_expect(fd, "RCPT TO:<u@other.example>\r\n", "250 ");
	talk_expect(fd, "DATA\r\n", "354 ");
	talk_expect(fd, "From: a@news.shop.example\r\n\r\nText\r\n.\r\n", answer);
	close(fd);
}

/* Notices of failures come from nobody, and nobody signs for them. */
static void where_signing_is_required_mail_that_nobody_signs_is_not_taken(void **state)
{
	struct box b;

	(void)state;
	box_start(&b, "sign.required = submission\n");
	offers("a@news.shop.example", "550 5.7.20 ");
	offers("", "250 ");
	box_stop(&b);
	box_remove(&b);
	box_start(&b, "sign.required = delivery\n");
	offers("a@news.shop.example", "250 ");
	box_stop(&b);
	box_remove(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_signing_is_required_mail_that_nobody_signs_is_not_taken),
		cmocka_unit_test(without_senders_any_may_be_used),
		cmocka_unit_test(
		    until_the_control_plane_has_spoken_a_stranger_is_asked_to_come_again),
		cmocka_unit_test(the_envelope_and_every_author_must_be_one_tenants),
		cmocka_unit_test(a_bound_network_speaks_for_its_tenant_alone),
		cmocka_unit_test(a_message_belongs_to_its_senders_tenant_and_pool),
		cmocka_unit_test(the_operators_list_holds_for_everybody),
		cmocka_unit_test(what_the_control_plane_says_holds_at_once_and_after_a_restart),
		cmocka_unit_test(a_file_that_is_mostly_changes_is_written_anew),
		cmocka_unit_test(a_change_that_is_damaged_changes_nothing),
		cmocka_unit_test(old_suppressions_hold_until_there_are_new_ones),
	};

	return cmocka_run_group_tests_name("mta_submit_sender", tests, NULL, NULL);
}
