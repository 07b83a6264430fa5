/* control/org/traits.h - what an organisation says of itself: the member `profile` of /v1/org and
 * of a sign-up.  Nothing follows from it; it is for people.
 *
 *	{"website": URL, "industry": line, "employees": number or null,
 *	 "contacts": [{"name": line, "email": address, "phone": number, "role": line}]}
 *
 * Limits: TRAITS_CONTACTS_MAX contacts. */
#pragma once
#include "control/http/call.h"

enum { TRAITS_CONTACTS_MAX = 10 };
/* problem_add() for what is wrong with it; NULL is right.  null stands for nothing said. */
void traits_check(struct call *c, const json_t *given);
/* All members, from what the database keeps of them. */
json_t *traits_json(struct slice stored);
