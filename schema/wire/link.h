/* schema/wire/link.h - the frames between control plane and engine, and between CLI and engine.
 *
 *	frame = length: u32 big-endian, body: msgpack array [ type: uint, request: uint, field... ]
 *
 * The meaning does not depend on the carrier (a Unix socket now): ids are the sender's, an ACK
 * comes after the sync and carries the position, events have positions.  Requests may be pipelined;
 * ACKs come in the order in which things became durable, and each names its request.
 *
 *	type       from     fields
 *	HELLO      client   version=1, name (consumer name, 1..64 of [a-z0-9._-]; "" for none)
 *	WELCOME    engine   version, engine id (128 bit as text), durable lsn, oldest lsn,
 *	                    cursor lsn (0: new)
 *	CONTENT    client   id.hi, id.lo, meta, bytes
 *	JOB        client   id.hi, id.lo, content.hi, content.lo, tenant, campaign, class,
 *	                    accepted_ms, expires_ms, rows, meta, data
 *	RULE       client   key, value                      (an empty value removes)
 *	KEY        client   domain, selector, pem           (empty pem removes)
 *	SUBSCRIBE  client   from lsn                        (0: the oldest; a cursor past it is put
 *	                                                     back to it)
 *	CURSOR     client   lsn                             (the client has everything up to it)
 *	FACTS      client   step, facts (schema/wire/facts.h)
 *	ADMIN      client   command, value (a map of arguments)
 *	ACK        engine   lsn
 *	ERROR      engine   code (negative, base/err.h), text
 *	EVENTS     engine   next lsn, array of events, each an array:
 *	                    [ lsn, kind, job.hi, job.lo, tenant, campaign, row, attempt,
 *	                      at_ms, next_ms, code, dsn (text "5.1.1" or ""), flags, text,
 *	                      host, ip, source, rcpt, class, rule ]
 *	                    (class and rule may be missing together: an older engine's)
 *	REPORT     engine   value (answer to ADMIN)
 *
 * What came back as mail is an event like others, from LINK_RETURNED on (docs/SPOOL.md,
 * "Returned").  It says of a recipient what was learned later, and takes nothing back: job and row (0, 0: of
 * nobody that the engine knows), at_ms (when the mail came), code and dsn (what the notice says),
 * flags (LINK_EVENT_HARD), text (an excerpt of the mail; of LINK_DMARC_REPORT and LINK_TLS_REPORT
 * the report, as JSON), host (who reports), ip (from where the mail came), source (the address it
 * came to), rcpt (the recipient, as far as the mail says one), class, rule.  tenant is 0 where the
 * engine does not know it; campaign is so once the job has left the log: the job tells.  Which
 * recipient of a job it is, and their address, is known from job and row.  attempt and next_ms are
 * 0.  A client that does not know these kinds passes over them.
 *
 * Feeding exactly once: after WELCOME the client reads events up to `durable lsn`, and
 * EVENT_ACCEPTED tells it which jobs were taken.  Only then does it send again the jobs that were
 * not acknowledged.  A job or content that the engine knows is acknowledged again and changes
 * nothing.  E_CONFLICT on JOB or CONTENT: the engine knows the id, with other bytes, and takes
 * nothing.  EVENTS without events say how far the log was read when it grew by other records.  The
 * ACK to SUBSCRIBE carries the position where events begin.  The ACK to CURSOR alone does not wait
 * for the sync: a crash may put a cursor back, and events are then told again.  E_UNKNOWN on JOB:
 * send the content again.  E_FULL: wait and try again.  E_NO_ROOM on JOB: the queue of this tenant
 * is full; wait with the tenant's mail, that of others may go on.
 *
 * Facts about senders and suppressions: CHANGE carries some that changed; the engine knows all of
 * them or none.  EQUAL carries the sums of all, and E_CONFLICT says that the engine knows something
 * else.  BEGIN, any number of MORE, and END give all of them anew; until END the engine goes by
 * what it knew before.  BEGIN carries the sums, so that there is room.  A set that another client
 * began in between is E_CONFLICT.
 *
 * Limits: frames up to LINK_FRAME_MAX, FACTS up to LINK_FACTS_MAX bytes of facts, ADMIN up to
 *         LINK_ADMIN_MAX (its tree costs the engine up to 40 times its bytes), at most
 *         LINK_EVENTS_MAX events per frame.  The engine sends no further EVENTS while the client
 *         has more than 4 MiB to read. */
#pragma once
#include "base/buf.h"
#include "base/value.h"
#include "schema/wire/rows.h"

