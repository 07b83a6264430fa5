/* control/engine/asking.h - asks the engine what an operator could ask it (ADMIN frames), on a
 * connection of its own.
 *
 * Owns:    asking_ask() gives the caller the connection that holds the answer; carrier_free().
 * Blocks:  for ASKING_MS at most.
 * Fails:   what the engine answered, or as control/engine/carrier.h; E_FULL: ASKING_MOST are
 *          being asked by this process, so that its workers keep the engine's connections.
 * Threads: any. */
#pragma once
#include "control/app/app.h"
#include "control/engine/carrier.h"

enum { ASKING_MS = 25 * 1000, ASKING_MOST = 4 };

/* key: what the command is about.  *ret_answer is a map. */
int asking_ask(struct app *app, struct slice command, struct slice key, struct carrier **ret,
	       struct value *ret_answer) MUST_CHECK;
struct slice asking_text(const struct value *map, const char *name); /* empty when absent */
int64_t asking_int(const struct value *map, const char *name);       /* 0 when absent */
bool asking_true(const struct value *map, const char *name);
