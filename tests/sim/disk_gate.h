/* tests/sim/disk_gate.h - stands in front of another disk: chosen calls fail, are short, or are met
 * by the test on their way.  Every other call goes through.
 * Owns:   disk_gate_new() gives; disk_gate_free() takes.  The disk behind stays its owner's.
 * Limits: one rule for each kind of call; not thread-safe. */
#pragma once
#include "spool/disk.h"

enum disk_call {
	CALL_OPEN_DIR,
	CALL_OPEN,
	CALL_PWRITE,
	CALL_PREAD,
	CALL_SYNC_DATA,
	CALL_SYNC_DIR,
	CALL_ALLOCATE,
	CALL_TRUNCATE,
	CALL_SIZE,
	CALL_RENAME,
	CALL_UNLINK,
	CALL_EACH_NAME,
	CALL_FREE_BYTES,
	CALL_LOCK,
	DISK_CALLS
};
enum { EACH_CALL = 0 };

struct disk_gate;
struct disk_gate *disk_gate_new(const struct disk *behind);
struct disk_gate *disk_gate_free(struct disk_gate *g);
DEFINE_OWNED(disk_gate)
const struct disk *disk_gate_disk(struct disk_gate *g);

/* The nth call of its kind from now (EACH_CALL: every one) gives err and does nothing. */
void disk_gate_fail(struct disk_gate *g, enum disk_call call, unsigned nth, int err);
/* The nth call of pread or pwrite is asked for `bytes` only. */
void disk_gate_short(struct disk_gate *g, enum disk_call call, unsigned nth, size_t bytes);
/* meet() runs before the nth call goes through, and no rule holds inside it. */
void disk_gate_meet(struct disk_gate *g, enum disk_call call, unsigned nth, void (*meet)(void *arg),
		    void *arg);
void disk_gate_open(struct disk_gate *g); /* no rule is left */
/* How often a rule was met since it was set. */
unsigned disk_gate_met(const struct disk_gate *g, enum disk_call call);
