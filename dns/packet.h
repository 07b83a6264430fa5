/* dns/packet.h - questions to bytes, and bytes to answers.  ldns takes packets apart; this file
 * decides what is believed of them.
 * RFC 1035, 2308 (negative answers), 5452 section 9.1 (what must match), 6891 (EDNS), 6840 (AD). */
#pragma once
#include "dns/answer.h"

enum {
	PACKET_QUESTION_MAX = 12 + 255 + 4 + 11,
	PACKET_UDP_MAX = 1232, /* what we offer by EDNS: passes every path unfragmented */
	PACKET_BYTES_MAX = 65535,
	PACKET_ALIASES_MAX = 8,
};

/* Writes a question for a clean name; out holds PACKET_QUESTION_MAX bytes. */
size_t packet_question(uint8_t *out, uint16_t id, struct slice name, enum dns_type type, bool edns);

/* Is this packet the answer to that question, by id, response bit, opcode, and the question itself
 * with its type and class?  Any other packet is ignored. */
bool packet_answers(const uint8_t *question, const uint8_t *packet, size_t n);

struct packet_flags {
	bool truncated, authentic;
	unsigned rcode; /* of the header: 0 NOERROR, 1 FORMERR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED */
};
struct packet_flags packet_flags(const uint8_t *packet);
enum { RCODE_NOERROR = 0, RCODE_FORMERR = 1, RCODE_NXDOMAIN = 3 };

/* The answer in a packet that packet_answers() accepted and whose rcode is NOERROR or NXDOMAIN.
 * aliases: followed before this packet.  E_SYNTAX: malformed. -ENOMEM. */
int packet_parse(const uint8_t *packet, size_t n, enum dns_type type, unsigned aliases,
		 struct answer **ret) MUST_CHECK;
