/* control/contacts/leaving.h - who else must know that a contact is erased, wants no mail any more
 * or has another address: the room that has mail for it gives this function.
 *
 * Blocks: on the database, in the organisation's transaction that erases or changes the contact,
 *         before it is gone.
 * Fails:  as control/db/db.h; then the contact stays. */
#pragma once
#include "control/app/app.h"

enum contacts_leaving_why { CONTACT_IS_ERASED, CONTACT_IS_CHANGED };
struct contacts_leaving {
	/* Ends what was not delivered to it yet. */
	int (*contact)(struct app *app, struct db *db, uint32_t org, uint64_t contact,
		       enum contacts_leaving_why why) MUST_CHECK;
};
/* control/routes.c names it. */
extern const struct contacts_leaving *const contacts_leaving;
