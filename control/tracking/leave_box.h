/* control/tracking/leave_box.h - those who left while the database did not answer: on disk, until
 * it does.  A folder of files of lines (control/tracking/leave_record.h); a file is written by one
 * process, which holds its lock, and goes when all of it is in the database.
 *
 * Owns:      leave_box_open() gives the caller the box; leave_box_of() lends the process's own.
 * Blocks:    on the disk.  Those who put at the same time share one sync.
 * Fails:     E_FULL: the folder has as many bytes as it may.  -errno: the disk's.
 * Guarantee: leave_box_put() is 0 after the record was synced, and then a crash does not lose it.
 *            Whoever is put again is written again at most once a file.  After a write or a sync
 *            that failed, the file is left as it is and another one is begun.
 * Threads:   any; leave_box_empty() one at a time in each process. */
#pragma once
#include "control/tracking/leave_record.h"

struct leave_box;
struct leave_box *leave_box_free(struct leave_box *box);
DEFINE_OWNED(leave_box)
int leave_box_open(struct leave_box **ret, const char *dir, int64_t bytes_max) MUST_CHECK;
/* The box in data.dir, opened at the first use; NULL when it cannot be opened. */
struct leave_box *leave_box_of(const struct app *app);

int leave_box_put(struct leave_box *box, const struct leave_record *r) MUST_CHECK;
/* Does anybody wait in it?  Then those who come go behind them. */
bool leave_box_waiting(struct leave_box *box);

struct leave_box_sums {
	unsigned taken;   /* records that took() accepted */
	unsigned damaged; /* lines that are none */
	unsigned refused; /* records that took() refuses for good, with E_DENIED */
};
/* Gives the records of the oldest file, in order, to took().  When it accepted them all the file
 * goes; when it refused some, the file is kept as NAME.refused.  1: there may be another file; 0:
 * nothing waits.  Another failure of took() is handed on, and the file is given again next time,
 * from its beginning. */
typedef int (*leave_box_took)(void *arg, const struct leave_record *r);
int leave_box_empty(struct leave_box *box, leave_box_took took, void *arg,
		    struct leave_box_sums *ret) MUST_CHECK;
