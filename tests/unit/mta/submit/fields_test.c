/* Unit test of the fields that a message has for us alone: mta/submit/fields.h, in a real engine,
 * and the grammars behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mta/submit/fields.h"
#include "mta/submit/metadata.h"
#include "mta/submit/when.h"
#include "tests/unit/mta/smtpd/talk.h"
#include "tests/unit/mta/submit/submission.h"

static void a_moment_is_a_date_a_time_and_a_zone(void **state)
{
	static const struct {
		const char *text;
		int64_t at;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-20T16:32:38Z", 1795192358000 },
		{ "2026-11-20t17:32:38.999+01:00", 1795192358000 },
		{ "2026-11-20T12:02:38-04:30", 1795192358000 },
		{ "2028-02-29T00:00:00Z", 1835395200000 },
	};
	static const char *const bad[] = {
		"",
		"2026-11-20",
		"2026-11-20T16:32:38",
		"2026-11-20 16:32:38Z",
		"2026-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-11-20T24:00:00Z",
		"2026-11-20T16:32:38Zx",
		"2026-11-20T16:32:38.Z",
		"1969-12-31T23:59:59Z",
		"2026-11-20T16:32:38+25:00",
		"+026-11-20T16:32:38Z",
	};
	int64_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(when_parse(slice_str(good[i].text), &at), 0);
		assert_int_equal(at, good[i].at);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (when_parse(slice_str(bad[i]), &at) != E_SYNTAX)
			fail_msg("%s", bad[i]);
}

static void metadata_is_a_flat_object(void **state)
{
	static const char
	    *const good[] = { "{}", " { } ", "{\"a\":1}",
			      "{\"a\": \"x\\u00e9\\n\", \"b\":-1.5e+3,\"c\":true,\"d\":null}" },
		   *const bad[] = { "",
				    "{",
				    "[]",
				    "1",
				    "{\"a\"}",
				    "{\"a\":}",
				    "{a:1}",
				    "{\"a\":1,}",
				    "{\"a\":[1]}",
				    "{\"a\":{}}",
				    "{\"a\":01}",
				    "{\"a\":1}x",
				    "{\"a\":\"\x01\"}",
				    "{\"a\":\"\xff\"}",
				    "{\"a\":\"\\x\"}",
				    "{\"a\":1.}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!metadata_is_good(slice_str(good[i])))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (metadata_is_good(slice_str(bad[i])))
			fail_msg("%s", bad[i]);
}

static void sent_is(const char *header, const char *answer)
{
	char line[8192];
	int fd = submission_greeted();

	talk_expect(fd, "MAIL FROM:<s@shop.example>\r\n", "250");
	talk_expect(fd, "RCPT TO:<a@one.example>\r\n", "250");
	talk_expect(fd, "DATA\r\n", "354");
	(void)snprintf(line, sizeof(line), "%sSubject: x\r\n\r\nX-Postern-Tag: body\r\n.\r\n",
		       header);
	talk_expect(fd, line, answer);
	close(fd);
}

static void fields_are_read_and_leave(void **state)
{
	struct buf message = { 0 }, rows = { 0 }, cm_bytes = { 0 }, jm_bytes = { 0 };
	struct wire_content_meta cm;
	struct wire_job_meta jm;
	struct job_info info;
	struct box b;

	(void)state;
	box_start(&b, "submission.senders = shop.example 7 fast\n");
	sent_is("From: a@shop.example\r\nx-postern-stream: bulk\r\nX-Postern-Tag: a\r\n tag\r\nTo: "
		"b@c.example\r\n"
		"X-Postern-Metadata: {\"order\":\r\n\t17}\r\nX-Postern-Campaign: "
		"spring\r\nX-Postern-Pool: fast\r\nX-Postern-Engaged: Yes\r\n"
		"X-Postern-Send-At: 2026-01-01T00:00:00Z\r\nX-Postern-Ref: stays\r\n",
		"250 ");
	submission_only_job(&b, &message, &rows, &cm, &cm_bytes, &jm_bytes, &info);
	assert_int_equal(wire_job_meta_get(buf_data(&jm_bytes), &jm), 0);
	assert_true(slice_eq(jm.stream, SLICE("bulk")));
	assert_true(slice_eq(jm.tag, SLICE("a tag")));
	assert_true(slice_eq(jm.metadata, SLICE("{\"order\":\t17}")));
	assert_true(slice_eq(jm.pool, SLICE("fast")));
	assert_true(jm.engaged);
	assert_int_equal(jm.not_before_ms, 0); /* that moment has passed */
	assert_int_equal(info.class, CLASS_BULK);
	assert_int_equal(info.tenant, 7);
	assert_int_equal(info.campaign, submit_fields_campaign(7, SLICE("spring")));
	buf_put(&message, slice_of("", 1));
	assert_non_null(strstr(buf_data(&message).p, "From: a@shop.example\r\nTo: b@c.example\r\n"
						     "X-Postern-Ref: stays\r\nSubject: x\r\n\r\n"
						     "X-Postern-Tag: body\r\n"));
	buf_free(&message);
	buf_free(&rows);
	buf_free(&cm_bytes);
	buf_free(&jm_bytes);
	box_remove(&b);
}

