/* spool/spool.h - the durable queue: one append-only log of segments and, in memory, the books
 * that say which recipients are still owed an outcome.  docs/SPOOL.md has the format on disk.
 *
 * Guarantee: what spool_durable() has passed survives any crash of process or power.
 * Guarantee: a row has at most one terminal record; spool_put_outcome refuses a second one.
 * Guarantee: accepted = delivered + bounced + expired + cancelled + queued + lost, at every moment;
 *            lost is 0 unless a damaged log was repaired.
 *
 * Owns:    spool_open() gives the caller the spool; spool_free() commits what is
 *          pending and ends it.
 * Threads: every function may be called from any thread after spool_start().  Appends take one
 *          short lock and never wait for the disk; one commit thread writes and syncs for all.
 * Blocks:  spool_open() (recovery), spool_free(), and the readers (page cache, else disk).
 * Fails:   E_FULL: the disk reserve is reached, only outcomes and rules are taken.  E_POISONED: a
 *          sync failed; every later append gives it, and the process must end.
 * Limits:  4 Gi live jobs, 65,535 rows per job, records up to 64 MiB + 64 KiB. */
#pragma once
#include "base/buf.h"
#include "schema/wire/status.h"

struct disk; /* spool/disk.h: the door to files; NULL means the real one */
struct spool;
struct spool *spool_free(struct spool *sp);
DEFINE_OWNED(spool)

/* What recovery found.  After a failure, bad_segment is the file it stopped at ("": the folder
 * itself, or nothing that a file says), bad_offset the place in it, reason a sentence. */
struct spool_recovery {
	uint64_t records, bytes;
	uint64_t torn_records; /* sound records of an unacknowledged batch, cut off */
	char bad_segment[24];
	uint64_t bad_offset;
	const char *reason; /* NULL when the spool opened */
	uint64_t durable;   /* the position that the file "durable" promises; 0: none */
};
struct spool_options {
	const char *dir;
	const struct disk *disk;
	uint64_t segment_bytes;  /* preallocated; a larger record gets one of its own */
	uint64_t reserve_bytes;  /* below this much free space new mail is refused (E_FULL) */
	uint32_t lazy_commit_ms; /* outcomes wait at most this long for a sync of their own */
	uint32_t clean_ratio;    /* clean while the log has more than this % of its live bytes */
	bool fresh;              /* begin a new log where the segments of an old one are gone */
	bool read_only;          /* nothing is written; the spool may be in use */
	struct spool_recovery *recovery; /* filled by spool_open, also when it fails; may be NULL */
};

int spool_open(struct spool **ret, const struct spool_options *o) MUST_CHECK;
int spool_start(struct spool *sp) MUST_CHECK; /* starts the commit thread */
/* The folder, open, for a file of the caller's own beside the log; it stays the spool's. */
int spool_folder(const struct spool *sp, const struct disk **ret);
/* Without spool_start(): the caller commits what is pending and takes one step of cleaning.  For
 * tests, which then know every write, and for tools that put a rule and end. */
int spool_commit_now(struct spool *sp) MUST_CHECK;

/* ---- positions --------------------------------------------------------------------------- */

/* A position is a byte offset in the endless log.  Functions that put give the END of their record,
 * which is durable once spool_durable(sp) >= that position. */
typedef uint64_t lsn_t;
lsn_t spool_durable(const struct spool *sp);
lsn_t spool_head(const struct spool *sp); /* end of the last appended record */
/* Where the last repair of the log ended, as far as the log still tells; 0: none.  A repair may
 * have lost recipients, and events about others. */
lsn_t spool_repaired(const struct spool *sp);
int spool_failed(const struct spool *sp); /* 0, or E_POISONED for good */
/* Why spool_failed(): what was done to which file of the folder, and -errno.  False: none. */
struct spool_failure {
	const char *doing; /* "write", "sync" ... */
	char file[24];
	int err;
};
bool spool_failure(const struct spool *sp, struct spool_failure *ret);

/* A lane or server that waits for durability.  wake() runs on the commit thread after every commit
 * that may concern it, and once on failure; it must only signal, e.g. ev_async_send().  Each waiter
 * keeps its own FIFO of positions, which is in order because appends are. */
struct spool_port {
	void (*wake)(struct spool_port *port);
	struct spool_port *next; /* the spool's */
};
void spool_port_add(struct spool *sp, struct spool_port *port);
void spool_port_remove(struct spool *sp, struct spool_port *port);

/* ---- acceptance -------------------------------------------------------------------------- */

enum job_class { CLASS_BULK = 0, CLASS_TRANSACTIONAL = 1 };

