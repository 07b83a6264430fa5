/* control/auth/gate.h - finds out who is asking: fills c->actor from the credentials, before any
 * handler runs.
 *
 * For routes that need a member it begins the organisation's transaction and looks the credential
 * up in it.  A revoked key or an ended session is therefore refused from the next request on, and a
 * key never may more than the member who made it.
 *
 * Fails: E_ANSWERED (401 or 403 was written), or what the database said. */
#pragma once
#include "control/auth/token.h"
#include "control/http/call.h"
#include "control/http/gate.h"

extern const struct http_gate auth_gate;
/* Reads the platform's token into app if an option names its file; error as in control/setup.h. */
int auth_read_token(struct app *app, char *error) MUST_CHECK;
/* "__Host-postern_session", which browsers take over HTTPS only, for this host and all its paths;
 * without http.cookie_secure, "postern_session". */
const char *auth_cookie(const struct app *app);
/* What the database keeps of the secret that the caller's session came with. */
void auth_session_hash(struct call *c, uint8_t ret[TOKEN_HASH_LEN]);
