/* schema/wire/facts.h - what the control plane tells the engine about senders, suppressions,
 * credentials and smart hosts, as packed facts: on the link (LINK_FACTS) and in the engine's own
 * file (mta/senders/store.h).
 *
 *	fact    = kind: u8, tenant: u64, what follows by kind           (numbers big-endian)
 *	SENDER       length: u8, domain, length: u8, pool     tenant sends as this domain
 *	NO_SENDER    length: u8, domain                       it no longer does
 *	STOPS_ALL    hash: 16 bytes                           nothing may go to this address
 *	STOPS_BULK   hash: 16 bytes                           transactional mail may, other may not
 *	STOPS_NONE   hash: 16 bytes                           everything may
 *	SUM          of: u8, count: u64, sum: u64             see below
 *	CREDENTIAL   object                                   tenant submits so (mta/credentials)
 *	NO_CREDENTIAL  id: u64                                it no longer does
 *	SMART_ROUTE  object                                   tenant's mail goes so (mta/route)
 *	NO_SMART_ROUTE id: u64                                it no longer does
 *
 *	hash   = first 16 bytes of SHA-256( mailbox_normal( address ) )
 *	object = id: u64, stamp: 16 bytes, length: u16, text  each change draws a new stamp
 *
 * A later fact about a domain, or about a tenant's address or object, takes the place of an earlier
 * one.  SUM says how many facts of one kind (SENDER, STOPS_ALL, STOPS_BULK, CREDENTIAL,
 * SMART_ROUTE) a tenant has, and the exclusive or of the first 8 bytes of each hash or stamp (of
 * SHA-256 over a sender's domain): two that have the same sums know the same.
 *
 * Owns:   nothing; slices point into the packed bytes.
 * Fails:  E_SYNTAX, E_LIMIT.  wire_fact_put() also -ENOMEM. */
#pragma once
#include "base/buf.h"

enum { WIRE_FACT_HASH = 16, WIRE_FACT_NAME_MAX = 253, WIRE_FACT_TEXT_MAX = 12 * 1024 };
enum wire_fact_kind {
	WIRE_FACT_SENDER = 1,
	WIRE_FACT_NO_SENDER = 2,
	WIRE_FACT_STOPS_ALL = 3,
	WIRE_FACT_STOPS_BULK = 4,
	WIRE_FACT_STOPS_NONE = 5,
	WIRE_FACT_SUM = 6,
	WIRE_FACT_CREDENTIAL = 7,
	WIRE_FACT_NO_CREDENTIAL = 8,
	WIRE_FACT_SMART_ROUTE = 9,
	WIRE_FACT_NO_SMART_ROUTE = 10,
};
struct wire_fact {
	enum wire_fact_kind kind;
	uint64_t tenant;
	struct slice domain, pool;
	uint8_t hash[WIRE_FACT_HASH]; /* or stamp; not all zero */
	enum wire_fact_kind of;
	uint64_t count, sum;
	uint64_t id; /* of an object */
	struct slice text;
};

bool wire_fact_is_object(enum wire_fact_kind k); /* it has a text */
bool wire_fact_ends_object(enum wire_fact_kind k);

int wire_fact_put(struct buf *out, const struct wire_fact *f) MUST_CHECK;
/* Takes the first fact off *facts.  1; 0: there is none left; E_SYNTAX. */
int wire_fact_next(struct slice *facts, struct wire_fact *ret) MUST_CHECK;
/* The first 8 bytes of a hash, as sums have them. */
uint64_t wire_fact_sum(const uint8_t *hash);