enum {
	LINK_FRAME_MAX = 64 * 1024 * 1024,
	LINK_EVENTS_MAX = 4096,
	LINK_VERSION = 1,
	LINK_ADMIN_MAX = 1024 * 1024,
	LINK_FACTS_MAX = 16 * 1024 * 1024
};
enum link_type {
	LINK_HELLO = 1,
	LINK_CONTENT = 2,
	LINK_JOB = 3,
	LINK_RULE = 4,
	LINK_KEY = 5,
	LINK_SUBSCRIBE = 6,
	LINK_CURSOR = 7,
	LINK_ADMIN = 8,
	LINK_FACTS = 20,
	LINK_WELCOME = 64,
	LINK_ACK = 65,
	LINK_ERROR = 66,
	LINK_EVENTS = 67,
	LINK_REPORT = 68,
};

enum link_facts_step {
	LINK_FACTS_CHANGE = 1,
	LINK_FACTS_EQUAL = 2,
	LINK_FACTS_BEGIN = 3,
	LINK_FACTS_MORE = 4,
	LINK_FACTS_END = 5
};

/* The numbers of enum job_class in spool/spool.h. */
enum link_class { LINK_BULK = 0, LINK_TRANSACTIONAL = 1 };
struct link_job {
	struct id128 id, content;
	uint64_t tenant, campaign;
	uint8_t class;
	int64_t accepted_ms, expires_ms;
	uint32_t rows;
	struct slice meta, data;
};
/* The numbers of enum outcome_kind, EVENT_ACCEPTED and the flags in spool/spool.h, for readers that
 * do not see the spool.  A test checks that they are equal. */
enum link_event_kind {
	LINK_DELIVERED = 1,
	LINK_BOUNCED = 2,
	LINK_EXPIRED = 3,
	LINK_CANCELLED = 4,
	LINK_DEFERRED = 5,
	LINK_ACCEPTED = 16, /* row: the number of rows */
	LINK_RETURNED = 32,
	LINK_RETURNED_DELAY = 33,
	LINK_COMPLAINT = 34,
	LINK_AUTO_REPLY = 35,
	LINK_UNSUBSCRIBE = 36,
	LINK_DMARC_REPORT = 37,
	LINK_TLS_REPORT = 38,
	LINK_RETURNED_OTHER = 39,
};
/* LINK_EVENT_SIMULATED: nothing was sent; the control plane makes such events, never an engine. */
enum {
	LINK_EVENT_TLS = 1,
	LINK_EVENT_SUPPRESSED = 2,
	LINK_EVENT_HARD = 8,
	LINK_EVENT_SIMULATED = 16,
};
struct link_event {
	uint64_t lsn;
	unsigned kind; /* enum link_event_kind */
	struct id128 job;
	uint64_t tenant, campaign;
	uint32_t row;
	uint16_t attempt;
	int64_t at_ms, next_ms;
	uint16_t code, flags;
	struct slice dsn, text, host, ip, source, rcpt;
	struct slice class,
	    rule; /* what the reply means, and the rule that says so; may be empty */
	/* How it travelled (spool/spool.h); all may be empty. */
	struct slice tls, cipher, policy, proof;
};
/* One decoded frame; slices point into the frame's bytes, values into the arena. */
struct link_frame {
	enum link_type type;
	uint64_t request;
	union {
		struct {
			uint64_t version;
			struct slice name;
		} hello;
		struct {
			uint64_t version;
			struct slice engine;
			uint64_t durable, oldest, cursor;
		} welcome;
		struct {
			struct id128 id;
			struct slice meta, bytes;
		} content;
		struct link_job job;
		struct {
			struct slice key, value;
		} rule;
		struct {
			struct slice domain, selector, pem;
		} key;
		struct {
			uint8_t step; /* enum link_facts_step */
			struct slice packed;
		} facts;
		uint64_t lsn; /* SUBSCRIBE, CURSOR, ACK */
		struct {
			struct slice command;
			struct value args;
		} admin;
		struct {
			int code;
			struct slice text;
		} error;
		struct {
			uint64_t next;
			uint32_t n;
			struct slice packed;
		} events;
		struct value report;
	};
};

/* Appends one whole frame.  It takes the struct that decoding gives; link_event_put() makes
 * `events.packed`, one event after the other. */
int link_put(struct buf *out, const struct link_frame *f) MUST_CHECK;
int link_event_put(struct buf *packed, const struct link_event *e) MUST_CHECK;
/* Splits off the frame at the front of `in`.  1: *ret_body is its body and *ret_used its whole
 * length; 0: more bytes are needed; E_LIMIT: its length is past the bound. */
int link_split(struct slice in, struct slice *ret_body, size_t *ret_used) MUST_CHECK;
int link_get(struct slice body, struct wire_arena *arena,
	     struct link_frame *ret) MUST_CHECK; /* E_SYNTAX, E_LIMIT */
/* Walks frame->events; *pos starts at 0.  1 an event, 0 the end, E_SYNTAX. */
int link_event_next(const struct link_frame *f, size_t *pos, struct link_event *ret) MUST_CHECK;
