/* mta/smtp/session.h - one SMTP client connection to one MX host: RFC 5321, PIPELINING (2920), SIZE
 * (1870), 8BITMIME (6152), ENHANCEDSTATUSCODES (2034), STARTTLS (3207), SMTPUTF8 (6531), CHUNKING
 * (3030), AUTH (4954).
 * A session reads down the table in session.c; steps are said in say.c and chunk.c, and heard in
 * hear.c and chunk.c.
 *
 * Owns:   session_new() gives the caller the session; session_free() ends it (at the end of the
 *         loop turn).  A txn handed over belongs to the session until done() gives it back.
 * Blocks: never.
 * Fails:  gone() once, with what happened; a txn in hand comes back through done() first, its
 *         unanswered recipients with VERDICT_DEFERRED (RFC 5321 section 4.5.3.2.6: a lost reply
 *         after the final dot is never taken as delivered).
 *
 * Verdicts: a message that the host cannot take is bounced unsent: it is too large for the host's
 * SIZE (5.3.4); it is 8-bit and 8BITMIME is not offered (5.6.1; RFC 6152 section 3: who can
 * convert it has done so, see session_takes_8bit()); it needs SMTPUTF8 and
 * that is not offered (5.6.7, RFC 6531 section 3.5).  5xx to the greeting, EHLO and HELO says
 * nothing about recipients: they are deferred, and the trouble is the host's.  A handshake that
 * fails, a certificate that is not as demanded, and TLS that is required but not offered, are
 * 4.7.5: under TLS_MAY the caller may try again with TLS_NEVER.  With require_tls they are 5.7.10,
 * and a host without REQUIRETLS is 5.7.30 (RFC 8689 section 4.2.1).
 *
 * Going on at once: recipients that are too many for one transaction may go in the next (RFC 5321
 * section 4.5.3.1.10).  A host that offers PIPELINING but drops, refuses or hangs up on commands
 * that come in a group is to be spoken to one command at a time: such a session goes on in
 * lock-step, and its txn says so.  Both are marked on the recipients (enum txn_again).
 *
 * AUTH that the host refuses or does not offer ends the session with 4.7.8: it says something of
 * our credentials, and nothing of recipients.
 *
 * One flight: to a host that offers PIPELINING and CHUNKING and was seen to take BDAT, MAIL, RCPT
 * and the message leave together (chunk.c).
 *
 * Limits: of a reply 101 lines / 16 KiB are kept (reply.h), addresses 512 bytes, 64 commands
 *         unanswered, two txns in hand (one being answered, the next pipelined behind it). */
#pragma once
#include "mta/door/conn.h"
#include "mta/smtp/auth.h"
#include "mta/smtp/transcript.h"
#include "mta/smtp/verdict.h"

struct session;
struct session *session_free(struct session *s);
DEFINE_OWNED(session)

struct smtp_timeouts { /* milliseconds; defaults are RFC 5321 section 4.5.3.2 */
	int64_t connect, greeting, ehlo, starttls, mail, rcpt, data, block, dot, rset, quit;
};
void smtp_timeouts_default(struct smtp_timeouts *t);

enum tls_policy { TLS_NEVER, TLS_MAY, TLS_MUST };
struct session_options {
	struct conn_target to;
	const char *mx_host; /* name of the MX host, for TLS SNI and logs */
	/* What is demanded of its certificate; it outlives the session.  NULL: nothing. */
	const struct tls_check *tls_check;
	const char *ehlo;
	struct smtp_timeouts timeouts;
	enum tls_policy tls;
	struct tls_context *tls_context;
	/* It is used only if it offers REQUIRETLS (RFC 8689) under TLS; MAIL asks for it. */
	bool require_tls;
	struct tls_session *tls_resume;  /* may be NULL; the session takes a reference of its own */
	const struct session_auth *auth; /* proves who we are (auth.h), or the session ends; NULL */
	bool tls_at_once;                /* TLS before the greeting (RFC 8314) */
	unsigned ignore;                 /* EHLO_ bits (ehlo.h) that the host offers in vain */
	bool pipelines;                  /* the host was seen to take commands in groups */
	bool chunks;                     /* the host was seen to take a message with BDAT */
};

/* Its verdict says little of the recipient: it may go again at once. */
enum txn_again {
	AGAIN_NO,
	AGAIN_NEXT_TXN,  /* too many for this transaction; others of it were taken */
	AGAIN_LOCK_STEP, /* without PIPELINING; the txn's lock_step is set */
	AGAIN_DATA,      /* without CHUNKING; the txn's no_chunks is set */
};
struct txn_rcpt {
	struct slice address; /* checked at acceptance: no CR, LF, NUL, '<', '>' */
	enum txn_again again;
	uint8_t notify;     /* RFC 3461: enum wire_notify bits; 0: not said */
	struct slice orcpt; /* likewise, as it goes on the wire; empty: none */
	struct verdict verdict;
};
/* One message to one or more recipients at one host.  A member of the caller's delivery.  All of
 * rcpts' verdicts start as VERDICT_NONE (session_send sees to it) and are final in done(). */
