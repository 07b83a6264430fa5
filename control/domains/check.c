/* control/domains/check.c - real questions to DNS, and what counts as the right answer.
 *
 *	ownership     one TXT string is the value, byte for byte
 *	dkim-*        one TXT record at the name, by which verifiers find our key (RFC 6376
 *	              section 3.6.1; dkim/sign.h)
 *	spf           one v=spf1 record (RFC 7208 section 4.5) that holds each of our mechanisms
 *	dmarc         one v=DMARC1 record, whatever its policy
 *	return-path   an MX that is our host
 *	tracking      a CNAME to our host */
#include "control/domains/private.h"
#include "dkim/sign.h"
#include "dns/lookup.h"

static void note(struct sender_record *r, struct slice s)
{
	size_t at = strlen(r->seen);

	if (at && at + 1 < SEEN_MAX)
		r->seen[at++] = '\n';
	size_t n = slice_copy(r->seen + at, SEEN_MAX - at, s);
	/* What foreign DNS says is kept as printable ASCII. */
	for (size_t i = at; i < at + n; i++)
		if (r->seen[i] < 0x20 || r->seen[i] > 0x7e)
			r->seen[i] = '?';
}

static bool has_word(struct slice text, struct slice word)
{
	while (text.n)
		if (slice_eq_nocase(slice_take(&text, ' '), word))
			return true;
	return false;
}

/* Does the published record hold every mechanism that we ask for, except the final "all"? */
static bool same_spf(struct slice published, const char *expected)
{
	struct slice want = slice_str(expected);

	while (want.n) {
		struct slice word = slice_take(&want, ' ');

		if (word.n && !slice_eq(word, SLICE("~all")) && !has_word(published, word))
			return false;
	}
	return true;
}

static bool starts_word(struct slice s, struct slice word)
{
	return slice_starts_nocase(s, word) && (s.n == word.n || strchr(" ;\t", s.p[word.n]));
}

/* Is this record of the kind, and is it the right one? */
static bool concerns(const struct sender_record *r, const struct dns_record *answer)
{
	if (!strcmp(r->kind, "spf"))
		return starts_word(answer->data, SLICE("v=spf1"));
	if (!strcmp(r->kind, "dmarc"))
		return starts_word(answer->data, SLICE("v=DMARC1"));
	if (!strcmp(r->kind, "ownership"))
		return slice_starts_nocase(answer->data, SLICE("postern-verify="));
	return true;
}

static bool fulfils(const struct sender_record *r, const struct dns_record *answer)
{
	if (r->query != DNS_TXT)
		return slice_eq_nocase(answer->name, slice_str(r->value));
	if (!strncmp(r->kind, "dkim-", 5))
		return sign_txt_published(slice_str(r->value), answer->data) == 0;
	if (!strcmp(r->kind, "spf"))
		return same_spf(answer->data, r->value);
	if (!strcmp(r->kind, "dmarc"))
		return true;
	return slice_eq(answer->data, slice_str(r->value));
}

/* Kinds of which a second record of the same sort makes the name invalid. */
static bool only_one(const struct sender_record *r)
{
	return !strcmp(r->kind, "spf") || !strcmp(r->kind, "dmarc") ||
	       !strncmp(r->kind, "dkim-", 5);
}

void sender_record_judge(struct sender_record *r, int status, const struct dns_answer *answer)
{
	unsigned found = 0, right = 0;

	r->seen[0] = '\0';
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
	if (!found)
		r->state = RECORD_MISSING;
	else
		r->state = right && (found == 1 || !only_one(r)) ? RECORD_OK : RECORD_WRONG;
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
	struct resolver_options o;
	int r = read_servers(options, &o);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < n; i++) {
		struct dns_answer *answer = NULL;
		int status = lookup(&o, slice_str(records[i].name), records[i].query,
				    (uint32_t)options->dns_timeout, &answer);

		sender_record_judge(&records[i], status, answer);
		(void)lookup_free(answer);
	}
	return 0;
}
