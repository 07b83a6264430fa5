/* mta/smtpd/sasl.h - what a client answers in AUTH: base64 to a name and a password.
 *
 *	PLAIN  = base64( [ authzid ] NUL authcid NUL passwd )          RFC 4616 section 2
 *	LOGIN  = base64( name ), then base64( password )               draft-murchison-sasl-login
 *
 * Names and passwords are compared byte for byte: no library of ours does SASLprep (RFC 4013).
 * Owns:   nothing; what is given points into the caller's struct.
 * Fails:  E_SYNTAX: it is not base64, has other NULs than these, or a part is empty or holds what
 *         it may not (a name: control bytes); E_LIMIT; E_DENIED: authzid names somebody else.
 * Limits: names of SASL_NAME_MAX bytes, passwords of SASL_PASSWORD_MAX. */
#pragma once
#include "base/base.h"

enum { SASL_NAME_MAX = 255, SASL_PASSWORD_MAX = 255 };
enum { SASL_TEXT_MAX = 2 * SASL_NAME_MAX + SASL_PASSWORD_MAX + 2 };

struct sasl_answer { /* holds a secret: sasl_forget() when it was used */
	struct slice name, password;
	char text[SASL_TEXT_MAX];
};
int sasl_plain(struct slice base64, struct sasl_answer *ret) MUST_CHECK;
int sasl_login_name(struct slice base64, struct sasl_answer *ret) MUST_CHECK;
int sasl_login_password(struct slice base64, struct sasl_answer *ret) MUST_CHECK;
void sasl_forget(struct sasl_answer *a);
