/* control/auth/audit.h - who changed what, in the transaction of the change. */
#pragma once
#include "control/http/call.h"

/* action: for instance "key.created"; object: an id or name.  Takes detail (NULL: {}), which never
 * holds a secret. */
int audit_put(struct call *c, const char *action, const char *object, json_t *detail) MUST_CHECK;
/* The same when c->db serves another organisation than the actor's: sign-up, platform. */
int audit_put_in(struct call *c, uint32_t org, const char *action, const char *object,
		 json_t *detail) MUST_CHECK;
