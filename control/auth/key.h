/* control/auth/key.h - what the files about API keys share.
 * Blocks: on the database, in the organisation's open transaction.
 * Names:  key_. */
#pragma once
#include "control/auth/permit.h"
#include "control/http/call.h"

enum { KEY_SCOPES_MAX = 64, KEY_CIDRS_MAX = 32, KEY_OWNED_MAX = 1000 };

/* May somebody with these permissions make a key with these scopes? */
static inline bool key_may_have(uint64_t permits, uint64_t scopes)
{
	return (permits & PERMIT_KEYS_WRITE) && !(scopes & ~permits);
}
/* Of a list in the body; nobody can give a key a permission that they do not have.  Networks come
 * with spaces between them. */
uint64_t key_read_scopes(struct call *c, json_t *list);
void key_read_cidrs(struct call *c, json_t *list, struct buf *out);
/* Locks the row.  Guarantee: a key with few scopes neither ends nor changes one with more; it may
 * always end itself.  A test key reaches test keys only. */
struct key_row {
	uint64_t scopes, owner; /* owner 0: none */
	bool runs;              /* neither revoked nor expired */
};
int key_reach(struct call *c, uint64_t id, struct key_row *ret) MUST_CHECK;
int key_reply(struct call *c, uint64_t id, unsigned status, const char *secret_token) MUST_CHECK;

/* key_change.c: handlers */
int key_patch(struct call *c) MUST_CHECK;
int key_regenerate(struct call *c) MUST_CHECK;
int key_usage(struct call *c) MUST_CHECK;
