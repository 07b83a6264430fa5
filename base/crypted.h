/* base/crypted.h - hashes of passwords by crypt(3), as in /etc/shadow: yescrypt to make one, and
 * whatever libcrypt takes for sound to compare with.
 * Blocks: for as long as the hash wants, 20 ms and more: never on a loop's thread.
 * Fails:  E_LIMIT, E_SYNTAX for a password that is empty or has a NUL, E_CRYPTO, -ENOMEM.
 * Limits: passwords of CRYPTED_PASSWORD_MAX bytes. */
#pragma once
#include "base/base.h"

enum { CRYPTED_PASSWORD_MAX = 511, CRYPTED_HASH_MAX = 383 };

int crypted_make(struct slice password, char ret[CRYPTED_HASH_MAX + 1]) MUST_CHECK;
/* Is this a hash that crypted_matches() can compare with, and none that is too weak? */
bool crypted_is_good(struct slice hash);
/* In constant time where it compares. */
bool crypted_matches(struct slice password, const char *hash);
