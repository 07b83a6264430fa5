/* mta/reports/child.h - the engine's end of the reader (reader.h): starts the process, gives it
 * messages, hears its answers.
 *
 * Owns:    child_start() gives the caller the child; child_free() kills the process.
 * Blocks:  child_start() until the program has been executed; child_free() until it has died.
 * Threads: those of the loop.
 * Fails:   child_start(): -errno.  Afterwards by gone(), once; only child_free() may follow, which
 *          must not be called by said() or gone() themselves. */
#pragma once
#include "mta/door/conn.h"

struct child;
struct child *child_free(struct child *c);
DEFINE_OWNED(child)
struct child_user {
	/* False: this is no answer; gone() follows. */
	bool (*said)(struct child_user *u, struct slice answer);
	void (*gone)(struct child_user *u);
};
int child_start(struct child **ret, struct loop *l, const char *rules_path,
		struct child_user *u) MUST_CHECK;
bool child_ready(const struct child *c); /* it has got as far as reading */
int child_send(struct child *c, struct slice message) MUST_CHECK;
