/* control/signup/signup.h - a new organisation with its first admin.
 * Owns:  nothing; the slices of a struct new_org are the request's.
 * Names: NEW_ORG_. */
#pragma once
#include "control/auth/password.h"
#include "control/http/body.h"

struct new_org {
	const char *password_pointer; /* in the request */
	struct slice org_name, email, name, password;
	json_t *profile; /* control/org/traits.h; borrowed, or NULL */
	bool suspended;  /* until the platform resumes it */
	bool log_in;     /* reply with a session */
	uint32_t ret_org;
	uint64_t ret_user;
};
/* The members of a request that fill it in.  org is what the organisation's name is called there;
 * `before` stands before the names of the admin's members. */
/* clang-format off */
#define NEW_ORG_FIELDS(org, before) \
	{ org, BODY_NAME, offsetof(struct new_org, org_name), BODY_REQUIRED, 1, 200, 0 }, \
	{ before "email", BODY_EMAIL, offsetof(struct new_org, email), BODY_REQUIRED, 0, 0, 0 }, \
	{ before "name", BODY_NAME, offsetof(struct new_org, name), 0, 0, 100, 0 }, \
	{ before "password", BODY_LINE, offsetof(struct new_org, password), BODY_REQUIRED, \
	  PASSWORD_MIN, PASSWORD_MAX, 0 }, \
	{ "profile", BODY_OBJECT, offsetof(struct new_org, profile), 0, 0, 0, 0 }
/* clang-format on */
/* Its steps.  signup_prepare() checks the password, takes a try, and hashes; signup_number() draws
 * ret_org; signup_write() runs inside the transaction of ret_org; it replies when log_in is
 * set. */
int signup_prepare(struct call *c, const struct new_org *n,
		   char hash[PASSWORD_HASH_MAX]) MUST_CHECK;
int signup_number(struct call *c, uint32_t *ret) MUST_CHECK;
int signup_write(struct call *c, struct new_org *n, const char *hash) MUST_CHECK;
/* With a code that is mailed first (signup.verification = mail); replies 202. */
int signup_by_mail(struct call *c, struct new_org *n) MUST_CHECK;
int signup_confirm(struct call *c) MUST_CHECK; /* POST /v1/auth/signup/verify */
/* Runs its own transaction.  Replies with the session if log_in is set, else the caller replies. */
int signup_create(struct call *c, struct new_org *n) MUST_CHECK;
