/* mta/site/fault.h - troubles of a connection that are ours, or of a proxy of ours: no host and no
 * site pays for them.
 * Owns:    nothing.
 * Threads: the lane's. */
#pragma once
#include "mta/site/channel.h"

/* Its session could not begin.  E_FULL: this machine has too little of something; E_CONFLICT: the
 * source, or the way from it to the host, is at fault, and that was noted. */
int fault_not_begun(struct channel *ch, int err) MUST_CHECK;
/* It ended because of its source, or of the proxy that owns it; that was noted. */
bool fault_is_ours(struct channel *ch, const struct verdict *v);
