/* control/domains/check: what DNS must say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "control/domains/private.h"
#include "tests/unit/control/zone.h"

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

/* ---- a record asked for at s.test, against a zone ----------------------------------------- */

#define KEY "AbC+d/c="
#define OURS "192.0.2.9"

static enum sender_record_state asked(const char *kind, const char *spf, const char *zone,
				      struct sender_record *ret)
{
	struct domains_options options = { .spf_include = (char *)(uintptr_t)spf };
	struct zone z = { .text = slice_str(zone) };
	OWNED(inquiry) a = inquiry_new((struct inquiry_door){ zone_ask, &z });
	bool dkim = !strncmp(kind, "dkim", 4);

	memset(ret, 0, sizeof(*ret));
	ret->query = DNS_TXT;
	assert_non_null(kind);
	(void)slice_copy(ret->kind, sizeof(ret->kind), slice_str(kind));
	if (dkim)
		(void)slice_copy(ret->kind, sizeof(ret->kind), SLICE("dkim-rsa"));
	(void)snprintf(ret->name, sizeof(ret->name), "%ss.test",
		       dkim                     ? "sel._domainkey."
		       : !strcmp(kind, "dmarc") ? "_dmarc."
						: "");
	ret->value = must_copy(SLICE("v=DKIM1; k=rsa; p=" KEY));
	sender_record_check(a, &options, ret);
	free(ret->value);
	return ret->state;
}

/* clang-format off */
static const struct judged_case {
	const char *kind, *published;
	enum sender_record_state right;
	const char *more; /* the rest of DNS */
} cases[] = {
	{"dkim",  "v=DKIM2; k=rsa; p=" KEY, RECORD_WRONG, ""},
	{"dkim",  "v=DKIM1; h=sha1; k=rsa; p=" KEY, RECORD_WRONG, ""},
	{"dkim",  "v=DKIM1; s=other; k=rsa; p=" KEY, RECORD_WRONG, ""},
	{"dkim",  "v=DKIM1; k=rsa; p=" KEY "; p=AAAA", RECORD_WRONG, ""},
	{"dkim",  "v=DKIM1; h=sha256; k=rsa; s=email; p=" KEY, RECORD_OK, ""},
	{"dkim",  "v = DKIM1 ; k = rsa ; p = " KEY " ;", RECORD_OK, ""},
	{"dkim",  "k=rsa; k=rsa; p=" KEY, RECORD_WRONG, ""},
	{"dkim",  "v=dkim1; p=" KEY, RECORD_WRONG, ""},
	{"dkim",  "v=DKIM1; k=rsa; h=; p=" KEY, RECORD_WRONG, ""},
	{"dkim",  "v=DKIM1; k=rsa; h=sha1:sha256; s=other:*; t=y:s; n=x; p=" KEY, RECORD_OK, ""},
	{"spf",   "v=spf1 ip4:" OURS " -all", RECORD_OK, ""},
	{"spf",   "v=spf1 +ip4:" OURS " ~all", RECORD_OK, ""},
	{"spf",   "v=spf1 ip4:" OURS "/32 ~all", RECORD_OK, ""},
	{"spf",   "v=spf1 ip4:192.0.0.0/16 ~all", RECORD_OK, ""},
	{"spf",   "v=spf1 mx -all ip4:" OURS, RECORD_WRONG, ""},
	{"spf",   "v=spf1 ?ip4:" OURS " -all", RECORD_WRONG, ""},
	{"spf",   "v=spf1 ip4:" OURS " -al", RECORD_WRONG, ""},
	{"spf",   "v=spf1 -all", RECORD_WRONG, ""},
	{"spf",   "v=spf10 ip4:" OURS " -all", RECORD_MISSING, ""},
	{"spf",   "v=spf1 redirect=_spf.elsewhere.test", RECORD_OK,
	          "_spf.elsewhere.test TXT v=spf1 ip4:" OURS " -all\n"},
	{"spf",   "v=spf1 include:a.test -all", RECORD_OK,
	          "a.test TXT v=spf1 include:b.test\nb.test TXT v=spf1 ip4:" OURS "\n"},
	{"spf",   "v=spf1 include:a.test include:a.test include:a.test include:a.test include:a.test include:a.test"
	          " include:a.test include:a.test include:a.test include:a.test include:a.test ip4:" OURS " -all",
	          RECORD_WRONG, "a.test TXT v=spf1 -all\n"},
	{"spf",   "v=spf1 ip4:" OURS " -all", RECORD_WRONG, "s.test TXT v=spf1 ip4:" OURS " -all\n"},
	{"spf",   "v=spf1 include:a.test -all", RECORD_NO_ANSWER, "a.test TXT !\n"},
	{"dmarc", "v=DMARC1; p=quarantene", RECORD_WRONG, ""},
	{"dmarc", "v=DMARC1; rua=mailto:a@b.test", RECORD_WRONG, ""},
	{"dmarc", "v=DMARC1", RECORD_WRONG, ""},
	{"dmarc", "v=dmarc1; p=none", RECORD_MISSING, ""},
	{"dmarc", "v = DMARC1 ; p = none", RECORD_OK, ""},
	{"dmarc", "v=DMARC1;p=reject;x=y", RECORD_OK, ""},
	{"dmarc", "v=DMARC1;p=none", RECORD_WRONG, "_dmarc.s.test TXT v=DMARC1;p=none\n"},
	{"dmarc", "hello", RECORD_OK, "_dmarc.test TXT v=DMARC1; p=none; psd=y\n"},
	{"dmarc", "hello", RECORD_NO_ANSWER, "_dmarc.test TXT !\n"},
};
/* clang-format on */

