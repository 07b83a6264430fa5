/* dns/packet.c - questions to bytes, and what is believed of an answer. */
#include "dns/packet.h"

#include <ldns/ldns.h>

#include "dns/name.h"

enum { HEADER = 12, CLASS_IN = 1, TYPE_OPT = 41 };
enum { FLAG_RD = 0x01, FLAG_TC = 0x02, OPCODE = 0x78, FLAG_QR = 0x80 }; /* third byte */
enum { RCODE = 0x0f, FLAG_AD = 0x20 };                                  /* fourth */

static uint8_t *put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

size_t packet_question(uint8_t *out, uint16_t id, struct slice name, enum dns_type type, bool edns)
{
	uint8_t *p = put16(out, id);

	*p++ = FLAG_RD;
	*p++ = FLAG_AD; /* "tell me whether it is authentic", RFC 6840 section 5.7 */
	p = put16(p, 1);
	p = put16(p, 0);
	p = put16(p, 0);
	p = put16(p, edns);
	p += name_to_wire(name, p);
	p = put16(p, type);
	p = put16(p, CLASS_IN);
	if (edns) {
		*p++ = 0;
		p = put16(p, TYPE_OPT);
		p = put16(p, PACKET_UDP_MAX);
		memset(p, 0, 6);
		p += 6;
	}
	return (size_t)(p - out);
}

static size_t question_end(const uint8_t *question)
{
	size_t at = HEADER;

	while (question[at])
		at += question[at] + 1u;
	return at + 1 + 4;
}

bool packet_answers(const uint8_t *question, const uint8_t *packet, size_t n)
{
	size_t end = question_end(question);

	if (n < end || memcmp(question, packet, 2) != 0 || !(packet[2] & FLAG_QR) ||
	    (packet[2] & OPCODE))
		return false;
	if (packet[4] != 0 || packet[5] != 1)
		return false;
	/* Servers may write the name in another case; labels' lengths are below 'A'. */
	for (size_t i = HEADER; i < end - 4; i++)
		if (ascii_lower((char)question[i]) != ascii_lower((char)packet[i]))
			return false;
	return memcmp(question + end - 4, packet + end - 4, 4) == 0;
}

struct packet_flags packet_flags(const uint8_t *packet)
{
	return (struct packet_flags){
		.truncated = packet[2] & FLAG_TC,
		.authentic = packet[3] & FLAG_AD,
		.rcode = packet[3] & RCODE,
	};
}

/* ---- walking the packet ------------------------------------------------------------------ */

struct packet_walk {
	const ldns_rr_list *rrs;
	const ldns_rdf *name; /* where the aliases have led; part of the packet */
	enum dns_type type;
	unsigned aliases, n;
	uint32_t ttl;
	size_t bytes;
	const ldns_rr *found[DNS_RECORDS_MAX];
};

/* ldns accepts records without rdata (RFC 2136 has some) and ends the process when it is asked for
 * a field that is missing.  So nothing below looks into a record that is not whole. */
static bool is_whole(const ldns_rr *rr)
{
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
		if (!ldns_rr_rdf(rr, i))
			return false;
	return ldns_rr_rd_count(rr) > 0;
}

static bool is_at(const ldns_rr *rr, const ldns_rdf *name, unsigned type)
{
	return ldns_rr_get_type(rr) == (ldns_rr_type)type &&
	       ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN && is_whole(rr) &&
	       ldns_dname_compare(ldns_rr_owner(rr), name) == 0;
}

static const ldns_rr *find(const ldns_rr_list *rrs, const ldns_rdf *name, unsigned type)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++)
		if (is_at(ldns_rr_list_rr(rrs, i), name, type))
			return ldns_rr_list_rr(rrs, i);
	return NULL;
}

static void note_ttl(struct packet_walk *w, const ldns_rr *rr)
{
	uint32_t ttl = ldns_rr_ttl(rr);

	/* RFC 2181 section 8: with the top bit set it counts as 0. */
	w->ttl = MIN_OF(w->ttl, ttl & 0x80000000u ? 0 : ttl);
}

