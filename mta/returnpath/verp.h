/* mta/returnpath/verp.h - what the local part of a return path says: which recipient of which job
 * mail that comes back is about.  Nothing is looked up: the token says it all, and a MAC over it
 * and the host proves that we made it.
 *
 *	local part = kind "+" token         kind: "b" return path, "u" unsubscribe
 *	token      = base32 (RFC 4648 section 6, no padding, either case) of
 *	             key id (1), last day (2), job (16), row (2), tenant (0 to 7), MAC (8)
 *	MAC        = the first 64 bits of HMAC-SHA256(key, kind, host in lower case, 0, what is
 *	             before it)
 *
 * Numbers are big-endian; days are counted from 1970.  Of the tenant leading zero bytes are left
 * out; one of more than 56 bits is left out altogether.
 *
 * Guarantee: a local part has VERP_LOCAL_MAX characters at most.
 * Guarantee: what is not exactly what verp_write() gives, apart from case, is E_DENIED, whatever is
 *            wrong with it; MACs are compared in constant time.
 * Owns:    verp_keys_new() gives the caller the keys; they never change once they are shared.
 * Threads: any. */
#pragma once
#include "base/buf.h"
#include "schema/wire/rows.h"

enum {
	VERP_LOCAL_MAX = 60,
	VERP_KEY_BYTES = 32,
	VERP_KEYS_MAX = 64,
	VERP_ROW_ANY = 0xffff, /* all recipients of the job */
};
enum verp_kind { VERP_BOUNCE = 'b', VERP_UNSUBSCRIBE = 'u' };
struct verp {
	enum verp_kind kind;
	struct id128 job;
	uint16_t row;
	uint16_t last_day; /* on which it is good */
	uint64_t tenant;
};

struct verp_keys;
struct verp_keys *verp_keys_free(struct verp_keys *k);
DEFINE_OWNED(verp_keys)
struct verp_keys *verp_keys_new(void);
/* A key that was made on this day; the newest one signs.  E_EXISTS: there is one whose day gives
 * the same id; E_LIMIT; E_CRYPTO. */
int verp_keys_add(struct verp_keys *k, unsigned day,
		  const uint8_t secret[VERP_KEY_BYTES]) MUST_CHECK;
int verp_keys_newest(const struct verp_keys *k); /* its day; -1: there is none */

bool verp_keys_same(const struct verp_keys *a, const struct verp_keys *b); /* of the same days */

/* Writes kind and token, without an end; gives the length, 0 when there is no key. */
size_t verp_write(const struct verp_keys *k, const struct verp *t, struct slice host,
		  char ret[VERP_LOCAL_MAX]);
/* E_DENIED: no token of ours for this host, or not good on this day any more. */
int verp_read(const struct verp_keys *k, struct slice local, struct slice host, unsigned today,
	      struct verp *ret) MUST_CHECK;
