/* mta/queue/wheel.h - deferred recipients by the second they are due: a ring of lists that is 36
 * hours long.  What is due later goes around again.  Adding costs a store, and so does taking.
 * Limits: whole seconds; when the wall clock jumps ahead, what it passed is due at once. */
#pragma once
#include "mta/queue/rcpt.h"

enum { WHEEL_SLOTS = 1 << 17 };
struct wheel {
	struct fifo *slots;
	struct fifo due; /* taken from slots passed, not yet given out */
	uint32_t now_s, count;
	uint32_t redo; /* the next slot to be looked at again; WHEEL_SLOTS: none is */
};
void wheel_init(struct wheel *w, uint32_t now_s);
void wheel_free(struct wheel *w);
void wheel_add(struct wheel *w, const struct slab *s, rcpt_ref ref); /* by its due_s */
/* Next recipient due at now_s; RCPT_NONE when there is none, or when *looks, which it counts down,
 * is used up.  A slot that is looked at again counts as a look, too. */
rcpt_ref wheel_take(struct wheel *w, const struct slab *s, uint32_t now_s, unsigned *looks);
/* Some have another due_s now: wheel_take() looks at all of them, slot by slot. */
void wheel_redo(struct wheel *w);
