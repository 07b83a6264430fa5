/* mta/site/reported.c - sessions, as reports about TLS name them. */
#include "mta/site/reported.h"

#include "mta/tlsrpt/tlsrpt.h"

static bool is_counted(const struct site *s)
{
	return s->facts->reports && !s->relay && s->asked != POLICY_ASKED_NO_TLS;
}

static bool has_records(const struct policy_facts *f, unsigned i)
{
	return f->hosts[i].dane == POLICY_DANE_USABLE || f->hosts[i].dane == POLICY_DANE_UNUSABLE;
}

/* Whose policy it was; what the operator demands by himself is nobody's. */
static enum results_policy policy_of(const struct policy_facts *f, unsigned i,
				     enum policy_applied applied)
{
	switch (applied) {
	case POLICY_DANE:
		return RESULTS_TLSA;
	case POLICY_MTA_STS:
	case POLICY_MTA_STS_TESTING:
		return RESULTS_STS;
	case POLICY_REQUIRETLS:
		return has_records(f, i)           ? RESULTS_TLSA
		       : f->sts != POLICY_STS_NONE ? RESULTS_STS
						   : RESULTS_NO_POLICY;
	default:
		return RESULTS_NO_POLICY;
	}
}

static enum results_kind kind_of_fault(enum tls_fault fault)
{
	static const enum results_kind kinds[] = {
		[TLS_NO_FAULT] = RESULTS_INVALID,      [TLS_EXPIRED] = RESULTS_EXPIRED,
		[TLS_OTHER_NAME] = RESULTS_OTHER_NAME, [TLS_UNTRUSTED] = RESULTS_UNTRUSTED,
		[TLS_NOT_VALID] = RESULTS_INVALID,
	};

	return kinds[fault];
}

/* The record says that there is a policy, and none could be had: besides what became of the
 * session without one (section 4.3: counts may overlap). */
static void note_sts_fault(struct tlsrpt *t, struct results_session *s)
{
	struct slice reason = slice_str(s->facts->sts_fault), word = slice_take(&reason, ':');

	if (!word.n)
		return;
	s->policy = RESULTS_STS;
	s->kind = RESULTS_STS_FETCH;
	if (slice_eq(word, slice_str(results_name(RESULTS_STS_INVALID))))
		s->kind = RESULTS_STS_INVALID;
	else if (slice_eq(word, slice_str(results_name(RESULTS_STS_CERTIFICATE))))
		s->kind = RESULTS_STS_CERTIFICATE;
	s->reason = slice_trim(reason);
	tlsrpt_note(t, s);
}

static struct results_session session_of(const struct channel *ch)
{
	const struct policy_facts *f = ch->facts;
	unsigned i = (unsigned)(ch->mx - f->route->hosts);

	return (struct results_session){
		.facts = f,
		.host = i,
		.policy = policy_of(f, i, ch->demand.applied),
		.from = slice_str(ch->source_text),
		.to = slice_of(ch->host->ip_text, ch->host->ip_text_n),
	};
}

static void note(const struct channel *ch, struct results_session *s)
{
	tlsrpt_note(ch->pool->sites->tlsrpt, s);
	note_sts_fault(ch->pool->sites->tlsrpt, s);
}

/* A policy in testing: the session goes on, and the report says what would have ended it. */
static bool note_testing(const struct channel *ch, struct results_session *s)
{
	const struct policy_facts *f = ch->facts;

	if (ch->demand.applied != POLICY_MTA_STS_TESTING)
		return false;
	if (!f->hosts[s->host].sts_names) {
		s->kind = RESULTS_INVALID;
		s->reason = SLICE("the policy does not name the host");
		return true;
	}
	if (ch->tls.fault == TLS_NO_FAULT)
		return false;
	s->kind = kind_of_fault(ch->tls.fault);
	s->reason = slice_str(ch->tls.reason);
	return true;
}

void reported_ready(const struct channel *ch)
{
	enum session_tls tls = session_tls(ch->session);
	struct results_session s;

	if (!is_counted(ch->pool->site) || tls == SESSION_TLS_NONE)
		return;
	s = session_of(ch);
	if (tls == SESSION_TLS_MISSING)
		s.kind = RESULTS_STARTTLS;
	else if (!note_testing(ch, &s) && s.policy == RESULTS_TLSA &&
		 ch->facts->hosts[s.host].dane == POLICY_DANE_UNUSABLE)
		s.kind = RESULTS_TLSA_INVALID;
	note(ch, &s);
}

void reported_failed(const struct channel *ch, const struct verdict *v)
{
	enum session_tls tls = session_tls(ch->session);
	struct conn *c = session_conn(ch->session);
	struct tls_result result = { .reason = "" };
	struct results_session s;

	/* A host that says something itself, under TLS, ends it for another reason. */
	if (!is_counted(ch->pool->site) || tls == SESSION_TLS_NONE || v->code)
		return;
	s = session_of(ch);
	s.reason = verdict_text(v);
	if (tls == SESSION_TLS_MISSING) {
		s.kind = RESULTS_STARTTLS;
		s.reason = slice_of("", 0);
	} else {
		if (c)
			conn_tls_result(c, &result);
		s.kind = kind_of_fault(result.fault);
		if (result.fault != TLS_NO_FAULT)
			s.reason = slice_str(result.reason);
	}
	note(ch, &s);
}

void reported_refused(const struct site *site, unsigned i, const struct policy_demand *d)
{
	struct results_session s = { .facts = site->facts, .host = i, .kind = RESULTS_INVALID };

	if (!is_counted(site))
		return;
	s.policy = policy_of(site->facts, i, d->applied);
	s.reason = slice_str(d->refusal);
	if (site->facts->hosts[i].dane == POLICY_DANE_BROKEN)
		s.kind = RESULTS_DNSSEC_INVALID;
	else if (s.policy == RESULTS_TLSA)
		s.kind = site->facts->hosts[i].dane == POLICY_DANE_UNUSABLE ? RESULTS_TLSA_INVALID
									    : RESULTS_DANE_REQUIRED;
	if (s.kind == RESULTS_DNSSEC_INVALID)
		s.policy = RESULTS_TLSA;
	tlsrpt_note(site->sites->tlsrpt, &s);
}
