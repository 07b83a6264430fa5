/* message/report/returned.h - what comes back as mail: delivery notices, complaints, automatic
 * answers.  From the bytes of one message to its kind and what it says of each recipient.
 *
 * Notices with fields (RFC 3464, RFC 6533) and complaints (RFC 5965, RFC 6650) are read by their
 * fields; the many that are prose are read line by line.  What a reply means is judged by the rules
 * of message/judge, and nothing else.
 *
 * Owns:    returned_read() gives the caller the report, which holds copies of all that it shows.
 * Blocks:  never; but the C library reads a character set from disk when it is first needed.
 *          Whoever has no files calls returned_prepare() while it still has.
 * Fails:   never: what nobody understands is RETURNED_OTHER without a recipient.
 * Threads: any number at once, each with its own message.
 * Limits:  the first RETURNED_BYTES_MAX bytes are looked at, RETURNED_PARTS_MAX parts,
 *          RETURNED_DEPTH_MAX deep, RETURNED_RECIPIENTS_MAX recipients, RETURNED_TEXT_MAX bytes of
 *          text for each.
 * Guarantee: `hard` occurs in RETURNED_DSN only, of a recipient whose action is RETURNED_FAILED. */
#pragma once
#include "message/judge/judge.h"
#include "message/mailbox.h"

enum {
	RETURNED_BYTES_MAX = 1024 * 1024,
	RETURNED_DEPTH_MAX = 8,
	RETURNED_PARTS_MAX = 64,
	RETURNED_RECIPIENTS_MAX = 1000,
	RETURNED_TEXT_MAX = 1024,
	RETURNED_ID_MAX = 512,
	RETURNED_EXTRA_MAX = 32,
};

enum returned_kind {
	RETURNED_OTHER,
	RETURNED_DSN, /* it failed, or it arrived: the action says */
	RETURNED_DELAY,
	RETURNED_ARF,
	RETURNED_AUTO_REPLY,
	RETURNED_UNSUBSCRIBE,
	RETURNED_DMARC,
	RETURNED_TLSRPT,
	RETURNED_KINDS
};
enum returned_action {
	RETURNED_FAILED,
	RETURNED_DELAYED,
	RETURNED_DELIVERED, /* also relayed and expanded: nothing more will be heard */
	RETURNED_COMPLAINED,
	RETURNED_ACTIONS
};

struct returned_recipient {
	struct mailbox box;      /* as the host says that failed */
	struct mailbox original; /* as we wrote to it, when the notice says that it differs; n: 0 */
	enum returned_action action;
	struct status status;
	uint16_t code;     /* reply code; 0: none */
	struct slice text; /* what the host said, UTF-8, one line */
	enum judge_class class;
	bool hard;
};
/* A field of the returned header whose name begins with "X-". */
struct returned_extra {
	struct slice name, value;
};
struct returned {
	enum returned_kind kind;
	unsigned n;
	struct returned_recipient *recipients;
	/* By these the message that was sent can be found; each may be empty. */
	struct slice returned_to;   /* where this came back to: our return path, with its token */
	struct slice message_id;    /* of the returned message */
	struct slice envelope_id;   /* Original-Envelope-Id (RFC 3461) */
	struct slice return_path;   /* of the returned message */
	struct slice feedback_type; /* of a complaint: abuse, fraud, ... */
	/* The first attachment that may be a report about a domain, decoded, up to
	 * RETURNED_BYTES_MAX; message/aggregate reads it. */
	struct slice attachment;
	unsigned n_extra;
	struct returned_extra extra[RETURNED_EXTRA_MAX];
};

void returned_prepare(void);
struct returned *returned_read(const struct judge *j, struct slice message);
struct returned *returned_free(struct returned *r);
DEFINE_OWNED(returned)
const char *returned_kind_name(enum returned_kind k);
const char *returned_action_name(enum returned_action a);
