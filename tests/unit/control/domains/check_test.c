/* control/domains/check: what DNS must say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "control/domains/private.h"

/* One expected record against the texts that a name carries. */
static enum sender_record_state judged(const char *kind, const char *value,
				       const char *const *texts, unsigned n)
{
	struct dns_record records[4] = { 0 };
	struct dns_answer answer = { .n = n, .records = records };
	struct sender_record r = { .query = DNS_TXT, .type = "TXT" };

	slice_copy(r.kind, sizeof(r.kind), slice_str(kind));
	r.value = must_copy(slice_str(value));
	for (unsigned i = 0; i < n; i++)
		records[i].data = slice_str(texts[i]);
	sender_record_judge(&r, 0, &answer);
	free(r.value);
	return r.state;
}
#define JUDGED(kind, value, ...)                                                                   \
	judged(kind, value, (const char *const[]){ __VA_ARGS__ },                                  \
	       sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void a_dkim_record_counts_by_its_key_not_its_spelling(void **state)
{
	const char *want = "v=DKIM1; k=rsa; p=AbC+d/c=";

	(void)state;
	assert_int_equal(JUDGED("dkim-rsa", want, "v=DKIM1; k=rsa; p=AbC+d/c="), RECORD_OK);
	assert_int_equal(JUDGED("dkim-rsa", want, "k = rsa;p= AbC +d/\tc= ; t=s"), RECORD_OK);
	assert_int_equal(JUDGED("dkim-rsa", want, "v=DKIM1; p=AbC+d/c="),
			 RECORD_OK); /* k=rsa is the default */
	assert_int_equal(JUDGED("dkim-rsa", want, "v=DKIM1; k=rsa; p=aBC+d/c="), RECORD_WRONG);
	assert_int_equal(JUDGED("dkim-rsa", want, "v=DKIM1; k=rsa; p="), RECORD_WRONG);
	assert_int_equal(JUDGED("dkim-rsa", want, "v=DKIM1; k=ed25519; p=AbC+d/c="), RECORD_WRONG);
	/* Verifiers refuse a record that does not allow our hash or mail, and what is no record. */
	assert_int_equal(JUDGED("dkim-rsa", want, "h=sha1:sha256; s=email; p=AbC+d/c="), RECORD_OK);
	assert_int_equal(JUDGED("dkim-rsa", want, "h=sha1; p=AbC+d/c="), RECORD_WRONG);
	assert_int_equal(JUDGED("dkim-rsa", want, "s=other; p=AbC+d/c="), RECORD_WRONG);
	assert_int_equal(JUDGED("dkim-rsa", want, "p=AbC+d/c=; v=DKIM1"), RECORD_WRONG);
	assert_int_equal(JUDGED("dkim-ed25519", "v=DKIM1; k=ed25519; p=eA==", "v=DKIM1; p=eA=="),
			 RECORD_WRONG);
}

static void two_dkim_records_at_one_name_are_wrong(void **state)
{
	(void)state;
	assert_int_equal(JUDGED("dkim-rsa", "v=DKIM1; k=rsa; p=eA==", "v=DKIM1; k=rsa; p=eA==",
				"v=DKIM1; k=rsa; p=eQ=="),
			 RECORD_WRONG);
}

static void ownership_is_one_text_among_others(void **state)
{
	const char *want = "postern-verify=abc";

	(void)state;
	assert_int_equal(JUDGED("ownership", want, "hello", "postern-verify=abc"), RECORD_OK);
	assert_int_equal(JUDGED("ownership", want, "postern-verify=other", "postern-verify=abc"),
			 RECORD_OK);
	assert_int_equal(JUDGED("ownership", want, "postern-verify=abcd"), RECORD_WRONG);
	assert_int_equal(JUDGED("ownership", want, "hello"), RECORD_MISSING);
}

static void spf_needs_each_of_our_mechanisms_in_the_one_record(void **state)
{
	const char *want = "v=spf1 ip4:192.0.2.1 include:x.example ~all";

	(void)state;
	assert_int_equal(JUDGED("spf", want, "v=spf1 include:x.example a ip4:192.0.2.1 -all"),
			 RECORD_OK);
	assert_int_equal(JUDGED("spf", want, "v=spf1 include:x.example -all"), RECORD_WRONG);
	assert_int_equal(
	    JUDGED("spf", want, "v=spf1 ip4:192.0.2.1 -all", "v=spf1 include:x.example -all"),
	    RECORD_WRONG);
	assert_int_equal(JUDGED("spf", want, "v=spf10 ip4:192.0.2.1 include:x.example"),
			 RECORD_MISSING);
}

static void any_one_dmarc_record_will_do(void **state)
{
	(void)state;
	assert_int_equal(
	    JUDGED("dmarc", "v=DMARC1; p=none", "v=DMARC1; p=reject; rua=mailto:x@y.example"),
	    RECORD_OK);
	assert_int_equal(JUDGED("dmarc", "v=DMARC1; p=none", "v=DMARC1;p=none", "v=DMARC1;p=none"),
			 RECORD_WRONG);
}

static void no_answer_is_neither_right_nor_missing(void **state)
{
	struct sender_record r = { .query = DNS_TXT, .required = true };

	(void)state;
	sender_record_judge(&r, E_DNS_TEMP, NULL);
	assert_int_equal(r.state, RECORD_NO_ANSWER);
	assert_false(sender_records_fulfilled(&r, 1));
	assert_false(sender_records_refuted(&r, 1));
	sender_record_judge(&r, E_DNS_NXDOMAIN, NULL);
	assert_int_equal(r.state, RECORD_MISSING);
	assert_true(sender_records_refuted(&r, 1));
}

static void what_strangers_publish_is_kept_printable_and_short(void **state)
{
	char big[4 * SEEN_MAX];
	struct dns_record record = { 0 };
	struct dns_answer answer = { .n = 1, .records = &record };
	struct sender_record r = { .query = DNS_TXT, .value = big };

	(void)state;
	memset(big, '\x1b', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	record.data = slice_str(big);
	sender_record_judge(&r, 0, &answer);
	assert_in_range(strlen(r.seen), 1, SEEN_MAX - 1);
	assert_null(strchr(r.seen, '\x1b'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dkim_record_counts_by_its_key_not_its_spelling),
		cmocka_unit_test(two_dkim_records_at_one_name_are_wrong),
		cmocka_unit_test(ownership_is_one_text_among_others),
		cmocka_unit_test(spf_needs_each_of_our_mechanisms_in_the_one_record),
		cmocka_unit_test(any_one_dmarc_record_will_do),
		cmocka_unit_test(no_answer_is_neither_right_nor_missing),
		cmocka_unit_test(what_strangers_publish_is_kept_printable_and_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
