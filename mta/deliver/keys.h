/* mta/deliver/keys.h - the DKIM keys of domains, kept while they are likely to be used again.
 * Owns:   what it keeps.
 * Blocks: on the key folder.
 * Limits: one lane; keys are read again after a minute, after five seconds if there were none. */
#pragma once
#include "base/map.h"
#include "dkim/keydir.h"

struct keyring {
	struct map_link link;
	struct sign_key *keys[KEYDIR_KEYS_MAX];
	unsigned n;
	int err;               /* why there are none */
	int64_t look_again_ms; /* monotonic; keys may have been put there by hand */
	uint64_t print;        /* of the public halves: shows that keys have changed */
	/* Without keys: which of its domains above signs instead (mta/deliver/signer.c). */
	int64_t above_look_ms; /* monotonic: then look for it anew */
	uint64_t above_tenant; /* whose that is; 0: not known */
	uint16_t above;        /* where its name begins in `domain`; 0: there is none */
	bool judged;           /* a message signed with them has passed libopendkim */
	char domain[256];
};
struct keyrings {
	struct map map;
};
void keyrings_init(struct keyrings *k);
void keyrings_end(struct keyrings *k);
/* Borrowed until the next call that may forget it. */
struct keyring *keyrings_get(struct keyrings *k, const char *dir, struct slice domain,
			     int64_t now_ms);
void keyrings_forget(struct keyrings *k, struct slice domain); /* all when empty */