/* False: there are too many, as in a loop. */
static bool follow_aliases(struct packet_walk *w)
{
	const ldns_rr *rr;

	while (w->type != DNS_CNAME && (rr = find(w->rrs, w->name, DNS_CNAME))) {
		if (++w->aliases > PACKET_ALIASES_MAX)
			return false;
		note_ttl(w, rr);
		w->name = ldns_rr_rdf(rr, 0);
	}
	return true;
}

static size_t rdata_size(const ldns_rr *rr)
{
	size_t n = 0;

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
		n += ldns_rdf_size(ldns_rr_rdf(rr, i)) + 1;
	return n;
}

static unsigned preference(const ldns_rr *rr)
{
	return ldns_rr_rd_count(rr) == 2 && ldns_rdf_size(ldns_rr_rdf(rr, 0)) == 2
		   ? ldns_rdf2native_int16(ldns_rr_rdf(rr, 0))
		   : UINT16_MAX;
}

/* Past the limit a better MX host takes the place of the worst one. */
static bool takes_place(struct packet_walk *w, const ldns_rr *rr)
{
	unsigned worst = 0;

	if (w->type != DNS_MX)
		return false;
	for (unsigned i = 1; i < w->n; i++)
		if (preference(w->found[i]) > preference(w->found[worst]))
			worst = i;
	if (preference(rr) >= preference(w->found[worst]))
		return false;
	w->bytes += rdata_size(rr) - rdata_size(w->found[worst]);
	w->found[worst] = rr;
	return true;
}

static void collect(struct packet_walk *w)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(w->rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(w->rrs, i);

		if (!is_at(rr, w->name, w->type))
			continue;
		if (w->n == DNS_RECORDS_MAX) {
			if (takes_place(w, rr))
				note_ttl(w, rr);
			continue;
		}
		note_ttl(w, rr);
		w->bytes += rdata_size(rr);
		w->found[w->n++] = rr;
	}
}

/* ---- records to ours --------------------------------------------------------------------- */

static bool take_name(const ldns_rdf *rdf, char **text, struct slice *ret)
{
	char name[DNS_NAME_MAX];
	int n = name_from_wire(ldns_rdf_data(rdf), ldns_rdf_size(rdf), name);

	if (n < 0)
		return false;
	memcpy(*text, name, (size_t)n);
	*ret = slice_of(*text, (size_t)n);
	*text += n;
	return true;
}

/* An MX whose host is not a possible name still counts as an MX: the domain has no implicit one.
 * The name in its place never resolves (RFC 6761 section 6.4). */
static void take_mx_name(const ldns_rdf *rdf, char **text, struct slice *ret)
{
	if (!take_name(rdf, text, ret))
		*ret = SLICE("unusable.invalid");
}

static bool take_ip(const ldns_rdf *rdf, uint8_t family, size_t n, struct ip *ret)
{
	if (ldns_rdf_size(rdf) != n)
		return false;
	ret->family = family;
	memcpy(ret->bytes, ldns_rdf_data(rdf), n);
	return true;
}

/* TXT: the strings, each with its length in front, are joined; others: the rdata as it is. */
static bool take_data(const ldns_rr *rr, size_t skip, char **text, struct slice *ret)
{
	const char *start = *text;

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);

		if (ldns_rdf_size(rdf) < skip)
			return false;
		memcpy(*text, ldns_rdf_data(rdf) + skip, ldns_rdf_size(rdf) - skip);
		*text += ldns_rdf_size(rdf) - skip;
	}
	*ret = slice_of(start, (size_t)(*text - start));
	return true;
}

