/* control/mail/mail.h - mail of the platform to people: invitations, codes, warnings.  It is
 * written in the transaction of the change that it tells about, and handed to the engine later.
 *
 * Guarantee: a mail exists exactly when its change is committed.  The engine gets it at least once
 *            and takes it once: its ids are drawn when it is written.
 * Guarantee: codes and tokens in it are sealed in the database, and deleted with the mail's row.
 * Blocks:  on the database, in the caller's open transaction of `org`.
 * Fails:   as control/db/db.h and control/app/secrets.h. */
#pragma once
#include <jansson.h>

#include "control/app/app.h"
#include "control/mail/codes.h"

/* The platform writes to people: mail.from is set. */
bool mail_on(const struct app *app);

struct mail_to {
	uint32_t org;
	struct slice address, language; /* language: "" is English */
};
/* values: the fields of the kind, as strings; taken.  "service" is added.  Without mail_on() this
 * does nothing. */
int mail_write(struct app *app, struct db *db, enum mail_kind kind, const struct mail_to *to,
	       json_t *values) MUST_CHECK;
/* The page of the console that uses a token: {"link": ...} or, where no console is named,
 * {"token": ...}.  page: "invite", "reset". */
json_t *mail_link(const struct app *app, const char *page, const char *token);
