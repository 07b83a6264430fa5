/* tests/unit/mta/engine_box.h - a real engine in a folder and a network of its own, for tests of
 * its inputs: real lanes, spool and sockets.  Names do not resolve there, so everything stays
 * queued. A test that fails leaves the folder behind. */
#pragma once
#include <pthread.h>

#include "mta/parts.h"
#include "schema/wire/link.h"

struct box {
	char dir[64];
	struct engine *engine;
	pthread_t thread;
	const struct part *const *parts;
	unsigned n_parts;
	int result;
};
/* extra: further lines of the configuration.  The submission listener is at 127.0.0.1:2525. */
void box_start(struct box *b, const char *extra);
/* The same with other parts than the program's. */
void box_start_with(struct box *b, const struct part *const *parts, unsigned n_parts,
		    const char *extra);
void box_stop(struct box *b); /* as SIGTERM does */
void box_start_again(struct box *b, const char *extra);
void box_remove(struct box *b);

/* A blocking client of a framed socket. */
struct framed {
	int fd;
	struct buf in, out;
	size_t used; /* bytes of the frame given last */
	struct wire_arena *arena;
};
void framed_open(struct framed *c, const struct box *b, const char *socket_name);
void framed_close(struct framed *c);
void framed_send(struct framed *c, const struct link_frame *f);
void framed_send_raw(struct framed *c, struct slice bytes);
/* Next frame; its slices are valid until the next call.  False at the end of the stream. */
bool framed_next(struct framed *c, struct link_frame *ret);
