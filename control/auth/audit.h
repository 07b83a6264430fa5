/* control/auth/audit.h - who changed what, in the transaction of the change.  Every route that
 * changes something writes a line; tests/e2e/api_audit.py walks them all and names the exceptions.
 *
 * A line keeps the lock of its organisation's chain until the transaction ends: write it last. */
#pragma once
#include "control/http/call.h"

/* action: for instance "key.created"; object: an id or name.  Takes detail (NULL: {}), which holds
 * no secret and no contact's data but the address of a suppression. */
int audit_put(struct call *c, const char *action, const char *object, json_t *detail) MUST_CHECK;
/* The same for an object by its id. */
int audit_put_id(struct call *c, const char *action, enum id_kind kind, uint64_t id,
		 json_t *detail) MUST_CHECK;
/* The same when c->db serves another organisation than the actor's: sign-up, platform. */
int audit_put_in(struct call *c, uint32_t org, const char *action, const char *object,
		 json_t *detail) MUST_CHECK;
/* The same for a user who is just entering. */
int audit_put_user(struct call *c, uint32_t org, uint64_t user, const char *action,
		   json_t *detail) MUST_CHECK;

/* {"members": [...]}: which members the body has, not what they are. */
json_t *audit_members(const struct call *c);
