/* tests/unit/spool/report_test.c - events as people and programs read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/json.h"
#include "spool/report.h"

static void reads(const struct event *e, const char *want)
{
	OWNED(tree) t = tree_new();
	struct buf json = { .max = 0 };

	report_event(tree_map(t), e);
	assert_int_equal(json_put(&json, tree_value(t)), 0);
	assert_string_equal(buf_cstr(&json), want);
	buf_free(&json);
}

static void an_acceptance_has_rows_and_an_outcome_a_row_with_all_that_is_known(void **state UNUSED)
{
	struct event e = { .lsn = 96,
			   .kind = EVENT_ACCEPTED,
			   .job = { 1, 2 },
			   .tenant = 3,
			   .campaign = 4,
			   .row = 5 };

	reads(&e, "{\"lsn\": 96, \"kind\": \"accepted\", \"job\": \"1.2\", \"tenant\": 3, "
		  "\"campaign\": 4, \"rows\": 5, \"at_ms\": 0}");
	e.kind = OUTCOME_DELIVERED;
	e.o = (struct outcome){ .kind = OUTCOME_DELIVERED,
				.attempt = 1,
				.code = 250,
				.status = STATUS(2, 1, 5),
				.at_ms = 7,
				.next_ms = 8,
				.flags = OUTCOME_TLS,
				.text = SLICE("ok"),
				.host = SLICE("mx.example"),
				.ip = SLICE("::1"),
				.source = SLICE("::2"),
				.rcpt = SLICE("a@b.example") };
	reads(&e, "{\"lsn\": 96, \"kind\": \"delivered\", \"job\": \"1.2\", \"tenant\": 3, "
		  "\"campaign\": 4, \"row\": 5, \"at_ms\": 7, \"rcpt\": \"a@b.example\", "
		  "\"attempt\": 1, \"code\": 250, \"dsn\": \"2.1.5\", \"text\": \"ok\", "
		  "\"host\": \"mx.example\", \"ip\": \"::1\", \"source\": \"::2\", \"tls\": true}");
	e.kind = e.o.kind = OUTCOME_DEFERRED;
	e.o = (struct outcome){ .kind = OUTCOME_DEFERRED, .attempt = 2, .next_ms = 9 };
	reads(&e, "{\"lsn\": 96, \"kind\": \"deferred\", \"job\": \"1.2\", \"tenant\": 3, "
		  "\"campaign\": 4, \"row\": 5, \"at_ms\": 0, \"rcpt\": \"\", \"attempt\": 2, "
		  "\"code\": 0, \"dsn\": \"0.0.0\", \"text\": \"\", \"host\": \"\", \"ip\": \"\", "
		  "\"source\": \"\", \"tls\": false, \"next_ms\": 9}");
}

static void an_outcome_of_a_session_says_how_it_travelled_and_how_long_it_took(void **state UNUSED)
{
	struct event e = { .kind = OUTCOME_DELIVERED };

	e.o = (struct outcome){ .kind = OUTCOME_DELIVERED,
				.flags = OUTCOME_TLS | OUTCOME_REUSED_CONNECTION,
				.tls = SLICE("TLSv1.3"),
				.cipher = SLICE("AES"),
				.policy = SLICE("dane"),
				.proof = SLICE("dane-ee"),
				.took = { true, 1, 2, 3, 4 } };
	reads(&e, "{\"lsn\": 0, \"kind\": \"delivered\", \"job\": \"0.0\", \"tenant\": 0, "
		  "\"campaign\": 0, \"row\": 0, \"at_ms\": 0, \"rcpt\": \"\", \"attempt\": 0, "
		  "\"code\": 0, \"dsn\": \"0.0.0\", \"text\": \"\", \"host\": \"\", \"ip\": \"\", "
		  "\"source\": \"\", \"tls\": true, \"tls_version\": \"TLSv1.3\", "
		  "\"tls_cipher\": \"AES\", \"tls_policy\": \"dane\", "
		  "\"tls_verified_by\": \"dane-ee\", \"reused\": true, \"dns_took_ms\": 1, "
		  "\"connect_took_ms\": 2, \"tls_took_ms\": 3, \"transaction_took_ms\": 4}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_outcome_of_a_session_says_how_it_travelled_and_how_long_it_took),
		cmocka_unit_test(
		    an_acceptance_has_rows_and_an_outcome_a_row_with_all_that_is_known),
	};

	return cmocka_run_group_tests_name("spool reports", tests, NULL, NULL);
}
