/* control/auth/roles.h - which role is meant by a name: a built-in one, or one that the
 * organisation made.
 * Blocks: on the database, in the organisation's open transaction. */
#pragma once
#include "control/auth/permit.h"
#include "control/http/call.h"

enum { ROLE_NAME_MAX = 40 };
struct role_choice {
	enum role role;
	char own[ROLE_NAME_MAX + 1]; /* of ROLE_OWN; else "" */
	uint64_t permits;
};
/* Reads a role that the caller gives to somebody; problem_add() when there is none of this name, or
 * when it has permissions that the caller has not: otherwise a key of few scopes would make itself
 * an admin.  The role stays as it is until the transaction ends. */
int roles_choose(struct call *c, const char *pointer, struct slice name,
		 struct role_choice *ret) MUST_CHECK;
