/* The decision over every combination of facts: a table for what is meant, and laws for all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "mta/policy/decide.h"

enum { REFUSED = -1 };
#define NOT POLICY_ASKED_NOTHING
#define REQ POLICY_ASKED_TLS
#define ENFORCED POLICY_STS_ENFORCE
#define LAX POLICY_ASKED_NO_TLS
#define STS_TESTING POLICY_MTA_STS_TESTING

/* clang-format off */
static const struct row {
	enum tls_word word;
	enum policy_asked asked;
	int dane, sts;           /* -1: any */
	int names, securely;     /* likewise */
	int tls;                 /* REFUSED */
	enum tls_demand certificate;
	bool report_only;
	enum policy_applied applied;
} table[] = {
	{ TLS_WORD_NEVER,   NOT, -1, -1, -1, -1, TLS_NEVER, TLS_ANY, false, POLICY_NEVER },
	{ TLS_WORD_MAY,     NOT, -1, -1, -1, -1, TLS_MAY, TLS_ANY, false, POLICY_MAY },
	{ TLS_WORD_ENCRYPT, NOT, -1, -1, -1, -1, TLS_MUST, TLS_ANY, false, POLICY_ENCRYPT },
	{ TLS_WORD_VERIFY,  NOT, -1, -1, -1, -1, TLS_MUST, TLS_CHAIN, false, POLICY_VERIFY },

	{ TLS_WORD_DANE, NOT, POLICY_DANE_NONE,     -1, -1, -1, TLS_MAY, TLS_ANY, false, POLICY_MAY },
	{ TLS_WORD_DANE, NOT, POLICY_DANE_USABLE,   -1, -1, -1, TLS_MUST, TLS_DANE, false, POLICY_DANE },
	{ TLS_WORD_DANE, NOT, POLICY_DANE_UNUSABLE, -1, -1, -1, TLS_MUST, TLS_ANY, false, POLICY_DANE },
	{ TLS_WORD_DANE, NOT, POLICY_DANE_BROKEN,   -1, -1, -1, REFUSED, TLS_ANY, false, POLICY_DANE },

	{ TLS_WORD_DANE_ONLY, NOT, POLICY_DANE_NONE,     -1, -1, -1, REFUSED, TLS_ANY, false, POLICY_DANE },
	{ TLS_WORD_DANE_ONLY, NOT, POLICY_DANE_USABLE,   -1, -1, -1, TLS_MUST, TLS_DANE, false, POLICY_DANE },
	{ TLS_WORD_DANE_ONLY, NOT, POLICY_DANE_UNUSABLE, -1, -1, -1, REFUSED, TLS_ANY, false, POLICY_DANE },
	{ TLS_WORD_DANE_ONLY, NOT, POLICY_DANE_BROKEN,   -1, -1, -1, REFUSED, TLS_ANY, false, POLICY_DANE },

	{ TLS_WORD_MTA_STS, NOT, -1, POLICY_STS_NONE,    -1, -1, TLS_MAY, TLS_ANY, false, POLICY_MAY },
	{ TLS_WORD_MTA_STS, NOT, -1, POLICY_STS_TESTING, -1, -1, TLS_MAY, TLS_CHAIN, true, STS_TESTING },
	{ TLS_WORD_MTA_STS, NOT, -1, POLICY_STS_ENFORCE, 1, -1, TLS_MUST, TLS_CHAIN, false, POLICY_MTA_STS },
	{ TLS_WORD_MTA_STS, NOT, -1, POLICY_STS_ENFORCE,  0, -1, REFUSED, TLS_ANY, false, POLICY_MTA_STS },

	{ TLS_WORD_OPPORTUNISTIC, NOT, POLICY_DANE_USABLE,   -1, -1, -1, TLS_MUST, TLS_DANE, false, POLICY_DANE },
	{ TLS_WORD_OPPORTUNISTIC, NOT, POLICY_DANE_BROKEN,   -1, -1, -1, REFUSED, TLS_ANY, false, POLICY_DANE },
	{ TLS_WORD_OPPORTUNISTIC, NOT, POLICY_DANE_NONE, POLICY_STS_NONE,    -1, -1, TLS_MAY, TLS_ANY, false, POLICY_MAY },
	{ TLS_WORD_OPPORTUNISTIC, NOT, POLICY_DANE_NONE, POLICY_STS_TESTING, -1, -1, TLS_MAY, TLS_CHAIN, true, STS_TESTING },
	{ TLS_WORD_OPPORTUNISTIC, NOT, POLICY_DANE_NONE, POLICY_STS_ENFORCE, 1, -1, TLS_MUST, TLS_CHAIN, false, POLICY_MTA_STS },
	{ TLS_WORD_OPPORTUNISTIC, NOT, POLICY_DANE_NONE, POLICY_STS_ENFORCE,  0, -1, REFUSED, TLS_ANY, false, POLICY_MTA_STS },
	{ TLS_WORD_OPPORTUNISTIC, NOT, POLICY_DANE_UNUSABLE, POLICY_STS_NONE,    -1, -1, TLS_MUST, TLS_ANY, false, POLICY_DANE },
	{ TLS_WORD_OPPORTUNISTIC, NOT, POLICY_DANE_UNUSABLE, POLICY_STS_TESTING, -1, -1, TLS_MUST, TLS_ANY, false, POLICY_DANE },
	{ TLS_WORD_OPPORTUNISTIC, NOT, POLICY_DANE_UNUSABLE, ENFORCED, 1, -1, TLS_MUST, TLS_CHAIN, false, POLICY_MTA_STS },
	{ TLS_WORD_OPPORTUNISTIC, NOT, POLICY_DANE_UNUSABLE, POLICY_STS_ENFORCE,  0, -1, REFUSED, TLS_ANY, false, POLICY_MTA_STS },

	{ TLS_WORD_NEVER,     LAX, -1, -1, -1, -1, TLS_NEVER, TLS_ANY, false, POLICY_NEVER },
	{ TLS_WORD_MAY,       LAX, -1, -1, -1, -1, TLS_MAY, TLS_ANY, false, POLICY_TLS_OPTIONAL },
	{ TLS_WORD_ENCRYPT,   LAX, -1, -1, -1, -1, TLS_MUST, TLS_ANY, false, POLICY_ENCRYPT },
	{ TLS_WORD_VERIFY,    LAX, -1, -1, -1, -1, TLS_MUST, TLS_CHAIN, false, POLICY_VERIFY },
	{ TLS_WORD_DANE,      LAX, -1, -1, -1, -1, TLS_MAY, TLS_ANY, false, POLICY_TLS_OPTIONAL },
	{ TLS_WORD_DANE_ONLY, LAX, POLICY_DANE_USABLE,   -1, -1, -1, TLS_MUST, TLS_DANE, false, POLICY_DANE },
	{ TLS_WORD_DANE_ONLY, LAX, POLICY_DANE_NONE,     -1, -1, -1, REFUSED, TLS_ANY, false, POLICY_DANE },
	{ TLS_WORD_DANE_ONLY, LAX, POLICY_DANE_UNUSABLE, -1, -1, -1, REFUSED, TLS_ANY, false, POLICY_DANE },
	{ TLS_WORD_DANE_ONLY, LAX, POLICY_DANE_BROKEN,   -1, -1, -1, REFUSED, TLS_ANY, false, POLICY_DANE },
	{ TLS_WORD_MTA_STS,   LAX, -1, -1, -1, -1, TLS_MAY, TLS_ANY, false, POLICY_TLS_OPTIONAL },
	{ TLS_WORD_OPPORTUNISTIC, LAX, -1, -1, -1, -1, TLS_MAY, TLS_ANY, false, POLICY_TLS_OPTIONAL },
};
/* clang-format on */

