/* spool/late.h - what comes back as mail after a recipient has ended: a bounce that was sent as a
 * message, a complaint, an unsubscribe, a report about a domain.
 *
 * The mail is spooled as it came (spool_put_late_mail) and owed until somebody has read it.  What
 * he read are facts (spool_put_late), of which the last one ends the mail.  A fact stands beside
 * the outcome of its recipient and changes nothing of it.
 *
 * Guarantee: a mail whose position is durable is given by spool_late_mails() until the last of
 *            its facts is in the log, through any crash.
 * Guarantee: each fact is one event.  The facts of one mail are numbered: what is put again, after
 *            a crash between them, is passed over.
 * Guarantee: facts with the same key are one fact.  Those that come later are kept as `again`, are
 *            counted as such, and are no events.
 *
 * Owns, Threads, Blocks, Fails: as spool/spool.h.
 * Limits: mails up to LATE_MAIL_MAX.  A key is known again as long as its record, or one of the
 *         newest keys at the beginning of a segment, is in the log (docs/SPOOL.md).
 * Names: late_, spool_. */
#pragma once
#include "spool/spool.h"

/* The same numbers as enum link_event_kind has (schema/wire/link.h). */
enum late_kind {
	LATE_DSN = 32, /* a delivery notice: what was delivered was returned later */
	LATE_DELAY = 33,
	LATE_COMPLAINT = 34,
	LATE_AUTO_REPLY = 35,
	LATE_UNSUBSCRIBE = 36,
	LATE_DMARC = 37,
	LATE_TLSRPT = 38,
	LATE_OTHER = 39,
	LATE_END,
	LATE_KINDS = LATE_END - LATE_DSN
};
enum {
	LATE_MAIL_MAX = 32 << 20,
	LATE_META_MAX = 64 << 10,
	LATE_EVIDENCE_MAX = 1024,
	LATE_REPORT_MAX = 256 << 10,
};

struct late_mail {
	struct id128 id;
	int64_t at_ms;
	struct slice meta;  /* opaque to the spool: the envelope */
	struct slice bytes; /* the message, as it came */
};
/* Appends it, as mail: E_FULL when the disk is nearly full.  E_EXISTS: the id is owed already. */
int spool_put_late_mail(struct spool *sp, const struct late_mail *m, lsn_t *ret_lsn) MUST_CHECK;
/* The first mails that are owed, in the order in which they came, at most `max`; gives how many. */
unsigned spool_late_mails(struct spool *sp, struct id128 *ret, unsigned max);
/* Appends meta and bytes to the bufs; either may be NULL.  E_UNKNOWN: it is not owed. */
int spool_read_late_mail(struct spool *sp, struct id128 id, int64_t *ret_at_ms, struct buf *meta,
			 struct buf *bytes) MUST_CHECK;

struct late_fact {
	struct id128 mail; /* which mail said so */
	uint32_t seq;      /* the number of this fact among those of the mail, from 0 */
	bool last;         /* of the facts of its mail */
	bool again;        /* set by the spool: there is a fact with this key already */
	unsigned kind;     /* enum late_kind */
	uint64_t key;      /* what makes it the same fact; 0: it is like no other */
	struct id128 job;  /* of the recipient; 0, 0: nobody's that we know */
	uint32_t row;
	uint64_t tenant, campaign;
	int64_t at_ms; /* when the mail came */
	struct status status;
	uint16_t code;
	uint16_t flags;        /* OUTCOME_HARD */
	struct slice evidence; /* an excerpt of the mail, LATE_EVIDENCE_MAX; longer is cut */
	struct slice host;     /* the reporting MTA, may be empty */
	struct slice ip;       /* from where the mail came */
	struct slice to;       /* the address it came to */
	struct slice rcpt;     /* the recipient that it is about, may be empty */
	struct slice class;    /* what the reply means (message/judge/class.h) */
	struct slice rule;     /* who says so */
	struct slice report;   /* of LATE_DMARC and LATE_TLSRPT: what was read, LATE_REPORT_MAX */
};
/* All or some facts of one mail, in order.  E_UNKNOWN: the mail is not owed (any more).  Tenant and
 * campaign are filled in where they are 0 and the job's record is still in the log. */
int spool_put_late(struct spool *sp, const struct late_fact *facts, unsigned n,
		   lsn_t *ret_lsn) MUST_CHECK;
