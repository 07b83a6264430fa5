/* control/federation/role.h - the role that people get who come in by themselves.
 * Blocks: on the database, in the organisation's open transaction. */
#pragma once
#include "control/auth/roles.h"

/* As roles_choose(), but never admin. */
int role_of_strangers(struct call *c, struct slice name, struct role_choice *ret) MUST_CHECK;
/* The name of a role as columns hold it; null for 0. */
json_t *role_name_json(int64_t role, struct slice own);
/* 403 and E_ANSWERED unless the caller has every permission that there is.  Who says which party
 * vouches for people could have it vouch for an admin. */
int role_may_all(struct call *c) MUST_CHECK;
