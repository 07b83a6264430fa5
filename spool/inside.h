/* spool/inside.h - what the spool's own files share; nobody outside spool/ includes it.
 *
 * There are two parties.  Appenders, on any thread, work under `lock` and never wait for the disk.
 * The one committer (the commit thread, or whoever calls spool_commit_now() before spool_start())
 * alone writes, syncs, creates and removes files.  Fields say who may touch them. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/histogram.h"
#include "spool/disk.h"
#include "spool/folder.h"
#include "spool/format.h"
#include "spool/tables.h"

enum { PENDING_MAX = 64 << 20, DEFAULT_SEGMENT = 64 << 20, OUTCOME_ROOM = 512 };

struct segment {
	lsn_t start, end;    /* end: of the last record; moves while it is the newest */
	uint64_t file_bytes; /* committer: preallocated size */
	uint64_t limit;      /* records end before this offset; the first may be larger */
	int fd;              /* -1: not open */
	unsigned pins;       /* readers that use fd */
	bool made;           /* the file is there */
	bool going;          /* its file is being removed, without the lock */
	bool dead;           /* unlinked; the last pin frees it */
	uint32_t jobs, jobs_tail, contents, contents_tail; /* chains of slots, log order */
	uint64_t live; /* live jobs + contents + rules + cursors whose record is here */
	/* End of the record that last lowered `live`.  It must be durable before this file may go,
	 * or a crash would lose both. */
	lsn_t dead_at;
	struct list rules, mails;
	uint32_t head; /* bytes of header and tally */
};

/* Bytes waiting to be written: log positions [start, start + n).  cuts: offsets at which a new
 * segment begins (its header is in the bytes). */
struct append_batch {
	char *p;
	size_t n, cap;
	lsn_t start;
	uint32_t *cuts;
	uint32_t n_cuts, cap_cuts;
};

struct spool {
	/* fixed after open */
	const struct disk *disk;
	int dirfd, lockfd;
	struct id128 id;
	uint64_t salt;
	uint64_t segment_bytes, reserve_bytes;
	uint32_t lazy_commit_ms, clean_ratio;
	bool read_only;
	bool repairing; /* repair.c has the spool open: it may be unsettled */

	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* under lock */
	struct tables t;
	struct segment **segs; /* oldest first; the last is the one appended to */
	size_t n_segs, cap_segs;
	struct append_batch active, flight; /* flight: owned by the committer, read under lock */
	bool urgent, waiting, stopping, running;
	size_t wake_at;     /* pending bytes below which the waiting committer is left alone */
	int64_t lazy_since; /* when the first lazy record joined the active batch; 0: none */
	uint64_t room;      /* free bytes when last asked, less what was allocated since */
	unsigned unmade;    /* segments begun in memory that have no file yet */
	bool spare_ready;   /* a preallocated file waits for the first of them, or the next */
	bool refusing;      /* new mail */
	unsigned open_fds;

	/* committer */
	int mark_fd;  /* of the file "durable"; -1 */
	int spare_fd; /* the next segment's file, preallocated; -1: none */
	uint64_t spare_bytes;
	int64_t sync_us;              /* how long the last batch took */
	struct histogram commits;     /* how long batches took; any thread may read */
	int64_t looked_ms;            /* when the folder was last seen to be there */
	struct spool_failure failure; /* written before `failed`, never after */
	int clean_error;              /* a live record could not be copied: its segment is kept */
	pthread_t thread;

	bool unsettled;    /* repairing: damage was set aside, and no repair record follows */
	uint32_t *orphans; /* repairing: live jobs whose content is not in the log */
	size_t n_orphans, cap_orphans;

	pthread_mutex_t port_lock;
	struct spool_port *ports;

	_Atomic lsn_t durable, head;
	_Atomic int failed;
	_Atomic uint64_t syncs, bytes_written, free_bytes;
};

static inline void spool_lock(struct spool *sp)
{
	(void)pthread_mutex_lock(&sp->lock);
}
static inline void spool_unlock(struct spool *sp)
{
	(void)pthread_mutex_unlock(&sp->lock);
}

/* ---- segment.c: all with the lock held --------------------------------------------------- */
struct segment *segment_add(struct spool *sp, lsn_t start);
struct segment *segment_of(const struct spool *sp, lsn_t lsn); /* NULL: not here (any more) */
static inline struct segment *segment_newest(const struct spool *sp)
{
	return sp->segs[sp->n_segs - 1];
}
void segment_drop_oldest(struct spool *sp);
/* Opens the file when needed and keeps it open until segment_unpin. */
int segment_pin(struct spool *sp, struct segment *seg) MUST_CHECK;
void segment_unpin(struct spool *sp, struct segment *seg);
void segment_link_job(struct spool *sp, uint32_t job);
void segment_link_content(struct spool *sp, uint32_t content);

