/* control/auth/signup.h - a new organisation with its first admin. */
#pragma once
#include "control/http/call.h"

struct new_org {
	const char *password_pointer; /* in the request */
	struct slice org_name, email, name, password;
	bool suspended; /* until the platform resumes it */
	bool log_in;    /* reply with a session */
	uint32_t ret_org;
	uint64_t ret_user;
};
/* Runs its own transaction.  Replies with the session if log_in is set, else the caller replies. */
int signup_create(struct call *c, struct new_org *n) MUST_CHECK;