static bool take_record(const ldns_rr *rr, enum dns_type type, char **text, struct dns_record *ret)
{
	size_t fields = ldns_rr_rd_count(rr);

	if (type == DNS_MX && fields != 2)
		return false;
	switch (type) {
	case DNS_A:
		return take_ip(ldns_rr_rdf(rr, 0), AF_INET, 4, &ret->ip);
	case DNS_AAAA:
		return take_ip(ldns_rr_rdf(rr, 0), AF_INET6, 16, &ret->ip);
	case DNS_MX:
		ret->preference = ldns_rdf2native_int16(ldns_rr_rdf(rr, 0));
		take_mx_name(ldns_rr_rdf(rr, 1), text, &ret->name);
		return true;
	case DNS_CNAME:
	case DNS_NS:
	case DNS_PTR:
		return take_name(ldns_rr_rdf(rr, 0), text, &ret->name);
	case DNS_TXT:
		return take_data(rr, 1, text, &ret->data);
	case DNS_TLSA:
		return take_data(rr, 0, text, &ret->data);
	}
	return false;
}

static struct answer *make_answer(const struct packet_walk *w)
{
	struct answer *ret = answer_new(w->n, w->bytes);
	unsigned n = 0;
	char *text;

	if (!ret)
		return NULL;
	text = answer_text(ret);
	for (unsigned i = 0; i < w->n; i++)
		n += take_record(w->found[i], w->type, &text, &ret->records[n]);
	ret->a.n = n;
	return ret;
}

/* ---- the verdict ------------------------------------------------------------------------- */

/* RFC 2308 section 5: a "no" is good for the lesser of the TTL of the SOA and its MINIMUM. */
static bool negative_ttl(const ldns_pkt *pkt, uint32_t *ret)
{
	const ldns_rr_list *rrs = ldns_pkt_authority(pkt);

	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(rrs, i);

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA || ldns_rr_rd_count(rr) != 7 ||
		    !is_whole(rr))
			continue;
		*ret = MIN_OF(ldns_rr_ttl(rr), ldns_rdf2native_int32(ldns_rr_rdf(rr, 6)));
		return true;
	}
	return false;
}

static void judge_empty(struct answer *w, const ldns_pkt *pkt, const struct packet_walk *walk,
			unsigned before)
{
	uint32_t ttl = 0;
	bool soa = negative_ttl(pkt, &ttl);

	w->a.ttl_s = MIN_OF(walk->ttl, ttl);
	w->a.status = ldns_pkt_get_rcode(pkt) == LDNS_RCODE_NXDOMAIN ? E_DNS_NXDOMAIN : E_DNS_NONE;
	/* An authority that knows the alias but not its target sends no SOA. */
	w->again = w->a.status == E_DNS_NONE && walk->aliases > before && !soa && walk->n == 0;
	if (w->again)
		w->a.ttl_s = walk->ttl;
}

static int finish(const ldns_pkt *pkt, struct packet_walk *walk, unsigned before,
		  struct answer **ret)
{
	struct answer *w;
	int n;

	if (!follow_aliases(walk)) {
		*ret = answer_status(E_DNS_TEMP, 0);
		(*ret)->keep = true;
		return 0;
	}
	collect(walk);
	w = make_answer(walk);
	if (!w)
		return -ENOMEM;
	w->keep = true;
	w->aliases = walk->aliases;
	w->a.ttl_s = walk->ttl;
	n = name_from_wire(ldns_rdf_data(walk->name), ldns_rdf_size(walk->name), w->canonical);
	w->a.canonical.n = n < 0 ? 0 : (size_t)n;
	if (w->a.n == 0)
		judge_empty(w, pkt, walk, before);
	if (n <= 0)
		w->again = false; /* the alias leads to a name that no host can have */
	*ret = w;
	return 0;
}

int packet_parse(const uint8_t *packet, size_t n, enum dns_type type, unsigned aliases,
		 struct answer **ret)
{
	struct packet_walk walk = { .type = type, .aliases = aliases, .ttl = UINT32_MAX };
	ldns_pkt *pkt = NULL;
	int r = E_SYNTAX;

	if (n > PACKET_BYTES_MAX || ldns_wire2pkt(&pkt, packet, n) != LDNS_STATUS_OK)
		return E_SYNTAX;
	if (ldns_rr_list_rr_count(ldns_pkt_question(pkt)) == 1) {
		walk.rrs = ldns_pkt_answer(pkt);
		walk.name = ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(pkt), 0));
		r = finish(pkt, &walk, aliases, ret);
	}
	ldns_pkt_free(pkt);
	return r;
}
