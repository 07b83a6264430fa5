/* mta/queue/streams.h - the names of streams that jobs use, numbered so that a flow can name one in
 * two bytes.  A stream is the sender's word for a kind of mail ("receipts", "newsletter"); a job
 * that names none belongs to the stream "transactional" or "bulk", by its class.
 * Owns:    the names, until streams_end().
 * Threads: the lane's.
 * Limits:  STREAMS_MAX names per lane and STREAM_NAME_MAX bytes each.  All others share the number
 *          STREAM_OTHERS, whose name is "(others)". */
#pragma once
#include "base/map.h"

enum { STREAMS_MAX = 1024, STREAM_NAME_MAX = 64, STREAM_OTHERS = STREAMS_MAX };

struct stream_name;
struct streams {
	struct map map;
	struct stream_name *names[STREAMS_MAX];
	unsigned n;
};
void streams_init(struct streams *s);
void streams_end(struct streams *s);
/* The stream of a job of this class that names this one; it is numbered when it is new. */
uint16_t streams_number(struct streams *s, struct slice name, uint8_t class);
/* The number of a name that a lane has met; false: it has not. */
bool streams_find(const struct streams *s, struct slice name, uint16_t *ret);
struct slice streams_name(const struct streams *s, uint16_t stream);
