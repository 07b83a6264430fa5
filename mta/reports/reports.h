/* mta/reports/reports.h - the listener for mail that comes back (RFC 3464, 5965, 8460 and what is
 * none of these).  The SMTP is mta/smtpd's, and so are its guarantees.
 *
 * Taken is what comes to a return path of ours (mta/returnpath) or to a configured mailbox; any
 * other recipient is refused in one and the same way.  Mail is in the log before it is
 * acknowledged, as it came, and is read after that (reading.h) by a process that has nothing
 * (base/sandbox.h).
 *
 * Guarantee: nothing that arrives here causes mail, except to the address of reports.forward.
 * Files:     part.c is the service, rate.c its limits for peers, reading.c and child.c give mail to
 *            the reader, reader.c is the reader, said.c what it answers, facts.c what follows.
 * Threads:   the lane's. */
#pragma once
#include "mta/core/part.h"

extern const struct part reports_part;
