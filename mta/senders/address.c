/* mta/senders/address.c - an address to its hash. */
#include "mta/senders/address.h"

#include <openssl/evp.h>

int senders_address_hash(struct slice address, uint8_t ret[WIRE_FACT_HASH])
{
	uint8_t whole[EVP_MAX_MD_SIZE];
	char text[MAILBOX_MAX + 2];
	struct slice normal;
	struct mailbox box;
	int r = mailbox_parse(address, MAILBOX_UTF8 | MAILBOX_IDN | MAILBOX_QUOTED_ANY, &box);

	if (r < 0)
		return r;
	normal = mailbox_normal(&box, text);
	if (EVP_Digest(normal.p, normal.n, whole, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	memcpy(ret, whole, WIRE_FACT_HASH);
	return 0;
}
