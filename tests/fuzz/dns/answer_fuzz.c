/* Packets from a name server.  Laws: a packet read twice is the same answer; never more records
 * than the limit; every text lies in the answer's own memory; names that come out are clean. */
#include "dns/name.h"
#include "dns/packet.h"

static const enum dns_type types[] = { DNS_A,     DNS_AAAA, DNS_MX,  DNS_TXT,
				       DNS_CNAME, DNS_NS,   DNS_PTR, DNS_TLSA };

static void check_text(const struct answer *w, struct slice s)
{
	const char *start = (const char *)w;

	if (s.n && s.p != SLICE("unusable.invalid").p && !slice_eq(s, SLICE("unusable.invalid")))
		assert(s.p >= start && s.p + s.n <= start + w->size);
}

static void check_name(const struct answer *w, struct slice s)
{
	char clean[DNS_NAME_MAX];

	check_text(w, s);
	if (s.n)
		assert(name_clean(s, clean) == (int)s.n && memcmp(clean, s.p, s.n) == 0);
}

static void check_record(const struct answer *w, enum dns_type type, const struct dns_record *rec)
{
	check_name(w, rec->name);
	check_text(w, rec->data);
	if (type == DNS_A || type == DNS_AAAA)
		assert(rec->ip.family == (type == DNS_A ? AF_INET : AF_INET6));
}

static void check_same(const struct answer *a, const struct answer *b)
{
	assert(a->a.status == b->a.status && a->a.ttl_s == b->a.ttl_s && a->a.n == b->a.n);
	assert(a->again == b->again && a->aliases == b->aliases && a->size == b->size);
	assert(slice_eq(a->a.canonical, b->a.canonical));
	for (unsigned i = 0; i < a->a.n; i++) {
		assert(slice_eq(a->records[i].name, b->records[i].name));
		assert(slice_eq(a->records[i].data, b->records[i].data));
		assert(a->records[i].preference == b->records[i].preference);
		assert(ip_eq(&a->records[i].ip, &b->records[i].ip));
	}
}

static void read_packet(const uint8_t *packet, size_t n, enum dns_type type)
{
	struct answer *a = NULL, *b = NULL;
	int r = packet_parse(packet, n, type, 0, &a);

	assert(packet_parse(packet, n, type, 0, &b) == r);
	if (r < 0)
		return;
	assert(a->a.n <= DNS_RECORDS_MAX && a->aliases <= PACKET_ALIASES_MAX + 1);
	assert(!a->again || a->a.n == 0);
	check_name(a, a->a.canonical);
	for (unsigned i = 0; i < a->a.n; i++)
		check_record(a, type, &a->records[i]);
	check_same(a, b);
	answer_unref(a);
	answer_unref(b);
}

static void name_survives_the_wire(struct slice s)
{
	char clean[DNS_NAME_MAX], back[DNS_NAME_MAX];
	uint8_t wire[255];
	int n = name_clean(s, clean);

	if (n < 0)
		return;
	assert(name_from_wire(wire, name_to_wire(slice_of(clean, (size_t)n), wire), back) == n);
	assert(strcmp(clean, back) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t question[PACKET_QUESTION_MAX];

	if (size == 0)
		return 0;
	read_packet(data + 1, size - 1, types[data[0] % ARRAY_LEN(types)]);
	name_survives_the_wire(slice_of(data, size));
	(void)packet_question(question, 1, SLICE("a.example"), DNS_MX, true);
	(void)packet_answers(question, data + 1, size - 1);
	return 0;
}
