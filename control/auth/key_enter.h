/* control/auth/key_enter.h - who comes with an API key, or with a token that was given for one.
 * Blocks: on the database; begins the transaction of the key's organisation. */
#pragma once
#include "control/auth/access_token.h"
#include "control/auth/token.h"
#include "control/http/call.h"

enum key_verdict {
	KEY_FINE,           /* c->actor is filled */
	KEY_WRONG,          /* no such key, another secret, revoked, or expired */
	KEY_TOKEN_OVER,     /* the token has expired */
	KEY_UNSHOWN,        /* the certificate that it needs was not shown */
	KEY_ELSEWHERE,      /* not from this address */
	KEY_OWNER_INACTIVE, /* its owner is removed or disabled */
	KEY_OWNER_MAY_NOT,  /* its owner could not make it now */
};
/* The hash of the secret that was used, so that a token can be given for it. */
struct key_secret {
	char hash[TOKEN_HASH_LEN];
};
int key_enter(struct call *c, const struct token *t, enum key_verdict *ret,
	      struct key_secret *ret_secret) MUST_CHECK; /* ret_secret may be NULL */
int key_enter_token(struct call *c, const struct access_token *t, enum key_verdict *ret) MUST_CHECK;
/* By name and certificate alone (control/auth/key_certificate.h). */
int key_enter_named(struct call *c, uint32_t org, uint64_t key, enum key_verdict *ret) MUST_CHECK;
/* For a refusal: what is wrong, as a sentence. */
const char *key_verdict_text(enum key_verdict v);
