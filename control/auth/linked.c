/* control/auth/linked.c - ending links, and telling of them without naming the other side. */
#include "control/auth/linked.h"

#include "control/auth/audit.h"
#include "control/auth/factor.h"

int linked_tell(struct call *c, uint32_t org, uint64_t user, bool linked)
{
	int r = factor_tell(c, org, user, linked ? FACTOR_LINKED : FACTOR_UNLINKED);

	return r < 0
		   ? r
		   : audit_put_user(
			 c, org, user,
			 linked ? "user.organisation_linked" : "user.organisation_unlinked", NULL);
}

int linked_end(struct call *c, uint32_t org, uint64_t user)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, "SELECT person_unlink($1)", p_int(user));

	return r < 0 ? r : db_bool(res, 0, 0) ? linked_tell(c, org, user, false) : 0;
}
