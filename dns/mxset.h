/* dns/mxset.h - the name of a set of MX hosts: the same set in any order gives the same text.
 *	up to 3 hosts      mx1.example.net,mx2.example.net
 *	more, one suffix   (alt1|alt2|alt3|alt4|).aspmx.l.google.com
 * A text past 253 bytes is cut and ends in '#' and a hash of all of it. */
#pragma once
#include "base/buf.h"
#include "dns/route.h"

/* Sorts names in place; ret holds DNS_NAME_MAX bytes. */
void mxset_name(const char **names, unsigned n, char *ret);
