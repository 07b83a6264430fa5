/* control/domains/check.c - real questions to DNS, and what counts as the right answer.
 *
 *	ownership     one TXT string is the value, byte for byte
 *	dkim-*        one TXT record at the name, by which verifiers find our key (RFC 6376
 *	              section 3.6.1; dkim/sign.h)
 *	spf           verifiers let all mail pass that the operator sends (spf.h)
 *	dmarc         verifiers find a record with a valid policy, whatever it is (dmarc.h)
 *	return-path   mail to it reaches our host (bounces.h)
 *	tracking      a CNAME to our host */
#include "control/domains/bounces.h"
#include "control/domains/dmarc.h"
#include "control/domains/private.h"
#include "control/domains/spf.h"
#include "control/domains/spf_term.h"
#include "dkim/sign.h"
#include "dns/lookup.h"

/* RFC 7208 section 4.6.4 lets an evaluation take 20 seconds; DMARC's has no need of more. */
enum { RECORD_MS = 20000 };

/* What a stranger's DNS says is kept as printable ASCII. */
static void keep_printable(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			text[i] = '?';
}

static void note(struct sender_record *r, struct slice s)
{
	size_t at = strlen(r->seen);

	if (at && at + 1 < SEEN_MAX)
		r->seen[at++] = '\n';
	keep_printable(r->seen + at, slice_copy(r->seen + at, SEEN_MAX - at, s));
}

static void explain(struct sender_record *r, const char *why)
{
	keep_printable(r->why, slice_copy(r->why, sizeof(r->why), slice_str(why)));
}

static bool is_dkim(const struct sender_record *r)
{
	return !strncmp(r->kind, "dkim-", 5);
}

/* Is this answer's record one of the kind at all? */
static bool concerns(const struct sender_record *r, const struct dns_record *answer)
{
	return strcmp(r->kind, "ownership") != 0 ||
	       slice_starts_nocase(answer->data, SLICE("postern-verify="));
}

static bool judge_key(struct sender_record *r, struct slice txt)
{
	switch (sign_txt_published(slice_str(r->value), txt)) {
	case 0:
		return true;
	case E_DENIED:
		explain(r, "the key is revoked: p= is empty");
		break;
	case E_CONFLICT:
		explain(r, "another key, or one that verifiers do not use for this mail: "
			   "k=, h=, s= and p= have to fit");
		break;
	default:
		explain(r, "no key record that verifiers can read (RFC 6376 section 3.6.1)");
	}
	return false;
}

static bool fulfils(struct sender_record *r, const struct dns_record *answer)
{
	if (r->query != DNS_TXT)
		return slice_eq_nocase(answer->name, slice_str(r->value));
	if (is_dkim(r))
		return judge_key(r, answer->data);
	return slice_eq(answer->data, slice_str(r->value));
}

void sender_record_judge(struct sender_record *r, int status, const struct dns_answer *answer)
{
	unsigned found = 0, right = 0;

	r->seen[0] = r->why[0] = '\0';
	if (status == E_DNS_NONE || status == E_DNS_NXDOMAIN) {
		r->state = RECORD_MISSING;
		return;
	}
	if (status < 0) {
		r->state = RECORD_NO_ANSWER;
		return;
	}
	for (unsigned i = 0; i < answer->n; i++) {
		if (!concerns(r, &answer->records[i]))
			continue;
		found++;
		note(r, r->query == DNS_TXT ? answer->records[i].data : answer->records[i].name);
		right += fulfils(r, &answer->records[i]);
	}
	if (is_dkim(r) && found > 1) {
		explain(r, "more than one record: verifiers may take any of them");
		right = 0;
	}
	if (!found)
		r->state = RECORD_MISSING;
	else
		r->state = right ? RECORD_OK : RECORD_WRONG;
}

/* ---- records that are evaluated ---------------------------------------------------------- */

static void note_texts(struct inquiry *a, struct sender_record *r, bool (*is_one)(struct slice))
{
	const struct dns_answer *answer;

	if (inquiry_ask(a, slice_str(r->name), DNS_TXT, &answer) < 0)
		return;
	for (unsigned i = 0; i < answer->n; i++)
		if (is_one(answer->records[i].data))
			note(r, answer->records[i].data);
}

