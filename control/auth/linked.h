/* control/auth/linked.h - a member whose account belongs to a person of several organisations
 * (schema/sql/0052_persons.sql).
 *
 * Guarantee: who is let into an account by its organisation (a new password, a factor taken away)
 *            gets nowhere else by it: that ends the link.
 * Blocks:    on the database, in the open transaction of org. */
#pragma once
#include "control/http/call.h"

/* Ends the link, if there is one; the person is told, and the audit. */
int linked_end(struct call *c, uint32_t org, uint64_t user) MUST_CHECK;
/* The lines that a link, or its end, leaves with a member of the organisation that c->db serves. */
int linked_tell(struct call *c, uint32_t org, uint64_t user, bool linked) MUST_CHECK;
