/* schema/wire/meta.h - what the engine must know about a content and a job, as msgpack
 * maps with short string keys.  Unknown keys are ignored and a missing one is zero, so
 * keys may be added later.
 * Owns: nothing; slices point into the bytes they were read from. */
#pragma once
#include "base/buf.h"

struct wire_content_meta {
	bool program;             /* bytes are a message/program.h program, else a raw message */
	bool body_8bit, utf8;     /* needs 8BITMIME, SMTPUTF8 */
	struct slice sign_domain; /* d= of the signature; empty: none. Keys come from keys.dir */
};
struct wire_job_meta {
	struct slice mail_from;         /* reverse-path; empty: null */
	struct slice pool;              /* egress pool; empty: the default */
	struct slice message_id_domain; /* for programs; Message-ID is <...@domain> */
	struct slice origin;            /* "smtp" or "control"; for logs */
	struct slice stream;            /* a name the sender chose; empty: the job's class */
	struct slice tag;               /* the sender's word for it */
	struct slice metadata;          /* the sender's own JSON object, passed on with events */
	struct slice envid;             /* RFC 3461 section 4.4, decoded; empty: none */
	bool return_headers;            /* RFC 3461 section 4.3: RET=HDRS */
	bool return_full;               /* likewise: RET=FULL */
	bool require_tls;               /* RFC 8689 */
	bool engaged;                   /* its recipients read our mail; first on a cold source */
	int64_t date_ms;                /* Date header of programs */
	int64_t not_before_ms;          /* RFC 4865: not tried earlier (wall clock); 0: at once */
};
int wire_content_meta_put(struct buf *out, const struct wire_content_meta *m) MUST_CHECK;
int wire_content_meta_get(struct slice in, struct wire_content_meta *ret) MUST_CHECK;
int wire_job_meta_put(struct buf *out, const struct wire_job_meta *m) MUST_CHECK;
int wire_job_meta_get(struct slice in, struct wire_job_meta *ret) MUST_CHECK;