/* ---- append.c: with the lock held -------------------------------------------------------- */
enum append_want { WANT_MAIL, WANT_OUTCOME, WANT_COPY };
/* Room for records of `bytes` in all, in one segment: begins a new one when this one is full. */
int append_room(struct spool *sp, uint64_t bytes, enum append_want want) MUST_CHECK;
uint64_t append_reserve(const struct spool *sp);
bool append_has_place(const struct spool *sp, uint64_t bytes, enum append_want want);
struct append_part {
	const void *p;
	size_t n;
};
/* Parts become the payload; crc is that of all parts. Needs append_room. Returns the end. */
lsn_t append_record(struct spool *sp, unsigned type, unsigned flags, uint32_t crc,
		    const struct append_part *parts, size_t n_parts);
uint32_t append_parts_crc(const struct append_part *parts, size_t n);
void append_urgent(struct spool *sp); /* somebody waits for what was appended */
void append_lazy(struct spool *sp);
void append_batch_free(struct append_batch *b);

/* ---- commit.c: the committer's ----------------------------------------------------------- */
int commit_batch(struct spool *sp);         /* writes, syncs and publishes what is pending */
void commit_housekeeping(struct spool *sp); /* free room, spare file, one step of cleaning */
void commit_look_at_room(struct spool *sp);
void commit_mark(struct spool *sp); /* says in a second place how far the log is durable */
void commit_poison(struct spool *sp);
/* Notes the first failure; gives r. */
int commit_note(struct spool *sp, const char *doing, const char *file, int r);
void *commit_thread(void *arg);

/* ---- state.c: what a record means for the books; with the lock held ---------------------- */
void state_job_live(struct spool *sp, uint32_t job); /* its lsn and content are set */
void state_job_moved(struct spool *sp, uint32_t job, lsn_t lsn, uint32_t size);
void state_job_ended(struct spool *sp, uint32_t job); /* its last row has ended */
void state_content_moved(struct spool *sp, uint32_t content, lsn_t lsn);
void state_total(struct totals *t, enum outcome_kind kind);
/* A record at lsn is needed from there; it no longer is, by what was just appended (or read). */
void state_gain(struct spool *sp, lsn_t lsn, uint64_t size);
void state_lose(struct spool *sp, lsn_t lsn, uint64_t size);
void state_rule(struct spool *sp, struct slice key, struct slice value, lsn_t lsn, uint32_t size);
void state_consumer(struct spool *sp, struct slice name, lsn_t cursor, lsn_t lsn, uint32_t size);

/* ---- spool.c ----------------------------------------------------------------------------- */
/* As spool_open(), for repair.c: an unsettled log opens, nothing is cleaned. */
int spool_open_unsettled(struct spool **ret, const struct spool_options *o) MUST_CHECK;

/* ---- same.c ------------------------------------------------------------------------------ */
/* E_EXISTS: this id stands for the same bytes; E_CONFLICT: for others; E_UNKNOWN: for nothing.
 * -EAGAIN: the job has ended and is being forgotten at this moment. */
int same_job(struct spool *sp, const struct job_in *in) MUST_CHECK;
int same_content(struct spool *sp, const struct content_in *in) MUST_CHECK;

/* ---- late.c: with the lock held ---------------------------------------------------------- */
int late_apply_mail(struct spool *sp, const struct record *rec) MUST_CHECK;
int late_apply_fact(struct spool *sp, const struct record *rec) MUST_CHECK;
int late_apply_tally(struct spool *sp, const struct record *rec) MUST_CHECK;
uint64_t late_tally_size(const struct spool *sp); /* of its record; 0: nothing ever came back */
void late_put_tally(struct spool *sp);            /* needs append_room */
int late_settle(struct spool *sp) MUST_CHECK;     /* after a repair */
/* Copies what is owed there; the lock is let go meanwhile. */
int late_move_mails(struct spool *sp, struct segment *seg, uint64_t *copied,
		    uint64_t max) MUST_CHECK;

/* ---- clean.c, recover.c, read.c ---------------------------------------------------------- */
void clean_step(struct spool *sp);
int recover_log(struct spool *sp, struct spool_recovery *report) MUST_CHECK;
/* A content that is kept: *ret_mem is malloc'd, meta and bytes point into it.  E_UNKNOWN. */
int read_content(struct spool *sp, struct id128 id, char **ret_mem, struct slice *ret_meta,
		 struct slice *ret_bytes) MUST_CHECK;
/* The whole record at lsn, from its file or from bytes not yet written; *ret_mem is malloc'd and
 * rec->payload points into it.  E_CORRUPT when its checksum fails.
 * Entered with the lock held, left without it. */
int read_record_unlock(struct spool *sp, lsn_t lsn, uint32_t size, char **ret_mem,
		       struct record *rec) MUST_CHECK;
