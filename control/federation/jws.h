/* control/federation/jws.h - a signed JSON object in the compact form (RFC 7515), held against a
 * set of public keys (RFC 7517).
 *
 * RS256, ES256 and EdDSA with Ed25519 (RFC 7518, RFC 8037).  The algorithm must be that of the key:
 * nothing in the token chooses how a key is used.  "none", and what is made with a shared secret,
 * is not known here (docs/decisions/0047-openid-connect.md).
 *
 * Fails:   E_SYNTAX (no compact JWS, or too long), E_DENIED (algorithm or signature), E_UNKNOWN (no
 *          such key: a newer set may have it).
 * Threads: any.
 * Limits:  JWS_MAX bytes; RSA keys of 2048 to 8192 bits; of a set, JWS_KEYS_MAX keys. */
#pragma once
#include <jansson.h>

#include "base/buf.h"

enum { JWS_MAX = 16 * 1024, JWS_KEYS_MAX = 50 };
/* ret: the payload, an object. */
int jws_open(struct slice compact, const json_t *key_set, json_t **ret) MUST_CHECK;