static void mail_for_later_waits_and_lives_longer(void **state)
{
	struct buf message = { 0 }, rows = { 0 }, cm_bytes = { 0 }, jm_bytes = { 0 }, line = { 0 };
	int64_t at = (clock_wall_ms() / 1000 + 3600) * 1000;
	char text[40];
	struct wire_content_meta cm;
	struct wire_job_meta jm;
	struct job_info info;
	struct box b;

	(void)state;
	box_start(&b, "expire.after = 1d\n");
	buf_putf(&line, "X-Postern-Send-At: %s\r\n%c", clock_rfc3339(at, text), 0);
	sent_is(buf_data(&line).p, "250 ");
	submission_only_job(&b, &message, &rows, &cm, &cm_bytes, &jm_bytes, &info);
	assert_int_equal(wire_job_meta_get(buf_data(&jm_bytes), &jm), 0);
	assert_int_equal(jm.not_before_ms, at);
	assert_int_equal(info.expires_ms, at + 86400000);
	buf_free(&message);
	buf_free(&rows);
	buf_free(&cm_bytes);
	buf_free(&jm_bytes);
	buf_free(&line);
	box_remove(&b);
}

static void a_bad_field_refuses_the_message_and_is_named(void **state)
{
	static const char *const rows[][2] = {
		{ "X-Postern-Stream: a b\r\n", "554 5.6.0 X-Postern-Stream must hold a word" },
		{ "X-Postern-Stream:\r\n", "554 5.6.0 X-Postern-Stream " },
		{ "X-Postern-Tag: x\r\nX-Postern-Tag: x\r\n",
		  "554 5.6.0 X-Postern-Tag stands there more" },
		{ "X-Postern-Tag: \x01\r\n", "554 5.6.0 X-Postern-Tag " },
		{ "X-Postern-Metadata: [1]\r\n",
		  "554 5.6.0 X-Postern-Metadata must hold a flat JSON" },
		{ "X-Postern-Send-At: tomorrow\r\n",
		  "554 5.6.0 X-Postern-Send-At must hold a date" },
		{ "X-Postern-Send-At: 2099-01-01T00:00:00Z\r\n",
		  "554 5.6.0 X-Postern-Send-At is later" },
		{ "X-Postern-Pool: slow\r\n", "554 5.6.0 X-Postern-Pool names a pool that is not" },
		{ "X-Postern-Engaged: 1\r\n", "554 5.6.0 X-Postern-Engaged must hold yes or no" },
		{ "X-Postern-Campaign: 7/8\r\n", "554 5.6.0 X-Postern-Campaign " },
		{ "x-postern-Steam: bulk\r\n", "554 5.6.0 x-postern-Steam is no field known here" },
	};
	struct box b;

	(void)state;
	box_start(&b,
		  "submission.senders = shop.example 7 fast\nsubmission.check_senders = never\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		sent_is(rows[i][0], rows[i][1]);
	assert_int_equal(submission_accepted(&b), 0);
	box_remove(&b);
}

static void nobody_names_the_campaign_of_another(void **state)
{
	(void)state;
	assert_int_equal(submit_fields_campaign(7, SLICE("")), 0);
	assert_int_not_equal(submit_fields_campaign(7, SLICE("a")),
			     submit_fields_campaign(8, SLICE("a")));
	assert_int_not_equal(submit_fields_campaign(1, SLICE("1")),
			     submit_fields_campaign(11, SLICE("")));
	assert_true(submit_fields_campaign(7, SLICE("42")) >> 62 == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moment_is_a_date_a_time_and_a_zone),
		cmocka_unit_test(metadata_is_a_flat_object),
		cmocka_unit_test(fields_are_read_and_leave),
		cmocka_unit_test(mail_for_later_waits_and_lives_longer),
		cmocka_unit_test(a_bad_field_refuses_the_message_and_is_named),
		cmocka_unit_test(nobody_names_the_campaign_of_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
