/* mta/deliver/preview.h - a message as it would be sent now, with its signatures, for whoever asks.
 * Blocks:  on the spool's files and the key folder.
 * Fails:   E_UNKNOWN: nobody that the selector names is queued on this lane; as delivery_build().
 * Threads: the lane's. */
#pragma once
#include "mta/deliver/deliverer.h"
#include "mta/rules/selector.h"

/* Of the first recipient of a job (SELECT_JOB), or of one (SELECT_RCPT). */
int preview_message(struct lane *l, const struct selector *s, struct buf *ret,
		    uint32_t *ret_row) MUST_CHECK;
