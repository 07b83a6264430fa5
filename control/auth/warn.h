/* control/auth/warn.h - tells a person by mail what was done with their account: from where, and
 * with which program.
 * Blocks: on the database, in the open transaction of org. */
#pragma once
#include "control/http/call.h"
#include "control/mail/codes.h"

/* detail: further fields of the mail, or NULL; taken.  address: where to, when it is not the one
 * that the account has; else an empty slice. */
int warn_person(struct call *c, uint32_t org, uint64_t user, enum mail_kind kind,
		struct slice address, json_t *detail) MUST_CHECK;
/* A login from a network that this person never logged in from, when there are others. */
int warn_new_device(struct call *c, uint32_t org, uint64_t user) MUST_CHECK;
