/* Records at _smtp._tls: RFC 8460 section 3, with its examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/buf.h"
#include "mta/policy/reporting.h"

/* What is read of it, with a blank between addresses; "": it is none. */
static void assert_read(const char *record, const char *shown)
{
	char text[REPORTING_SHOWN_MAX];
	struct reporting r = { 0 };
	struct buf all = { 0 };

	if (reporting_parse(slice_str(record), &r) == 0)
		for (unsigned i = 0; i < r.n; i++)
			buf_putf(&all, "%s%s", i ? " " : "", reporting_show(&r.uris[i], text));
	if (strcmp(buf_cstr(&all), shown) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", record, buf_cstr(&all), shown);
	buf_free(&all);
}

static void a_record_is_what_the_grammar_says(void **unused)
{
	static const char *const rows[][2] = {
		/* The RFC's own. */
		{ "v=TLSRPTv1;rua=mailto:reports@example.com", "mailto:reports@example.com" },
		{ "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt",
		  "https://reporting.example.com/v1/tlsrpt" },
		{ "v=TLSRPTv1; rua=mailto:reports@example.com,https://r.example.com/t",
		  "mailto:reports@example.com https://r.example.com/t" },
		{ "v=TLSRPTv1 ;\trua=mailto:a@x.test \t, mailto:b@x.test ; x=y;",
		  "mailto:a@x.test mailto:b@x.test" },
		{ "v=TLSRPTv1; x=y; rua=mailto:a@x.test; rua=mailto:b@x.test", "mailto:a@x.test" },
		{ "v=TLSRPTv1; rua=MAILTO:a@x.test,HTTPS://X.test",
		  "mailto:a@x.test https://x.test/" },
		{ "v=TLSRPTv1; rua=mailto:a%2cb%40x.test?subject=%0d%0aBcc:c@x.test", "" },
		{ "v=TLSRPTv1; rua=mailto:a%2Bb@x.test?subject=Bcc", "mailto:a+b@x.test" },
		{ "v=TLSRPTv1; rua=ftp://x.test/,mailto:a@x.test", "mailto:a@x.test" },
		{ "v=TLSRPTv1; rua=https://x.test:8443/a?b=c#d", "https://x.test:8443/a?b=c" },
		{ "v=TLSRPTv1; rua=https://x.test?b", "https://x.test/?b" },
		{ "v=TLSRPTv1; rua=mailto:1@x.test,mailto:2@x.test,mailto:3@x.test,mailto:4@x.test,"
		  "mailto:5@x.test",
		  "mailto:1@x.test mailto:2@x.test mailto:3@x.test mailto:4@x.test" },
		/* None of them can be used. */
		{ "v=TLSRPTv1; rua=https://user:password@x.test/", "" },
		{ "v=TLSRPTv1; rua=https://127.0.0.1/", "" },
		{ "v=TLSRPTv1; rua=https://[::1]/", "" },
		{ "v=TLSRPTv1; rua=https://x.test:0/", "" },
		{ "v=TLSRPTv1; rua=https://x.test:65536/", "" },
		{ "v=TLSRPTv1; rua=https://x.test:8443:9/", "" },
		{ "v=TLSRPTv1; rua=https://x.test/a b", "" },
		{ "v=TLSRPTv1; rua=https://x.test/\x01", "" },
		{ "v=TLSRPTv1; rua=https:///path", "" },
		{ "v=TLSRPTv1; rua=http://x.test/", "" },
		{ "v=TLSRPTv1; rua=mailto:", "" },
		{ "v=TLSRPTv1; rua=mailto:a@localhost", "" },
		{ "v=TLSRPTv1; rua=mailto:a%0d%0aRCPT@x.test", "" },
		{ "v=TLSRPTv1; rua=mailto:a%4", "" },
		{ "v=TLSRPTv1; rua=mailto:%00@x.test", "" },
		/* And these are no records. */
		{ "v=TLSRPTv1", "" },
		{ "v=TLSRPTv1; rua", "" },
		{ "v=TLSRPTv1; =x; rua=mailto:a@x.test", "" },
		{ "v=TLSRPTv2; rua=mailto:a@x.test", "" },
		{ "v=tlsrptv1; rua=mailto:a@x.test", "" },
		{ "rua=mailto:a@x.test; v=TLSRPTv1", "" },
		{ "", "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_read(rows[i][0], rows[i][1]);
}

/* Section 3: others are discarded; two of this kind are none. */
static void exactly_one_record_counts(void **unused)
{
	const struct dns_record spf = { .data = SLICE("v=spf1 -all") };
	const struct dns_record one = { .data = SLICE("v=TLSRPTv1; rua=mailto:a@x.test") };
	const struct dns_record next = { .data = SLICE("v=TLSRPTv10; rua=mailto:a@x.test") };
	const struct dns_record some[] = { spf, one, next }, two[] = { one, spf, one };
	struct dns_answer a = { .n = 3, .records = some };
	struct reporting r;

	(void)unused;
	assert_int_equal(reporting_of(&a, &r), 0);
	assert_string_equal(r.uris[0].text, "a@x.test");
	a.records = two;
	assert_true(reporting_of(&a, &r) < 0);
	a.n = 0;
	assert_true(reporting_of(&a, &r) < 0);
}

static void a_long_address_is_left_out(void **unused)
{
	char record[1200] = "v=TLSRPTv1; rua=https://x.test/";
	struct reporting r;

	(void)unused;
	memset(record + strlen(record), 'a', 1000);
	assert_true(reporting_parse(slice_str(record), &r) < 0);
	record[400] = '\0';
	assert_int_equal(reporting_parse(slice_str(record), &r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_what_the_grammar_says),
		cmocka_unit_test(exactly_one_record_counts),
		cmocka_unit_test(a_long_address_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
