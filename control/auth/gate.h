/* control/auth/gate.h - who is asking: credentials into c->actor, before any handler.
 *
 * Begins the organisation's transaction for routes that need a member, and looks the credential up
 * in it, so that a revoked key or an ended session is refused from the next request on.
 *
 * Fails: E_ANSWERED (401 or 403 was written), or what the database said. */
#pragma once
#include "control/http/gate.h"

extern const struct http_gate auth_gate;
/* The platform's token into app, if there is to be one; error as in control/setup.h. */
int auth_read_token(struct app *app, char *error) MUST_CHECK;
#define SESSION_COOKIE "postern_session"
