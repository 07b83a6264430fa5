/* bench/link_client.h - a blocking client of the engine's link, for the programs of bench.
 *
 * Blocks: every call, until the engine has taken or sent its part.
 * Fails:  writes the reason to stderr and ends the program.
 * Limits: one link a process. */
#pragma once
#include "schema/wire/link.h"

/* Connects to the Unix socket at `path` as consumer `name` ("" for none) and waits for WELCOME. */
void bench_link_open(const char *path, const char *name);
/* Sends one frame; fills in its request number. */
void bench_link_put(struct link_frame *f);
/* Waits for one frame; its slices live until the next call.  An ERROR ends the program; false when
 * a signal came first. */
bool bench_link_hear(struct link_frame *ret);
/* The requests sent so far, and the answers heard (events are none). */
uint64_t bench_link_requests(void);
uint64_t bench_link_answered(void);
void bench_link_close(void);
