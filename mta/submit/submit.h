/* mta/submit/submit.h - the submission service: applications hand in mail over SMTP, on any lane
 * (RFC 6409).  The SMTP is mta/smtpd's, and so are its guarantees: "250 queued" only after the
 * record is durable; only CRLF "." CRLF ends a message.  What is submission's own: which networks
 * may come in, the Received line, Date and Message-ID where they are missing, and the job that a
 * message becomes.
 *
 * Files:   part.c is the service and the part, message.c makes a job of what came, options.c has
 *          the options.  lane.h is theirs alone.
 * Owns:    the part's state is the lane's.
 * Blocks:  never, but as smtpd_server_free() at the end.
 * Threads: the lane's.
 * Limits:  the options submission.*, and those of mta/smtpd. */
#pragma once
#include "mta/core/part.h"

extern const struct part submit_part;
