/* message/report/report.h - what comes back as mail: delivery notices, complaints, automatic
 * answers.  From the bytes of one message to its kind and what it says of each recipient.
 *
 * Notices with fields (RFC 3464, RFC 6533) and complaints (RFC 5965, RFC 6650) are read by their
 * fields; the many that are prose are read line by line.  What a reply means is judged by the rules
 * of message/judge, and nothing else.
 *
 * Owns:    report_read() gives the caller the report, which holds copies of all that it shows.
 * Blocks:  never; a character set that the C library has not loaded is read from disk once.
 * Fails:   never: what nobody understands is REPORT_OTHER without a recipient.
 * Threads: any number at once, each with its own message.
 * Limits:  REPORT_BYTES_MAX bytes are looked at, REPORT_PARTS_MAX parts, REPORT_DEPTH_MAX deep,
 *          REPORT_RECIPIENTS_MAX recipients, REPORT_TEXT_MAX bytes of text for each.
 * Guarantee: `hard` occurs in REPORT_DSN only, of a recipient whose action is REPORT_FAILED. */
#pragma once
#include "message/judge/judge.h"
#include "message/mailbox.h"

enum {
	REPORT_BYTES_MAX = 1024 * 1024,
	REPORT_DEPTH_MAX = 8,
	REPORT_PARTS_MAX = 64,
	REPORT_RECIPIENTS_MAX = 1000,
	REPORT_TEXT_MAX = 1024,
	REPORT_ID_MAX = 512,
	REPORT_EXTRA_MAX = 32,
};

enum report_kind {
	REPORT_OTHER,
	REPORT_DSN, /* it failed, or it arrived: the action says */
	REPORT_DELAY,
	REPORT_ARF,
	REPORT_AUTO_REPLY,
	REPORT_UNSUBSCRIBE,
	REPORT_DMARC,
	REPORT_TLSRPT,
	REPORT_KINDS
};
enum report_action {
	REPORT_FAILED,
	REPORT_DELAYED,
	REPORT_DELIVERED, /* also relayed and expanded: nothing more will be heard */
	REPORT_COMPLAINED,
	REPORT_ACTIONS
};

struct report_recipient {
	struct mailbox box;      /* as the host says that failed */
	struct mailbox original; /* as we wrote to it, when the notice says that it differs; n: 0 */
	enum report_action action;
	struct status status;
	uint16_t code;     /* reply code; 0: none */
	struct slice text; /* what the host said, UTF-8, one line */
	enum judge_class class;
	bool hard;
};
/* A field of the returned header whose name begins with "X-". */
struct report_extra {
	struct slice name, value;
};
struct report {
	enum report_kind kind;
	unsigned n;
	struct report_recipient *recipients;
	/* By these the message that was sent can be found; each may be empty. */
	struct slice returned_to;   /* where this came back to: our return path, with its token */
	struct slice message_id;    /* of the returned message */
	struct slice envelope_id;   /* Original-Envelope-Id (RFC 3461) */
	struct slice return_path;   /* of the returned message */
	struct slice feedback_type; /* of a complaint: abuse, fraud, ... */
	unsigned n_extra;
	struct report_extra extra[REPORT_EXTRA_MAX];
};

struct report *report_read(const struct judge *j, struct slice message);
struct report *report_free(struct report *r);
DEFINE_OWNED(report)
const char *report_kind_name(enum report_kind k);
const char *report_action_name(enum report_action a);
