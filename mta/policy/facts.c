/* mta/policy/facts.c - facts in memory, and decisions about them. */
#include "mta/policy/facts.h"

#include "base/buf.h"
#include "base/hash.h"

struct policy_facts *policy_facts_new(struct route *route)
{
	struct policy_facts *f =
	    must_alloc(sizeof(*f) + route->n_hosts * sizeof(struct policy_host));

	f->refs = 1;
	f->route = route_ref(route);
	f->ttl_s = route->ttl_s;
	f->n_hosts = route->n_hosts;
	return f;
}

struct policy_facts *policy_facts_ref(struct policy_facts *f)
{
	f->refs++;
	return f;
}

struct policy_facts *policy_facts_unref(struct policy_facts *f)
{
	if (!f || --f->refs)
		return NULL;
	for (unsigned i = 0; i < f->n_hosts; i++)
		free(f->hosts[i].bytes);
	(void)sts_policy_unref(f->sts_policy);
	route_unref(f->route);
	free(f);
	return NULL;
}

/* ---- TLSA records ------------------------------------------------------------------------ */

/* rdata = usage, selector, matching type, data (RFC 6698 section 2.1) */
static bool read_record(struct slice rdata, struct tls_record *ret)
{
	const uint8_t *p = (const uint8_t *)rdata.p;

	if (rdata.n < 3 || rdata.n > 3 + TLS_RECORD_BYTES_MAX)
		return false;
	*ret = (struct tls_record){ p[0], p[1], p[2], (uint16_t)(rdata.n - 3), p + 3 };
	return true;
}

static void copy_bytes(struct policy_host *h)
{
	size_t n = 0;

	for (unsigned i = 0; i < h->n_records; i++)
		n += h->records[i].data_n;
	h->bytes = must_alloc(n + 1);
	n = 0;
	for (unsigned i = 0; i < h->n_records; i++) {
		memcpy(h->bytes + n, h->records[i].data, h->records[i].data_n);
		h->records[i].data = h->bytes + n;
		n += h->records[i].data_n;
	}
}

void policy_host_take(struct policy_host *h, const struct dns_answer *a, struct slice base)
{
	struct tls_record r;

	h->dane = POLICY_DANE_UNUSABLE;
	h->n_records = 0;
	(void)slice_copy(h->base, sizeof(h->base), base);
	for (unsigned i = 0; i < a->n && h->n_records < TLS_RECORDS_MAX; i++)
		if (read_record(a->records[i].data, &r) && tls_record_usable(&r))
			h->records[h->n_records++] = r;
	copy_bytes(h);
	if (h->n_records)
		h->dane = POLICY_DANE_USABLE;
}

/* ---- which connections may be shared ----------------------------------------------------- */

static bool has_usage(const struct policy_host *h, uint8_t usage)
{
	for (unsigned i = 0; i < h->n_records; i++)
		if (h->records[i].usage == usage)
			return true;
	return false;
}

static bool any_dane(const struct policy_facts *f)
{
	for (unsigned i = 0; i < f->n_hosts; i++)
		if (f->hosts[i].dane != POLICY_DANE_NONE)
			return true;
	return false;
}

/* With DANE-TA(2) the domain's own name may stand in the certificate (RFC 7672 section 3.2.2). */
bool policy_facts_apart(const struct policy_facts *f)
{
	if (f->sts != POLICY_STS_NONE || f->reports)
		return true;
	for (unsigned i = 0; i < f->n_hosts; i++)
		if (has_usage(&f->hosts[i], TLS_DANE_TA))
			return true;
	return false;
}

const char *policy_facts_kind(const struct policy_facts *f)
{
	static const char *const kinds[2][POLICY_STS_STATES] = {
		{ "", " mta-sts-testing", " mta-sts" },
		{ " dane", " dane mta-sts-testing", " dane mta-sts" },
	};

	return kinds[any_dane(f)][f->sts];
}

static void put_number(struct buf *b, uint64_t n)
{
	buf_put(b, slice_of(&n, sizeof(n)));
}

static void put_record(struct buf *b, const struct tls_record *r)
{
	put_number(b, (uint64_t)r->usage << 48 | (uint64_t)r->selector << 40 |
			  (uint64_t)r->matching << 32 | r->data_n);
	buf_put(b, slice_of(r->data, r->data_n));
}

/* Hosts of equal preference come in any order: the sum does not depend on it. */
static uint64_t host_digest(const struct policy_host *h, const char *name)
{
	struct buf b;
	uint64_t sum;

	buf_init(&b, 0);
	buf_put(&b, slice_of(name, strlen(name) + 1));
	buf_put(&b, slice_of(h->base, strlen(h->base) + 1));
	put_number(&b, h->dane);
	put_number(&b, h->sts_names);
	for (unsigned i = 0; i < h->n_records; i++)
		put_record(&b, &h->records[i]);
	sum = hash_keyed(buf_data(&b));
	buf_free(&b);
	return sum;
}

void policy_facts_seal(struct policy_facts *f)
{
	f->digest = hash_mix(((uint64_t)f->sts << 1 | f->named_securely) + 1);
	for (unsigned i = 0; i < f->n_hosts; i++)
		f->digest += host_digest(&f->hosts[i], f->route->hosts[i].name);
}

/* ---- decisions --------------------------------------------------------------------------- */

struct policy_demand policy_facts_decide(const struct policy_facts *f, unsigned i,
					 enum tls_word word, enum policy_asked asked,
					 bool named_securely)
{
	const struct policy_case c = {
		.word = word,
		.asked = asked,
		.dane = f->hosts[i].dane,
		.sts = f->sts,
		.sts_names_host = f->hosts[i].sts_names,
		.named_securely = named_securely,
	};

	return policy_decide(&c);
}

static void add_name(struct tls_check *check, const char *name)
{
	for (unsigned i = 0; i < check->n_names; i++)
		if (strcmp(check->names[i], name) == 0)
			return;
	check->names[check->n_names++] = name;
}

/* The name that a certificate must have is the MX host's (RFC 8461 section 4.1); with DANE that of
 * the records, the host's or the domain's (RFC 7672 section 3.2.2). */
void policy_facts_check(const struct policy_facts *f, unsigned i, const struct policy_demand *d,
			struct tls_check *ret)
{
	const struct policy_host *h = &f->hosts[i];

	*ret = (struct tls_check){ .demand = d->certificate, .report_only = d->report_only };
	if (d->certificate == TLS_DANE) {
		add_name(ret, h->base);
		ret->records = h->records;
		ret->n_records = h->n_records;
	}
	add_name(ret, f->route->hosts[i].name);
	if (d->certificate == TLS_DANE && policy_facts_apart(f))
		add_name(ret, f->route->domain);
}

uint64_t policy_check_digest(const struct tls_check *check)
{
	struct buf b;
	uint64_t sum;

	buf_init(&b, 0);
	put_number(&b, (uint64_t)check->demand << 1 | check->report_only);
	for (unsigned i = 0; i < check->n_names; i++)
		buf_put(&b, slice_of(check->names[i], strlen(check->names[i]) + 1));
	for (unsigned i = 0; i < check->n_records; i++)
		put_record(&b, &check->records[i]);
	sum = hash_keyed(buf_data(&b));
	buf_free(&b);
	return sum;
}