static bool fits(const struct row *r, const struct policy_case *c)
{
	return r->word == c->word && r->asked == c->asked &&
	       (r->dane < 0 || r->dane == (int)c->dane) && (r->sts < 0 || r->sts == (int)c->sts) &&
	       (r->names < 0 || r->names == c->sts_names_host) &&
	       (r->securely < 0 || r->securely == c->named_securely);
}

static void each_case(void (*look)(const struct policy_case *c, const struct policy_demand *d))
{
	struct policy_case c;

	for (unsigned i = 0; i < TLS_WORDS * 3 * 4 * 3 * 2 * 2; i++) {
		unsigned k = i;
		c.word = k % TLS_WORDS, k /= TLS_WORDS;
		c.asked = k % 3, k /= 3;
		c.dane = k % 4, k /= 4;
		c.sts = k % 3, k /= 3;
		c.sts_names_host = k % 2, k /= 2;
		c.named_securely = k % 2;
		struct policy_demand d = policy_decide(&c);
		look(&c, &d);
	}
}

static void look_at_table(const struct policy_case *c, const struct policy_demand *d)
{
	const struct row *found = NULL;

	if (c->asked == POLICY_ASKED_TLS)
		return;
	for (unsigned i = 0; i < ARRAY_LEN(table); i++)
		if (fits(&table[i], c)) {
			assert_null(found);
			found = &table[i];
		}
	assert_non_null(found);
	assert_int_equal(d->applied, found->applied);
	assert_int_equal(d->refusal != NULL, found->tls == REFUSED);
	if (found->tls == REFUSED)
		return;
	assert_int_equal((int)d->tls, found->tls);
	assert_int_equal(d->certificate, found->certificate);
	assert_int_equal(d->report_only, found->report_only);
	assert_false(d->require_tls);
}

