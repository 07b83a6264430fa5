/* control/submission/token_grant.h - what an organisation's smart host asks for tokens with
 * (XOAUTH2): the members of a body, and the text that is sealed of them.
 *
 *	sealed = [ "client_secret = " value LF ] "refresh_token = " value
 *
 * Owns:   slices show into the body or the row.
 * Fails:  token_grant_check() adds to the problems of the request. */
#pragma once
#include "control/http/call.h"

enum {
	TOKEN_URL_MAX = 500,
	TOKEN_CLIENT_MAX = 255,
	TOKEN_SCOPE_MAX = 500,
	TOKEN_SECRET_MAX = 2048
};

struct token_grant {
	struct slice url, client_id, scope;
	struct slice client_secret, refresh; /* empty: those that are sealed stay */
};
/* had: one is sealed for the same endpoint, client and host. */
void token_grant_check(struct call *c, const struct token_grant *g, bool had);
/* Appends; old is what was sealed, or empty. */
int token_grant_text(const struct token_grant *g, struct slice old, struct buf *out) MUST_CHECK;
