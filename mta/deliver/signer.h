/* mta/deliver/signer.h - whose keys sign a message, and what becomes of one that nobody signs.
 *
 * The domain of From signs with its own keys, or the nearest domain above it that has some does
 * (d=example.com for news.example.com: aligned for DMARC, RFC 7489 section 3.1.1).  Where it is
 * known whose the domain above is (mta/senders), it signs for that tenant's mail alone.
 * Unsigned mail is counted, and logged once a minute at most.  sign.required says where it is
 * refused; notices of failures are not.
 * Owns:    nothing; a keyring is borrowed (mta/deliver/keys.h).
 * Blocks:  on the key folder.
 * Threads: the lane's. */
#pragma once
#include "mta/deliver/deliverer.h"

/* The keys that sign; its n is 0 when there are none, and its err says why. */
struct keyring *signer_find(struct deliverer *dr, struct slice domain, uint64_t tenant);
/* It leaves unsigned.  0, or E_UNKNOWN: it must not. */
int signer_missing(struct deliverer *dr, struct slice domain, const struct chunk *k) MUST_CHECK;
