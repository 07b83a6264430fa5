/* mta/credentials/counted.h - how much each credential has sent, kept over a restart: a file in the
 * spool's folder, written anew beside the old one when something has changed, at most every
 * COUNTED_MS and at the end; for the files of this folder alone.
 *
 *	file = *( key 6( SP number ) LF )       windows of hour and day (mta/credentials/quota.h)
 *	key  = "=" name / tenant "/" id         of the operator's file; of the control plane
 *
 * Guarantee: after a kill at any moment, limits know all but the last COUNTED_MS or so.
 * Blocks:  on the disk, at the start and on the front desk.
 * Fails:   never the engine: lines that cannot be read are passed over; it is counts, not mail.
 * Limits:  a credential that the engine does not know at its start begins anew. */
#pragma once
#include "mta/credentials/inside.h"

enum { COUNTED_MS = 5000, COUNTED_FILE_MAX = 64 * 1024 * 1024 };
#define COUNTED_FILE "submitted"

void counted_load(struct credentials *c);
void counted_save(struct credentials *c);

struct counted_line {
	struct slice name; /* empty: tenant and id */
	uint64_t tenant, id;
	struct quota_window hour, day;
};
void counted_line_put(struct buf *out, const struct counted_line *l);
bool counted_line_take(struct slice line, struct counted_line *ret);