static void check_spf(struct inquiry *a, const struct domains_options *options,
		      struct sender_record *r)
{
	static const enum sender_record_state states[] = {
		[SPF_NONE] = RECORD_MISSING,    [SPF_NEUTRAL] = RECORD_WRONG,
		[SPF_PASS] = RECORD_OK,         [SPF_FAIL] = RECORD_WRONG,
		[SPF_SOFTFAIL] = RECORD_WRONG,  [SPF_TEMPERROR] = RECORD_NO_ANSWER,
		[SPF_PERMERROR] = RECORD_WRONG, [SPF_UNSURE] = RECORD_NO_ANSWER,
	};
	struct spf_result result;

	spf_check_ours(a, slice_str(options->spf_include), slice_str(r->name), &result);
	r->state = states[result.verdict];
	note_texts(a, r, spf_is_record);
	explain(r, result.why);
}

static bool looks_like_dmarc(struct slice txt)
{
	return slice_starts_nocase(slice_trim(txt), SLICE("v"));
}

static void check_dmarc(struct inquiry *a, struct sender_record *r)
{
	static const enum sender_record_state states[] = {
		[DMARC_FOUND] = RECORD_OK,
		[DMARC_UNUSABLE] = RECORD_WRONG,
		[DMARC_ABSENT] = RECORD_MISSING,
		[DMARC_NO_ANSWER] = RECORD_NO_ANSWER,
	};
	struct slice domain = slice_str(r->name);
	struct dmarc_found found;

	(void)slice_strip(&domain, SLICE("_dmarc."));
	dmarc_discover(a, domain, &found);
	r->state = states[found.state];
	note_texts(a, r, looks_like_dmarc);
	if (found.text.n && !slice_eq(slice_str(found.domain), domain))
		note(r, found.text);
	explain(r, found.why);
}

static void check_return_path(struct inquiry *a, struct sender_record *r)
{
	static const enum sender_record_state states[] = {
		[BOUNCES_NOWHERE] = RECORD_MISSING,
		[BOUNCES_ELSEWHERE] = RECORD_WRONG,
		[BOUNCES_OURS] = RECORD_OK,
		[BOUNCES_UNSURE] = RECORD_NO_ANSWER,
	};
	const struct dns_answer *mx;
	char why[BOUNCES_WHY_MAX];

	r->state = states[bounces_find(a, slice_str(r->name), slice_str(r->value), why)];
	if (inquiry_ask(a, slice_str(r->name), DNS_MX, &mx) == 0)
		for (unsigned i = 0; i < mx->n; i++)
			note(r, mx->records[i].name);
	explain(r, why);
}

void sender_record_check(struct inquiry *a, const struct domains_options *options,
			 struct sender_record *r)
{
	const struct dns_answer *answer = NULL;
	int status;

	r->seen[0] = r->why[0] = '\0';
	inquiry_allow(a, RECORD_MS);
	if (!strcmp(r->kind, "spf")) {
		check_spf(a, options, r);
	} else if (!strcmp(r->kind, "dmarc")) {
		check_dmarc(a, r);
	} else if (!strcmp(r->kind, "return-path")) {
		check_return_path(a, r);
	} else {
		status = inquiry_ask(a, slice_str(r->name), r->query, &answer);
		sender_record_judge(r, status, answer);
	}
}

/* ---- the real DNS ------------------------------------------------------------------------ */

struct check_world {
	struct resolver_options resolver;
	uint32_t timeout_ms;
};

static int ask_world(void *arg, struct slice name, enum dns_type type, struct dns_answer **ret)
{
	struct check_world *w = arg;

	return lookup(&w->resolver, name, type, w->timeout_ms, ret);
}

static int read_servers(const struct domains_options *options, struct resolver_options *o)
{
	struct slice entry;
	size_t pos = 0;

	resolver_options_default(o);
	while (option_list_next(options->dns_servers, &pos, &entry)) {
		if (o->n_servers == DNS_SERVERS_MAX)
			return E_LIMIT;
		int r = ip_port_parse(entry, &o->servers[o->n_servers].ip,
				      &o->servers[o->n_servers].port);
		if (r < 0)
			return r;
		o->n_servers++;
	}
	return o->n_servers ? 0 : resolver_options_system(o, "/etc/resolv.conf");
}

int sender_records_check(const struct domains_options *options, struct sender_record *records,
			 unsigned n)
{
	struct check_world world = { .timeout_ms = (uint32_t)options->dns_timeout };
	OWNED(inquiry) inquiry = inquiry_new((struct inquiry_door){ ask_world, &world });
	int r = read_servers(options, &world.resolver);

	for (unsigned i = 0; r >= 0 && i < n; i++)
		sender_record_check(inquiry, options, &records[i]);
	return r;
}