static void every_combination_has_one_row_and_is_decided_as_it_says(void **unused)
{
	(void)unused;
	each_case(look_at_table);
}

static void look_at_required(const struct policy_case *c, const struct policy_demand *d)
{
	bool named = c->named_securely || (c->sts != POLICY_STS_NONE && c->sts_names_host);

	if (c->asked != POLICY_ASKED_TLS)
		return;
	assert_int_equal(d->applied, POLICY_REQUIRETLS);
	if (c->word == TLS_WORD_NEVER || c->dane == POLICY_DANE_BROKEN ||
	    (c->dane != POLICY_DANE_USABLE && !named)) {
		assert_non_null(d->refusal);
		return;
	}
	assert_null(d->refusal);
	assert_true(d->require_tls && !d->report_only);
	assert_int_equal(d->tls, TLS_MUST);
	assert_int_equal(d->certificate, c->dane == POLICY_DANE_USABLE ? TLS_DANE : TLS_CHAIN);
}

static void requiretls_never_goes_without_a_proved_host(void **unused)
{
	(void)unused;
	each_case(look_at_required);
}

static void look_at_laws(const struct policy_case *c, const struct policy_demand *d)
{
	struct policy_case less = *c;

	assert_non_null(policy_applied_name(d->applied));
	/* Only what may go in the clear may be looked at without insisting. */
	if (d->report_only)
		assert_int_equal(d->tls, TLS_MAY);
	else if (d->certificate != TLS_ANY)
		assert_int_equal(d->tls, TLS_MUST);
	/* A demand by DANE has records behind it. */
	if (!d->refusal && d->certificate == TLS_DANE)
		assert_int_equal(c->dane, POLICY_DANE_USABLE);
	/* Who takes away the proof from a signed zone gains nothing: it is refused, not waived. */
	if (!d->refusal && d->certificate == TLS_DANE) {
		less.dane = POLICY_DANE_BROKEN;
		assert_non_null(policy_decide(&less).refusal);
	}
}

static void no_case_checks_without_insisting_and_no_broken_answer_waives_dane(void **unused)
{
	(void)unused;
	each_case(look_at_laws);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_has_one_row_and_is_decided_as_it_says),
		cmocka_unit_test(requiretls_never_goes_without_a_proved_host),
		cmocka_unit_test(no_case_checks_without_insisting_and_no_broken_answer_waives_dane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
