/* control/engine/carrier.h - one connection to an engine: frames of schema/wire/link.h over a Unix
 * socket.  What the frames mean is the business of the feeder and the intake.
 *
 * Owns:    carrier_open() gives the caller the connection; carrier_free() closes it.  A frame given
 *          by carrier_next() points into the carrier and lives until the next carrier_next() or
 *          carrier_wait().
 * Blocks:  carrier_open() (connect, HELLO, WELCOME: at most its timeout) and carrier_wait().
 * Fails:   negative errno, E_EOF when the engine closed, E_SYNTAX or E_LIMIT on malformed frames,
 *          E_TIMEOUT, E_VERSION.  After a failure only carrier_free() is of use.
 * Limits:  the caller bounds the unsent bytes by carrier_unsent().
 * Threads: one thread at a time. */
#pragma once
#include "schema/wire/link.h"

struct carrier;
struct carrier *carrier_free(struct carrier *c);
DEFINE_OWNED(carrier)

struct carrier_welcome {
	char engine[64]; /* the engine's id */
	uint64_t durable, oldest, cursor;
};

/* consumer: the name whose cursor this connection speaks for; "": none. */
int carrier_open(struct carrier **ret, const char *path, struct slice consumer,
		 int timeout_ms) MUST_CHECK;
const struct carrier_welcome *carrier_welcome(const struct carrier *c);
/* Queues one frame and writes what the socket takes now. */
int carrier_send(struct carrier *c, const struct link_frame *f) MUST_CHECK;
size_t carrier_unsent(const struct carrier *c);
/* Writes what waits and reads what came; 1 when carrier_next() may have a frame, 0 at the timeout
 * or when wake_fd (-1: none) became readable. */
int carrier_wait(struct carrier *c, int timeout_ms, int wake_fd) MUST_CHECK;
int carrier_next(struct carrier *c, struct link_frame *ret) MUST_CHECK; /* 1 a frame, 0 none yet */
