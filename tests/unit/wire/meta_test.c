/* tests/unit/wire/meta_test.c - metas of contents and jobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema/wire/meta.h"

static void metas_come_back_as_they_were_put(void **state)
{
	struct wire_content_meta content = { .program = true,
					     .utf8 = true,
					     .sign_domain = SLICE("a.example") },
				 c;
	struct wire_job_meta job = { .mail_from = SLICE("b+1@a.example"),
				     .pool = SLICE("warm"),
				     .message_id_domain = SLICE("a.example"),
				     .origin = SLICE("control"),
				     .stream = SLICE("receipts"),
				     .tag = SLICE("order"),
				     .metadata = SLICE("{\"n\":1}"),
				     .envid = SLICE("QQ314159"),
				     .return_headers = true,
				     .return_full = true,
				     .require_tls = true,
				     .engaged = true,
				     .date_ms = -1,
				     .not_before_ms = 7 },
			     j;
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(wire_content_meta_put(&b, &content), 0);
	assert_int_equal(wire_content_meta_get(buf_data(&b), &c), 0);
	assert_true(c.program && c.utf8 && !c.body_8bit);
	assert_true(slice_eq(c.sign_domain, content.sign_domain));
	buf_clear(&b);
	assert_int_equal(wire_job_meta_put(&b, &job), 0);
	assert_int_equal(wire_job_meta_get(buf_data(&b), &j), 0);
	assert_true(slice_eq(j.mail_from, job.mail_from));
	assert_true(slice_eq(j.pool, job.pool));
	assert_true(slice_eq(j.message_id_domain, job.message_id_domain));
	assert_true(slice_eq(j.origin, job.origin));
	assert_true(slice_eq(j.stream, job.stream));
	assert_true(slice_eq(j.tag, job.tag));
	assert_true(slice_eq(j.metadata, job.metadata));
	assert_true(slice_eq(j.envid, job.envid));
	assert_true(j.return_headers && j.return_full && j.require_tls && j.engaged);
	assert_int_equal(j.date_ms, -1);
	assert_int_equal(j.not_before_ms, 7);
	buf_free(&b);
}

static void missing_keys_are_zero_and_unknown_ones_are_passed_over(void **state)
{
	struct wire_job_meta j;

	(void)state;
	assert_int_equal(wire_job_meta_get(SLICE("\x80"), &j), 0);
	assert_int_equal(j.mail_from.n, 0);
	assert_int_equal(wire_job_meta_get(SLICE("\x82\xa3new\x92\x01\x81\xa1k\xc0\xa1t\x05"), &j),
			 0);
	assert_int_equal(j.date_ms, 5);
}

static void wrong_types_trailing_bytes_and_cuts_are_refused(void **state)
{
	struct wire_job_meta j;
	struct slice whole = SLICE("\x82\xa1"
				   "f\xa3"
				   "a@b\xa1t\x05");

	(void)state;
	assert_int_equal(wire_job_meta_get(SLICE("\x81\xa1"
						 "f\x01"),
					   &j),
			 E_SYNTAX);
	assert_int_equal(wire_job_meta_get(SLICE("\x81\xa1"
						 "f\xa1"
						 "a\x01"),
					   &j),
			 E_SYNTAX);
	assert_int_equal(wire_job_meta_get(SLICE("\x90"), &j), E_SYNTAX);
	assert_int_equal(wire_job_meta_get(whole, &j), 0);
	for (size_t n = 0; n < whole.n; n++)
		assert_int_equal(wire_job_meta_get(slice_of(whole.p, n), &j), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metas_come_back_as_they_were_put),
		cmocka_unit_test(missing_keys_are_zero_and_unknown_ones_are_passed_over),
		cmocka_unit_test(wrong_types_trailing_bytes_and_cuts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