struct content_in {
	struct id128 id;
	struct slice meta;  /* msgpack, opaque to the spool (schema/wire/meta.h) */
	struct slice bytes; /* raw message or program, stored as it is */
};
struct job_in {
	struct id128 id;
	struct id128 content;
	uint64_t tenant, campaign;
	uint8_t class;                   /* enum job_class */
	int64_t accepted_ms, expires_ms; /* wall clock */
	uint32_t rows;                   /* how many recipients */
	struct slice meta;               /* msgpack (schema/wire/meta.h) */
	struct slice data;               /* the rows (schema/wire/rows.h) */
};
typedef uint32_t job_no; /* handle of a live job in this process; reused after it is finished */

/* Appends content and job as one: after a crash both are there or neither.  Either may be NULL; the
 * content of a job without one must be here already, else E_UNKNOWN: send it with the content.
 * E_EXISTS: this job is live, or finished and still in the log, which is success for those who send
 * again; *ret_lsn is then the present head, so waiting for it is safe.  E_CONFLICT: the id of the
 * job or of the content stands for other bytes.  Meta and lifetime of a job may differ; what was
 * accepted first counts.  -EAGAIN: a finished job with this id is just leaving the log. */
int spool_put(struct spool *sp, const struct content_in *content, const struct job_in *job,
	      job_no *ret_job, lsn_t *ret_lsn) MUST_CHECK;

/* ---- outcomes ---------------------------------------------------------------------------- */

enum outcome_kind {
	OUTCOME_DELIVERED = 1,
	OUTCOME_BOUNCED = 2,
	OUTCOME_EXPIRED = 3,
	OUTCOME_CANCELLED = 4,
	OUTCOME_DEFERRED = 5, /* the only one that is not terminal */
};
/* How long things took.  Opening the connection and TLS are those of the connection, which an
 * earlier message may have opened (OUTCOME_REUSED_CONNECTION). */
struct outcome_took {
	bool known;      /* there was a session */
	uint32_t dns_ms; /* the last question about the domain's hosts and policies */
	uint32_t connect_ms, tls_ms;
	uint32_t transaction_ms; /* from when the session had the message to the last reply */
};
struct outcome {
	job_no job;
	uint32_t row;
	enum outcome_kind kind;
	uint16_t attempt;        /* how many attempts this makes */
	uint16_t code;           /* SMTP reply code, 0 when there was no reply */
	struct status status;    /* class 0: none */
	int64_t at_ms, next_ms;  /* wall clock; next_ms for DEFERRED */
	uint16_t flags;          /* OUTCOME_TLS ... */
	struct slice text;       /* reply text or our reason, not escaped, at most 512 bytes */
	struct slice host;       /* MX host name, may be empty */
	struct slice ip, source; /* text form, may be empty */
	struct slice rcpt;       /* address, so that the event stands alone */
	struct slice class; /* what the reply means (message/judge/class.h); empty: not asked */
	struct slice rule;  /* the rule that said so, "file:line name" */
	/* How it travelled: "TLSv1.3" and the cipher (empty: in the clear), the policy that held
	 * and what proved the host (mta/policy/decide.h; empty: nothing).  All are empty where
	 * there was no session. */
	struct slice tls, cipher, policy, proof;
	struct outcome_took took;
};
enum {
	OUTCOME_TLS = 1,
	OUTCOME_SUPPRESSED = 2,
	OUTCOME_REUSED_CONNECTION = 4,
	OUTCOME_HARD = 8, /* bounced, and the address is at fault for good */
};

/* Lazy: joins the next commit, at most lazy_commit_ms away.  E_CONFLICT: the row has a terminal
 * record already.  The call that finishes the last row of a job ends the job_no. */
int spool_put_outcome(struct spool *sp, const struct outcome *o, lsn_t *ret_lsn) MUST_CHECK;

/* ---- reading the queue ------------------------------------------------------------------- */

struct job_info {
	struct id128 id, content;
	uint64_t tenant, campaign;
	uint8_t class;
	int64_t accepted_ms, expires_ms;
	uint32_t rows, rows_live;
};
/* Walks the jobs that have live rows, in the order of the log at spool_open() (a job that the
 * cleaner has moved comes later than its age).  Start with *cursor = 0; E_UNKNOWN at the end.  Jobs
 * appended meanwhile may or may not be seen. */
int spool_next_job(struct spool *sp, uint64_t *cursor, job_no *ret) MUST_CHECK;
int spool_job_info(struct spool *sp, job_no job, struct job_info *ret) MUST_CHECK;
/* Appends meta and rows, as they were given to spool_put(), to the bufs; either may be NULL. */
int spool_read_job(struct spool *sp, job_no job, struct buf *meta, struct buf *data) MUST_CHECK;
int spool_read_content(struct spool *sp, struct id128 content, struct buf *meta,
		       struct buf *bytes) MUST_CHECK;
