/* control/auth/login_session.h - making and ending sessions. */
#pragma once
#include "control/http/call.h"

/* What somebody showed who comes in. */
struct login_shown {
	bool own;    /* a password of their own, here or in an organisation that is linked */
	bool proved; /* that they are there, now */
};
/* In a transaction of org: begins a session of the user and replies with `status`: the token, the
 * CSRF value, the user, and the cookie. */
int login_session_begin(struct call *c, uint32_t org, uint64_t user, unsigned status,
			struct login_shown shown) MUST_CHECK;
/* The caller's own session under a new id and secret: what may do more, or less, than before must
 * not be known to whoever knew the old one.  proved: the person has just given their password.
 * Gives what a login answers, and sets the cookie. */
int login_session_renew(struct call *c, bool proved, json_t **ret) MUST_CHECK;
/* A token whose session went on under another id comes again: somebody else has it, or its owner
 * does and somebody else went on.  Both must log in again.  Begins a transaction of its own. */
int login_session_reused(struct call *c, uint32_t org, uint64_t session) MUST_CHECK;
/* Sets the cookie to this token; "" takes it away. */
void login_session_cookie(struct call *c, const char *token);
/* Ends every session of a user except `but` (0: every one). */
int login_session_end_all(struct call *c, uint64_t user, uint64_t but) MUST_CHECK;
/* Locks the user's row and compares If-Match with its version, as call_if_match() does. */
int login_session_if_match(struct call *c, uint64_t user) MUST_CHECK;
/* The user as JSON, with organisation and permissions; NULL when there is none. */
int login_session_user(struct call *c, uint32_t org, uint64_t user, json_t **ret) MUST_CHECK;
