/* control/auth/key_owner.h - what becomes of a member's keys when the member's rights change: a key
 * ends with its owner's right to make it, and this is said before it happens.
 *
 * Whoever takes the rights away is refused once, and told which keys end: 409 keys_end.  With
 * ?end_keys=true the change is made, and the admins and the owner are told by mail.
 *
 * Blocks: on the database, in the organisation's open transaction. */
#pragma once
#include "control/http/call.h"

#define KEY_OWNER_QUERY "end_keys"
/* Call it before the change, with the member's row locked: the permissions that the member gets
 * (NULL: stay), and the status (control/auth/codes.h; 0: stays). */
int key_owner_changes(struct call *c, uint64_t user, const uint64_t *permits,
		      int status) MUST_CHECK;
int key_owner_leaves(struct call *c, uint64_t user) MUST_CHECK;
/* Tells the admins of the organisation, and this user, that keys end.  names: as the mail shows
 * them; why: a field of the mail that is set, "expires", "removed" or "demoted". */
struct key_ending {
	uint32_t org;
	uint64_t owner;
	struct slice names;
	int64_t at_ms;
	const char *why;
};
int key_owner_tell(struct app *app, struct db *db, const struct key_ending *e) MUST_CHECK;