struct txn {
	struct slice mail_from; /* "" is the null reverse-path */
	struct slice head;      /* what goes before the message: DKIM-Signature fields */
	struct slice message;   /* CRLF lines, not dot-stuffed; both stay valid until done() */
	bool body_8bit, utf8;
	bool return_headers; /* RFC 3461: RET=HDRS */
	bool return_full;    /* likewise: RET=FULL */
	struct slice envid;  /* likewise, decoded; empty: none */
	unsigned n_rcpts;
	struct txn_rcpt *rcpts;
	/* Filled in by the session. */
	bool sent_data; /* all of the message has left: a lost answer is in doubt */
	/* A reply to one of its commands came.  When none did, on a connection that was used
	 * before, another connection may be tried at once. */
	bool answered;
	bool pipelined;       /* the host took its commands in a group */
	bool lock_step;       /* the host cannot do PIPELINING, whatever it offers */
	int64_t began_ms;     /* when it was handed over; the turn's monotonic time */
	bool dsn;             /* the host was told NOTIFY and the like, and answers for them */
	bool chunked;         /* the host took the message with BDAT */
	bool no_chunks;       /* the host cannot do CHUNKING, whatever it offers */
	unsigned rcpts_taken; /* before the host said that these are too many; 0: it did not */
	void *state;
};

struct session_user { /* a member of the pool's connection object */
	/* Ready for session_send() or session_quit(): after EHLO (and TLS), and after each txn. */
	void (*ready)(struct session_user *u);
	void (*done)(struct session_user *u, struct txn *t);
	/* The connection is over; v says why (kind NONE: it ended well, or the peer closed an idle
	 * one).  Free the session now.  No session_ call calls any of these three. */
	void (*gone)(struct session_user *u, const struct verdict *v);
};

/* Copies what it needs of o.  E_SYNTAX: o->ehlo is not a name. */
int session_new(struct session **ret, struct loop *l, const struct session_options *o,
		struct session_user *u) MUST_CHECK;
/* E_FULL: it has all it can take (session_can_take); E_CONFLICT: the session is not ready or is
 *         ending; E_SYNTAX: an address may not go on the wire (CR, LF, NUL, controls, brackets,
 *         8-bit without utf8). */
int session_send(struct session *s, struct txn *t) MUST_CHECK;
bool session_can_take(const struct session *s); /* room for (another) txn now */
bool session_auth_refused(const struct session *s);
bool session_connected(const struct session *s);  /* the host's machine has answered */
bool session_takes_8bit(const struct session *s); /* 8BITMIME; known when it is ready */
/* How far TLS came; also in gone(). */
enum session_tls {
	SESSION_TLS_NONE,    /* it was not wanted, or not come to */
	SESSION_TLS_MISSING, /* the host did not offer it, or refused to begin */
	SESSION_TLS_BEGUN,   /* the handshake began and did not end well */
	SESSION_TLS_DONE,
};
enum session_tls session_tls(const struct session *s);
void session_quit(struct session *s); /* QUIT after what is in hand, then gone() */
/* It ends now, unless a message has begun to leave: then once that is answered. */
void session_cut(struct session *s);
/* Whose fault its early end is, where a proxy stands between; also in gone().  *ret_err: what was
 * wrong. */
enum session_blame {
	BLAME_HOST,  /* or nobody's: as without a proxy */
	BLAME_PROXY, /* it cannot be reached, does not take us, or makes no sense */
	BLAME_WAY,   /* the proxy ended it without a word, because of itself or of the host */
};
enum session_blame session_blame(const struct session *s, int *ret_err);
const char *session_doing(const struct session *s); /* "waiting for the EHLO reply" */
unsigned session_sent(const struct session *s);     /* txns finished on this connection */
/* How long its opening took, and the turn's time; 0: that did not happen. */
struct session_times {
	int64_t connect_ms, tls_ms, now_ms;
};
void session_times(const struct session *s, struct session_times *ret);
/* What was said and heard; a watch, or NULL, hears every line from now on. */
const struct transcript *session_transcript(const struct session *s);
void session_watch(struct session *s, struct transcript_watch *w);
struct conn *session_conn(struct session *s); /* for TLS facts and addresses, in gone() too */
