/* control/federation/return_to.h - where a browser goes after a sign-in: never where a stranger's
 * link sends it.
 *
 *	/path?query		of the console (console.url), or of the API's own host
 *	https://origin/path	whose origin is console.url's, or listed by api.origins or by the
 *				organisation (`origins` of /v1/org)
 *
 * Absent it is "/".  Nothing of it may be read in two ways: no backslash, no blank, no control, no
 * byte beyond ASCII, no "//" at its beginning, no user before the host, no fragment. */
#pragma once
#include "control/federation/journey.h"

/* ret holds JOURNEY_RETURN_MAX + 1; 400 `invalid_return_to` and E_ANSWERED. */
int return_to_read(struct call *c, uint32_t org, struct slice given, char *ret) MUST_CHECK;
