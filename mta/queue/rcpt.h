/* mta/queue/rcpt.h - recipients of one lane: small structs in a slab, named by 32-bit numbers,
 * strung on lists of those numbers.  Ten million of them cost 320 MB.
 *
 * A recipient's state is the list it is on.  Cancelling and expiring do not unlink it: they mark it
 * RCPT_DEAD, and whoever takes it from its list frees it.  Only mta/queue/queue.h changes states.
 * Owns:   the slab owns every recipient; rcpt_new() lends one, rcpt_free() takes it back.
 * Limits: 2^32 - 1 recipients per lane; times are seconds since 1970 in 32 bits (until 2106). */
#pragma once
#include "base/base.h"
#include "spool/spool.h"

typedef uint32_t rcpt_ref;
enum { RCPT_NONE = UINT32_MAX };

enum rcpt_state {
	RCPT_FREE,
	RCPT_ROUTING,   /* its domain's list: where the mail goes is not known yet */
	RCPT_READY,     /* a line of a pool */
	RCPT_DEFERRED,  /* the wheel */
	RCPT_HELD,      /* the lane's held list */
	RCPT_IN_FLIGHT, /* a delivery */
	RCPT_DEAD,      /* finished while on a list */
	RCPT_STATES
};
struct rcpt {
	job_no job;
	rcpt_ref next;
	uint32_t domain, flow; /* numbers of the lane's tables */
	uint32_t due_s, expires_s;
	uint16_t row, attempts;
	uint8_t state;
	uint8_t requeues; /* sessions that ended under it before it was tried */
	uint8_t class
	    ; /* of the last reply, as message/judge/class.h numbers them, and one; 0: none */
	uint8_t spare;
};
static_assert(sizeof(struct rcpt) == 32, "ten million recipients must fit");

enum { SLAB_BITS = 15, SLAB_SIZE = 1 << SLAB_BITS };
struct slab_chunk {
	uint32_t min_expires_s; /* of those that were put here since the last sweep */
	struct rcpt rcpts[SLAB_SIZE];
};
struct slab {
	struct slab_chunk **chunks;
	size_t n_chunks, cap_chunks;
	uint32_t used; /* numbers below this were lent at least once */
	rcpt_ref free;
	uint32_t live;
};
void slab_free(struct slab *s);
static inline struct rcpt *rcpt_at(const struct slab *s, rcpt_ref ref)
{
	return &s->chunks[ref >> SLAB_BITS]->rcpts[ref & (SLAB_SIZE - 1)];
}
rcpt_ref rcpt_new(struct slab *s);
void rcpt_free(struct slab *s, rcpt_ref ref);
void rcpt_set_expiry(struct slab *s, rcpt_ref ref, uint32_t expires_s);

struct fifo {
	rcpt_ref head, tail;
	uint32_t count;
};
#define FIFO_EMPTY                                                                                 \
	{                                                                                          \
		RCPT_NONE, RCPT_NONE, 0                                                            \
	}
static inline void fifo_init(struct fifo *f)
{
	*f = (struct fifo)FIFO_EMPTY;
}
/* Empties *from. */
void fifo_append(const struct slab *s, struct fifo *to, struct fifo *from);
void fifo_push(const struct slab *s, struct fifo *f, rcpt_ref ref);
void fifo_push_front(const struct slab *s, struct fifo *f, rcpt_ref ref);
rcpt_ref fifo_pop(const struct slab *s, struct fifo *f); /* RCPT_NONE when empty */
/* Everything of `from` goes behind `to`; `from` is then empty. */
void fifo_join(const struct slab *s, struct fifo *to, struct fifo *from);
