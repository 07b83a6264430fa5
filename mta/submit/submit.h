/* mta/submit/submit.h - the SMTP submission server: applications hand in mail on any lane.
 * RFC 5321, RFC 6409; PIPELINING (2920), SIZE (1870), 8BITMIME (6152), ENHANCEDSTATUSCODES (2034),
 * STARTTLS (3207), SMTPUTF8 (6531).
 *
 * Guarantee: "250 queued" leaves only after the message's record is durable.
 * Guarantee: only CRLF "." CRLF ends a message; a lone CR or LF in it refuses the message and never
 *            ends it, so that nobody in front of us and we can disagree about where one ends.
 *
 * Files:   server.c listens, clients.c counts, session.c reads and answers in order, commands.c is
 *          the table of commands, message.c makes a job of what came, command.c and body.c parse.
 * Owns:    the input's state is the lane's; sessions and what waits for the disk belong to it.
 * Blocks:  never.  Threads: each lane has listeners of its own (SO_REUSEPORT); the counts of
 *          sessions are the process's.
 * Limits:  command lines 1,000 bytes, submission.max_rcpts, submission.max_size, 16 messages of a
 *          session waiting for the disk, SUBMIT_HELD_MAX bytes of messages coming in, a lane. */
#pragma once
#include "mta/core/part.h"

extern const struct part submit_part;

/* What the listeners of all lanes have counted; any thread. */
struct submit_stats {
	uint64_t sessions, sessions_open, messages, recipients, bytes, refused, tls;
};
struct submit_stats submit_stats_now(void);