static void each_record_is_judged_as_verifiers_would(void **state UNUSED)
{
	struct sender_record r;
	char zone[2048];

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		const struct judged_case *c = &cases[i];
		const char *label = !strcmp(c->kind, "dkim")    ? "sel._domainkey."
				    : !strcmp(c->kind, "dmarc") ? "_dmarc."
								: "";

		(void)snprintf(zone, sizeof(zone), "%ss.test TXT %s\n%s", label, c->published,
			       c->more);
		if (asked(c->kind, "ip4:" OURS, zone, &r) != c->right)
			fail_msg("%s \"%s\" is %d, not %d: %s", c->kind, c->published, r.state,
				 c->right, r.why);
		if (r.state == RECORD_WRONG && !r.why[0])
			fail_msg("%s \"%s\" is wrong without a reason", c->kind, c->published);
	}
}

static void what_decided_is_said(void **state UNUSED)
{
	struct sender_record r;

	(void)asked("spf", "ip4:" OURS, "s.test TXT v=spf1 mx -all ip4:" OURS "\n", &r);
	assert_string_equal(r.why, OURS ": fail, -all of s.test");
	assert_string_equal(r.seen, "v=spf1 mx -all ip4:" OURS);
	(void)asked("spf", "ip4:" OURS " ip4:192.0.2.8",
		    "s.test TXT v=spf1 +ip4:192.0.2.8/31 -all\n", &r);
	assert_string_equal(r.why, OURS ": pass, +ip4:192.0.2.8/31 of s.test; "
					"192.0.2.8: pass, +ip4:192.0.2.8/31 of s.test");
	(void)asked("dmarc", "", "_dmarc.test TXT v=DMARC1; p=reject; psd=n\n", &r);
	assert_string_equal(r.why, "found at _dmarc.test: p=reject counts");
	assert_string_equal(r.seen, "v=DMARC1; p=reject; psd=n");
	(void)asked("dmarc", "", "_dmarc.s.test TXT v=dmarc1; p=none\n", &r);
	assert_string_equal(r.seen, "v=dmarc1; p=none");
	(void)asked("dkim", "", "sel._domainkey.s.test TXT v=DKIM1; p=\n", &r);
	assert_string_equal(r.why, "the key is revoked: p= is empty");
}

/* A question is asked once, no more than INQUIRY_MOST are, and none after the time is up. */
static void the_questions_of_a_check_are_bounded(void **state UNUSED)
{
	struct zone z = { .text = SLICE("s.test A 192.0.2.1\n") };
	OWNED(inquiry) a = inquiry_new((struct inquiry_door){ zone_ask, &z });
	const struct dns_answer *answer = NULL;
	char name[32];

	assert_int_equal(inquiry_ask(a, SLICE("s.test"), DNS_A, &answer), 0);
	assert_int_equal(inquiry_ask(a, SLICE("S.Test."), DNS_A, &answer), 0);
	assert_int_equal(answer->n, 1);
	assert_int_equal(inquiry_ask(a, SLICE("a..b"), DNS_A, &answer), E_SYNTAX);
	assert_int_equal(z.asked, 1);
	for (unsigned i = 1; i < INQUIRY_MOST; i++) {
		(void)snprintf(name, sizeof(name), "n%u.test", i);
		assert_int_equal(inquiry_ask(a, slice_str(name), DNS_A, &answer), E_DNS_NXDOMAIN);
	}
	assert_int_equal(inquiry_ask(a, SLICE("more.test"), DNS_A, &answer), E_DNS_TEMP);
	assert_int_equal(inquiry_ask(a, SLICE("s.test"), DNS_A, &answer), 0);
	assert_int_equal(z.asked, INQUIRY_MOST);
	assert_int_equal(inquiry_asked(a), INQUIRY_MOST);

	OWNED(inquiry) late = inquiry_new((struct inquiry_door){ zone_ask, &z });
	inquiry_allow(late, -1);
	assert_int_equal(inquiry_ask(late, SLICE("s.test"), DNS_A, &answer), E_DNS_TEMP);
	assert_int_equal(z.asked, INQUIRY_MOST);
}

static void what_senders_shall_add_is_mechanisms_that_pass(void **state UNUSED)
{
	static const char *const good[] = { "", "ip4:192.0.2.1",
					    " include:spf.o.test  a:h.test/28 ",
					    "exists:%{i}.o.test", "+mx:o.test" };
	static const char *const bad[] = { "v=spf1 mx:o.test",
					   "include:spf",
					   "192.0.2.1",
					   "ip4:192.0.2.1 ~all",
					   "-ip4:192.0.2.1",
					   "redirect=o.test",
					   "ip4:192.0.2.1, ip4:192.0.2.2" };
	const struct option_set *const sets[] = { &domains_option_set };
	char text[128], error[OPTION_ERROR_MAX];

	for (unsigned i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		bool fine = i < ARRAY_LEN(good);
		struct settings *s = NULL;

		(void)snprintf(text, sizeof(text), "domains.spf = %s\n",
			       fine ? good[i] : bad[i - ARRAY_LEN(good)]);
		if ((settings_parse(&s, sets, 1, slice_str(text), "x.conf", error) == 0) != fine)
			fail_msg("%s is %s", text, fine ? "refused" : "taken");
		if (!fine)
			assert_non_null(strstr(error, "domains.spf"));
		settings_free(s);
	}
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
		cmocka_unit_test(each_record_is_judged_as_verifiers_would),
		cmocka_unit_test(what_decided_is_said),
		cmocka_unit_test(the_questions_of_a_check_are_bounded),
		cmocka_unit_test(what_senders_shall_add_is_mechanisms_that_pass),
		cmocka_unit_test(no_answer_is_neither_right_nor_missing),
		cmocka_unit_test(what_strangers_publish_is_kept_printable_and_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
