/* control/federation/role.c - roles by default. */
#include "control/federation/role.h"

#include "control/http/api.h"
#include "control/http/problem.h"

int role_of_strangers(struct call *c, struct slice name, struct role_choice *ret)
{
	int r = roles_choose(c, "/default_role", name, ret);

	if (r >= 0 && ret->role == ROLE_ADMIN)
		problem_add(c, "/default_role", "admin_by_default",
			    "cannot be admin: people who come in by themselves are made admins by "
			    "one");
	return r < 0 ? r : problem_end(c);
}

json_t *role_name_json(int64_t role, struct slice own)
{
	if (!role)
		return json_null();
	return role == ROLE_OWN ? api_text(own) : json_string(permit_role_name((enum role)role));
}

int role_may_all(struct call *c)
{
	if (!(permit_of_role(ROLE_ADMIN) & ~c->actor.permits))
		return 0;
	return problem(c, 403, "missing_permission",
		       "this decides who is let in as whom: it takes every permission of an admin");
}
