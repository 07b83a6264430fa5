/* control/auth/key_certificate.h - keys that need a client certificate (RFC 8705 in spirit).
 *
 * Such a key, and every token given for it, is good only on a connection on which this certificate
 * was shown and verified (control/http/tls.h).  Instead of its secret a client may then send the
 * key's name alone:
 *
 *	name = "mk_cert_" org key
 *
 * The name is no secret.  It says which key is meant, so that nobody can have a stranger's
 * certificate stand for a key of their own (docs/decisions/0037-keys.md). */
#pragma once
#include "control/http/call.h"

enum { KEY_CERTIFICATE_NAME_MAX = 40 };
int key_certificate_parse(struct slice name, uint32_t *ret_org,
			  uint64_t *ret_key) MUST_CHECK; /* E_SYNTAX */
char *key_certificate_name(uint32_t org, uint64_t key, char buf[KEY_CERTIFICATE_NAME_MAX]);

/* What a key needs; both empty: none. */
struct key_certificate {
	char sha256[CERTIFICATE_HASH_LEN];
	struct slice hash, subject; /* hash points to sha256, or is empty */
};
/* From the member "certificate" of a body: {"sha256": ...} or {"subject": ...}; null is none. */
void key_certificate_read(struct call *c, json_t *json, struct key_certificate *ret);
json_t *key_certificate_json(uint32_t org, uint64_t key, struct slice hash, struct slice subject);
bool key_certificate_fits(const struct call *c, struct slice hash, struct slice subject);
