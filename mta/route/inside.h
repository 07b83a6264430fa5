/* mta/route/inside.h - for the files of this folder alone. */
#pragma once
#include "mta/route/routes.h"

/* routes.c: do all its lists fit? */
bool routes_fit(const struct smart_route *r, const struct smart_subject *q);
/* routes.c: one key of a section.  E_UNKNOWN: there is no such key; E_SYNTAX: its value does not
 * fit. */
int routes_set_key(struct smart_route *r, struct slice key, struct slice v) MUST_CHECK;
/* The section is whole: NULL, or why it makes no route.  Fills in the port and the print. */
const char *routes_finish(struct smart_route *r);