/* False once the row has a terminal record.  *ret_attempts and *ret_next_ms are those of the last
 * deferral, or 0 and 0. */
bool spool_row_live(struct spool *sp, job_no job, uint32_t row, uint16_t *ret_attempts,
		    int64_t *ret_next_ms);
/* E_UNKNOWN when there is no such live job. */
int spool_find_job(struct spool *sp, struct id128 id, job_no *ret) MUST_CHECK;

/* ---- rules: small named values that survive restarts (holds, cancels) -------------------- */

int spool_put_rule(struct spool *sp, struct slice key, struct slice value,
		   lsn_t *ret_lsn) MUST_CHECK;
/* An empty value removes the rule.  Keys up to 512 bytes, values up to 64 KiB. */
int spool_each_rule(struct spool *sp, struct slice key_prefix,
		    int (*each)(void *arg, struct slice key, struct slice value), void *arg);

/* ---- events: the log read as a stream ---------------------------------------------------- */

enum event_kind { EVENT_ACCEPTED = 16 }; /* else an outcome_kind, or a late_kind */
struct late_fact;                        /* spool/late.h */
struct event {
	lsn_t lsn; /* end of the record: resume from here */
	unsigned kind;
	struct id128 job;
	uint64_t tenant, campaign;
	uint32_t row;      /* for EVENT_ACCEPTED: the number of rows */
	int64_t at_ms;     /* wall clock */
	struct slice meta; /* of EVENT_ACCEPTED: the job's (schema/wire/meta.h) */
	struct outcome o;  /* valid for outcomes; o.job is not */
	/* What came back as mail; else NULL.  It is good until each() returns. */
	const struct late_fact *late;
};
/* Gives durable events after `from` to each(), until max of them or until it gives a negative
 * number, or SPOOL_ENOUGH with an event that was taken.  Copies made by the cleaner are not events.
 * *ret_next is where to go on.  E_UNKNOWN: the log no longer has `from`.  -EINVAL: no record ends
 * there. */
enum { SPOOL_ENOUGH = 1 };
int spool_events(struct spool *sp, lsn_t from, uint32_t max,
		 int (*each)(void *arg, const struct event *e), void *arg,
		 lsn_t *ret_next) MUST_CHECK;
/* Where to start so that the last `bytes` of the log are read, or all of it. */
lsn_t spool_back(struct spool *sp, uint64_t bytes);
/* Sets a consumer's durable cursor; the first call registers it.  Segments after the slowest cursor
 * are kept.  A move forwards counts once it is durable, a move backwards at once. */
int spool_consumer_set(struct spool *sp, struct slice name, lsn_t cursor) MUST_CHECK;
int spool_consumer_drop(struct spool *sp, struct slice name) MUST_CHECK;
int spool_consumer_get(struct spool *sp, struct slice name, lsn_t *ret) MUST_CHECK;
lsn_t spool_oldest(struct spool *sp); /* where a new consumer starts */
/* Gives every consumer and its cursor; each() must not call the spool. */
void spool_each_consumer(struct spool *sp, void (*each)(void *arg, struct slice name, lsn_t cursor),
			 void *arg);
const char *spool_event_name(unsigned kind); /* "accepted", "delivered" ...; "unknown" */

/* ---- books ------------------------------------------------------------------------------- */

/* spool/books.h has a row for each. */
struct books {
	uint64_t accepted, delivered, bounced, expired, cancelled, queued;
	uint64_t lost; /* after a repair (spool/repair.h): neither ended nor queued */
	uint64_t deferred_attempts;
	/* What came back as mail (spool/late.h): facts of each kind, those that were told before,
	 * the mails, and those of them that nobody has read yet. */
	uint64_t returned, returned_delays, returned_complaints, returned_auto_replies;
	uint64_t returned_unsubscribes, returned_dmarc, returned_tlsrpt, returned_other;
	uint64_t returned_again, returned_mails, returned_waiting;
	uint64_t log_bytes, live_bytes, segments, syncs, bytes_written;
	uint64_t jobs, contents, rules;
	uint64_t free_bytes;
	uint64_t refusing; /* 1: new mail is refused for lack of space */
};
void spool_books(struct spool *sp, struct books *ret);
/* How long each commit took: writing and syncing.  Any thread may read it. */
struct histogram;
extern const struct histogram_scale spool_commit_scale;
const struct histogram *spool_commits(const struct spool *sp);
/* Looks at most at `looks` jobs from *cursor, which moves on, and lowers *oldest_ms to when the
 * oldest of those that live was accepted.  False: that was the last one. */
bool spool_look_for_oldest(struct spool *sp, uint64_t *cursor, unsigned looks, int64_t *oldest_ms);
