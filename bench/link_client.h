/* bench/link_client.h - a blocking client of the engine's link, for the programs of bench.
 *
 * Blocks: every call, until the engine has taken or sent what is asked for.
 * Fails:  says what to stderr, with the program's name in front, and ends the program.
 * Limits: one link a process. */
#pragma once
#include "schema/wire/link.h"

/* Connects to the Unix socket at `path` as consumer `name` ("" for none) and is welcomed. */
void link_client_open(const char *path, const char *name);
/* Sends one frame; fills in its request number. */
void link_client_put(struct link_frame *f);
/* Waits for one frame; its slices live until the next call.  An ERROR ends the program; false when
 * a signal came first. */
bool link_client_hear(struct link_frame *ret);
/* The requests sent so far, and the answers heard (events are none). */
uint64_t link_client_requests(void);
uint64_t link_client_answered(void);
void link_client_close(void);
