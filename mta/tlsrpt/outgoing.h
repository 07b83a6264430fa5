/* mta/tlsrpt/outgoing.h - a report on its way: the record is asked for anew, then each address in
 * it is given the report, by mail of our own queue or by HTTPS (RFC 8460 sections 3 and 5).
 *
 * HTTPS has the bounds of mta/policy/fetch.h, and addresses that mta/policy/public_host.h allows.
 * Mail counts as handed over once it is in the spool; from there it is a message like any other,
 * that expires after a day.
 * Owns:    outgoing_begin()'s object frees itself.
 * Threads: the first lane's.
 * Fails:   never: what could not be handed over is due again (mta/tlsrpt/results.h).
 * Limits:  OUTGOING_MAX at a time. */
#pragma once
#include "mta/tlsrpt/tlsrpt.h"

enum { OUTGOING_MAX = 16 };
/* domain's report is in hand (results_due()). */
void outgoing_begin(struct tlsrpt *t, const char *domain);
void outgoing_end_all(struct tlsrpt *t); /* at the lane's end, when nobody fetches any more */
