/* control/auth/profile.h - what a person says of themselves beside names: telephone number, time
 * zone, and which mails they want.
 *
 * The telephone number is sealed in the database.  Mails that protect the account (a changed
 * password, address or factor, codes) are always sent.
 *
 * Blocks: on the database, in the organisation's open transaction; on the disk, for a time zone. */
#pragma once
#include "control/http/body.h"
#include "control/mail/codes.h"

enum { PHONE_MAX = 16, ZONE_MAX = 60 };

struct profile {
	struct slice phone, time_zone; /* NULL: stays; "": none */
	json_t *notifications;         /* NULL: stays */
};
/* problem_add() for what is wrong with it. */
void profile_check(struct call *c, const struct profile *p);
/* Of the caller; 1, or 0 when all is as it was. */
int profile_write(struct call *c, const struct profile *p) MUST_CHECK;
/* Adds phone, time_zone, avatar and notifications to the user's JSON. */
int profile_add(struct call *c, uint32_t org, uint64_t user, json_t *who) MUST_CHECK;

/* Where a picture is served; null without one. */
json_t *profile_avatar(struct slice address);

/* users.mail_off: bit n is mail kind n. */
#define PROFILE_MAIL_BIT(kind) (1 << (kind))
/* Is it a zone of the time zone database? */
bool profile_is_zone(struct slice name);
/* "+49 (30) 1234-5678" as "+493012345678"; E_SYNTAX. */
int profile_phone(struct slice text, char ret[PHONE_MAX + 1]) MUST_CHECK;
