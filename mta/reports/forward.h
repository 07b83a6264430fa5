/* mta/reports/forward.h - mail of people to a mailbox of ours goes on to the address that
 * reports.forward names.  It is the only mail that anything which comes back causes.
 *
 * Guarantee: it goes to that address alone, from the null sender, and once: its job has the number
 *            of the mail.  What we have forwarded before, or what passed FORWARD_HOPS_MAX hosts, is
 *            not forwarded. */
#pragma once
#include "mta/core/engine.h"
#include "mta/reports/options.h"
#include "mta/reports/said.h"

enum { FORWARD_HOPS_MAX = 30 };
/* 0: it was, or needs not be; E_FULL and what spool_put() gives. */
int forward_maybe(struct engine *e, const struct reports_options *o, struct id128 mail,
		  struct slice envelope, struct slice message, const struct said *said) MUST_CHECK;
