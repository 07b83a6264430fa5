/* control/auth/key_use.h - when and how often keys are used: counted in memory, and written every
 * few seconds for all keys together, so that no request writes.
 *
 * Limits:  what was counted since the last writing is lost when the process is killed; when it
 *          ends in good order it is written.  8192 keys in these seconds; others are not counted,
 *          and the log says how often.
 * Threads: any. */
#pragma once
#include "control/http/call.h"

/* Does nothing when no key asked. */
void key_use_note(const struct call *c, unsigned status);
