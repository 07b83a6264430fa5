/* mta/submit/submit.h - the submission service: applications hand in mail over SMTP, on any lane
 * (RFC 6409).  The SMTP is mta/smtpd's, and so are its guarantees: "250 queued" only after the
 * record is durable; only CRLF "." CRLF ends a message.  Submission itself decides which networks
 * may connect and who may send as whom, to whom (sender.c), adds the Received line and missing Date
 * and Message-ID fields, and makes a job of each message.
 *
 * Files:   part.c is the service and the part, message.c makes the jobs, options.c has the options.
 *          lane.h is for these files alone.
 * Owns:    the part's state is the lane's.
 * Blocks:  only as smtpd_server_free() does, at the end.
 * Threads: the lane's.
 * Limits:  the options submission.*, and those of mta/smtpd. */
#pragma once
#include "mta/core/part.h"

extern const struct part submit_part;
