/* dkim/keydir.h - the signing keys of the engine on disk: <dir>/<domain>/<selector>.pem, mode 0600
 * or 0640.
 * Names become lower case and are checked: letters, digits, '-', '_' and single dots inside.  No
 * name can lead out of the folder.
 *
 * Owns:   keydir_load() gives the caller the keys it wrote to keys[0 .. *ret_n).
 * Blocks: on the disk.
 * Fails:  E_SYNTAX for a bad name, E_DENIED for a file that others can read or change (group may
 *         read), E_CRYPTO for a key that cannot be used, E_LIMIT for more
 *         selectors than max, -errno.  A failed store leaves the old key whole. */
#pragma once
#include "dkim/sign.h"

enum { KEYDIR_KEYS_MAX = 4 };

/* All selectors of a domain in the order of their names; a domain without a folder has none. */
int keydir_load(const char *dir, struct slice domain, struct sign_key **keys, unsigned max,
		unsigned *ret_n) MUST_CHECK;
/* What keydir_load() gave, in words for the operator. */
const char *keydir_reason(int err);
/* Durable when it returns 0; the key is tried before it is written. */
int keydir_store(const char *dir, struct slice domain, struct slice selector,
		 struct slice pem) MUST_CHECK;
/* E_UNKNOWN when there is no such key. */
int keydir_remove(const char *dir, struct slice domain, struct slice selector) MUST_CHECK;
