/* mta/policy/decide.c - the decision. */
#include "mta/policy/decide.h"

static const char no_secure_answer[] =
    "TLS policy: DNS gives no secure answer about the TLSA records of the host";
static const char not_named[] =
    "TLS policy: the MTA-STS policy of the domain does not name the host";

const char *policy_applied_name(enum policy_applied a)
{
	static const char *const names[POLICY_APPLIED] = {
		[POLICY_NEVER] = "never",
		[POLICY_MAY] = "may",
		[POLICY_ENCRYPT] = "encrypt",
		[POLICY_VERIFY] = "verify",
		[POLICY_DANE] = "dane",
		[POLICY_MTA_STS] = "mta-sts",
		[POLICY_MTA_STS_TESTING] = "mta-sts-testing",
		[POLICY_REQUIRETLS] = "requiretls",
		[POLICY_TLS_OPTIONAL] = "tls-optional",
	};

	return names[a];
}

const char *policy_proof_name(enum tls_proof p)
{
	static const char *const names[] = {
		[TLS_UNPROVED] = "",
		[TLS_BY_CHAIN] = "chain",
		[TLS_BY_DANE_EE] = "dane-ee",
		[TLS_BY_DANE_TA] = "dane-ta",
	};

	return names[p];
}

/* What a word says by itself, and which sources of policy it looks at. */
static const struct word_row {
	enum tls_policy tls;
	enum tls_demand certificate;
	enum policy_applied applied;
	bool dane, sts, only_dane;
} words[TLS_WORDS] = {
	[TLS_WORD_NEVER] = { TLS_NEVER, TLS_ANY, POLICY_NEVER, false, false, false },
	[TLS_WORD_MAY] = { TLS_MAY, TLS_ANY, POLICY_MAY, false, false, false },
	[TLS_WORD_ENCRYPT] = { TLS_MUST, TLS_ANY, POLICY_ENCRYPT, false, false, false },
	[TLS_WORD_VERIFY] = { TLS_MUST, TLS_CHAIN, POLICY_VERIFY, false, false, false },
	[TLS_WORD_DANE] = { TLS_MAY, TLS_ANY, POLICY_MAY, true, false, false },
	[TLS_WORD_DANE_ONLY] = { TLS_MUST, TLS_DANE, POLICY_DANE, true, false, true },
	[TLS_WORD_MTA_STS] = { TLS_MAY, TLS_ANY, POLICY_MAY, false, true, false },
	[TLS_WORD_OPPORTUNISTIC] = { TLS_MAY, TLS_ANY, POLICY_MAY, true, true, false },
};

static struct policy_demand refused(enum policy_applied applied, const char *why)
{
	return (struct policy_demand){ .tls = TLS_MUST, .applied = applied, .refusal = why };
}

static struct policy_demand insist(enum policy_applied applied, enum tls_demand certificate)
{
	return (struct policy_demand){ TLS_MUST, certificate, false, false, applied, NULL };
}

/* RFC 8689 section 4.2.1: the name of the host must come by DNSSEC or MTA-STS, and its certificate
 * must show that it is that host. */
static struct policy_demand when_required(const struct policy_case *c)
{
	struct policy_demand d;

	if (c->word == TLS_WORD_NEVER)
		return refused(POLICY_REQUIRETLS,
			       "REQUIRETLS: the configuration forbids TLS to this host");
	if (c->dane == POLICY_DANE_BROKEN)
		return refused(POLICY_REQUIRETLS, no_secure_answer);
	if (c->dane == POLICY_DANE_USABLE)
		d = insist(POLICY_REQUIRETLS, TLS_DANE);
	else if (c->named_securely || (c->sts != POLICY_STS_NONE && c->sts_names_host))
		d = insist(POLICY_REQUIRETLS, TLS_CHAIN);
	else
		return refused(POLICY_REQUIRETLS,
			       "REQUIRETLS: neither DNSSEC nor MTA-STS confirms the host's name");
	d.require_tls = true;
	return d;
}

/* False: DANE says nothing of the host. */
static bool by_dane(const struct policy_case *c, const struct word_row *row,
		    struct policy_demand *ret)
{
	if (!row->dane)
		return false;
	if (c->dane == POLICY_DANE_BROKEN)
		*ret = refused(POLICY_DANE, no_secure_answer);
	else if (c->dane == POLICY_DANE_USABLE)
		*ret = insist(POLICY_DANE, TLS_DANE);
	else if (row->only_dane)
		*ret = refused(POLICY_DANE, "TLS policy: the host has no usable TLSA records");
	else if (c->dane == POLICY_DANE_UNUSABLE)
		*ret = insist(POLICY_DANE, TLS_ANY);
	else
		return false;
	return true;
}

static bool by_sts(const struct policy_case *c, const struct word_row *row,
		   struct policy_demand *ret)
{
	if (!row->sts || c->sts == POLICY_STS_NONE)
		return false;
	if (c->sts == POLICY_STS_TESTING)
		*ret =
		    (struct policy_demand){ TLS_MAY, TLS_CHAIN, true, false, POLICY_MTA_STS_TESTING,
					    NULL };
	else if (!c->sts_names_host)
		*ret = refused(POLICY_MTA_STS, not_named);
	else
		*ret = insist(POLICY_MTA_STS, TLS_CHAIN);
	return true;
}

struct policy_demand policy_decide(const struct policy_case *c)
{
	const struct word_row *row = &words[c->word];
	struct policy_demand d, sts;

	if (c->asked == POLICY_ASKED_TLS)
		return when_required(c);
	/* What the operator insists on is not the sender's to waive. */
	if (c->asked == POLICY_ASKED_NO_TLS && row->tls == TLS_MAY)
		return (struct policy_demand){ TLS_MAY, TLS_ANY, false, false, POLICY_TLS_OPTIONAL,
					       NULL };
	if (by_dane(c, row, &d)) {
		/* Records that only forbid clear text: an enforced policy demands more. */
		bool weak = !d.refusal && d.certificate == TLS_ANY;
		return weak && c->sts == POLICY_STS_ENFORCE && by_sts(c, row, &sts) ? sts : d;
	}
	if (by_sts(c, row, &d))
		return d;
	return (
	    struct policy_demand){ row->tls, row->certificate, false, false, row->applied, NULL };
}
