/* control/suppression/address.c - addresses to the hashes that stand for them. */
#include "control/suppression/address.h"

#include <sodium.h>

void suppress_address_hash(struct slice normal, uint8_t ret[SUPPRESS_HASH_SIZE])
{
	uint8_t whole[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(whole, (const uint8_t *)normal.p, normal.n);
	memcpy(ret, whole, SUPPRESS_HASH_SIZE);
}

int suppress_address_parse(struct slice s, struct suppress_address *ret)
{
	int r = mailbox_parse(s, MAILBOX_CONTACT, &ret->box);

	if (r < 0)
		return r;
	ret->normal = mailbox_normal(&ret->box, ret->normal_text);
	suppress_address_hash(ret->normal, ret->hash);
	return 0;
}
