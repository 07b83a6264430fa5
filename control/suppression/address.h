/* control/suppression/address.h - the name under which an address is suppressed: 16 bytes that tell
 * nothing to those who do not know the address.  SQL and the engine use the same.
 *
 *	hash = first 16 bytes of SHA-256( mailbox_normal( address ) )
 *	SQL:   :suppress_hash(email_norm)               (address.sql)
 *	engine: schema/wire/facts.h */
#pragma once
#include "base/base.h"
#include "message/mailbox.h"

enum { SUPPRESS_HASH_SIZE = 16 };
struct suppress_address {
	struct mailbox box;
	char normal_text[MAILBOX_MAX + 2];
	struct slice normal;
	uint8_t hash[SUPPRESS_HASH_SIZE];
};
void suppress_address_hash(struct slice normal, uint8_t ret[SUPPRESS_HASH_SIZE]);
/* E_SYNTAX, E_LIMIT: no contact can have this address.  ret->normal points into *ret. */
int suppress_address_parse(struct slice s, struct suppress_address *ret) MUST_CHECK;
