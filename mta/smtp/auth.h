/* mta/smtp/auth.h - what a session says to prove who we are: RFC 4954, mechanisms PLAIN (RFC 4616),
 * LOGIN, and XOAUTH2 (a bearer token, as Google and Microsoft take it).
 *
 * Guarantee: nothing of a credential leaves but under TLS whose certificate was proved
 *            (mta/door/tls.h: by chain or by DANE).
 * Names: smtp_auth_
 * Owns:    nothing; the bytes are the caller's and outlive the session.
 * Limits:  AUTH_SECRET_MAX bytes of a user's name, a password or a token. */
#pragma once
#include "base/buf.h"

enum auth_mechanism {
	AUTH_NONE,
	AUTH_PLAIN,
	AUTH_LOGIN,
	AUTH_XOAUTH2,
	AUTH_PASSWORD, /* PLAIN, else LOGIN: what the host offers */
	AUTH_MECHANISMS
};
enum { AUTH_SECRET_MAX = 4096 };

struct session_auth {
	enum auth_mechanism mechanism;
	struct slice user, secret; /* secret: a password, or a token */
};
const char *smtp_auth_name(enum auth_mechanism m); /* "plain" */
