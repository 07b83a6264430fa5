/* control/domains/bounces.h - do bounces to a customer's return path reach our host?  They do when
 * all of the best MX are our host, by name or by address; without MX when the name's addresses are
 * ours (RFC 5321 section 5.1).
 * Blocks: on DNS, within the bounds of the inquiry.
 * Names:  bounces_. */
#pragma once
#include "control/domains/inquiry.h"

enum { BOUNCES_WHY_MAX = 200 };

enum bounces_way {
	BOUNCES_NOWHERE, /* neither MX nor address */
	BOUNCES_ELSEWHERE,
	BOUNCES_OURS,
	BOUNCES_UNSURE, /* no answer */
};
/* ret_why says what decided, when it is not our host's name in an MX. */
enum bounces_way bounces_find(struct inquiry *a, struct slice name, struct slice host,
			      char ret_why[BOUNCES_WHY_MAX]);
