/* mta/deliver/recall.h - who left from a new source before the engine's start: read from the log,
 * so that a complaint or a bounce that comes back later counts for the plan of that source
 * (mta/warmup/recent.c).
 *
 * Where a recipient left from stands in the outcome: source and host, and by the host the provider,
 * as shapes say now.
 * Blocks:  on the spool's files at the start, where there are plans: the last RECALL_BYTES of the
 *          log are read, a fraction of a second.
 * Fails:   never the engine; what cannot be read is not known.
 * Limits:  what left longer ago counts nowhere; of what is read the latest 65536 are kept. */
#pragma once
#include "mta/core/part.h"

enum { RECALL_BYTES = 64 << 20 };

extern const struct part recall_part;
