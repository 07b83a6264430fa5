/* mta/smtpd/smtpd.h - an SMTP server for any number of services: listeners, sessions, commands, the
 * body of a message, replies in order.  It knows nothing of what the mail is for: a service is a
 * table of functions and rows (struct smtpd_service), and has its own limits and counts.
 * RFC 5321; PIPELINING (2920), SIZE (1870), 8BITMIME (6152), ENHANCEDSTATUSCODES (2034), STARTTLS
 * (3207), SMTPUTF8 (6531), CHUNKING without BINARYMIME (3030), AUTH (4954) with PLAIN (4616) and
 * LOGIN, TLS from the first byte (8314), the PROXY protocol in front of a session (proxy.h).
 *
 * Guarantee: "250 queued" leaves only after the message's record is durable.
 * Guarantee: only CRLF "." CRLF ends a message; a lone CR or LF in it refuses the message and never
 *            ends it, so that no relay in front of us can disagree with us about where one ends.
 *            After such a message the session ends: what follows is not heard.
 *            A chunk of BDAT ends where its count says, refused or not; a count that cannot be read
 *            ends the session.
 * Guarantee: replies leave in the order of the commands.
 *
 * Files:   server.c lets clients in, listen.c has the sockets, clients.c counts, session.c reads
 *          and answers in order, accept.c waits for the disk, commands.c is the table of commands,
 *          extensions.c the table of EHLO keywords and parameters, starttls.c begins TLS, auth.c
 *          is AUTH, message.c takes a body, bdat.c one in chunks, proxied.c waits for what a proxy
 *          says of its client; command.c, body.c, sasl.c and proxy.c parse.  session.h is theirs
 *          alone.
 * Owns:    smtpd_server_new() gives the caller a service's server on one lane; it ends with
 *          smtpd_server_free(), which also ends the sessions.  A session and what it holds belong
 *          to the server.
 * Blocks:  smtpd_server_free() alone, for a second at most: a message that is in the log already is
 *          still acknowledged.
 * Fails:   smtpd_server_new(): negative errno of the listening sockets, E_TLS and what reading a
 *          certificate gives.  Afterwards only sessions fail, each by itself.
 * Threads: a server belongs to its lane and each lane has listeners of its own (listen.h); the
 *          clients of a service are counted over all lanes.
 * Limits:  SMTPD_FAULTS_MAX bad commands in a row, command lines of 1,000 bytes, 8 parameters per
 *          command, 16 messages of one session waiting for the disk, SMTPD_HELD_MAX bytes of
 *          messages coming in per server, SMTPD_AUTHS_MAX wrong passwords a session; the rest is
 *          in struct smtpd_settings. */
#pragma once
#include "message/mailbox.h"
#include "mta/config/entries.h"
#include "mta/core/counters.h"
#include "mta/core/engine.h"
#include "mta/smtpd/command.h"

enum {
	SMTPD_HELD_MAX = 512 * 1024 * 1024,
	SMTPD_FAULTS_MAX = 20, /* Postfix's smtpd_hard_error_limit; Exim has 3 */
	SMTPD_AUTHS_MAX = 3,
};

/* ---- what a service sees of a session ---------------------------------------------------- */

struct smtpd_session;

/* One message on its way in. */
struct smtpd_mail {
	struct mailbox from; /* n == 0: the null reverse-path */
	struct mailbox first_rcpt;
	unsigned n_rcpts;
	bool utf8;          /* SMTPUTF8 was asked for */
	struct buf rcpts;   /* the service's record of the recipients, in any form it likes */
	struct id128 id;    /* the service's, given in begin(); the client is told it */
	size_t own_n;       /* bytes of `message` that begin() has put there */
	struct buf message; /* then what came: lines that end in CRLF, no dots stuffed */
};
struct smtpd_mail *smtpd_session_mail(struct smtpd_session *s);
const struct ip *smtpd_session_peer(const struct smtpd_session *s);
struct slice smtpd_session_helo(const struct smtpd_session *s); /* what the client calls itself */
bool smtpd_session_esmtp(const struct smtpd_session *s);        /* it said EHLO, not HELO */
bool smtpd_session_is_tls(const struct smtpd_session *s);
struct conn *smtpd_session_conn(struct smtpd_session *s); /* for facts about TLS only */
void *smtpd_session_own(struct smtpd_session *s); /* the service's own_size bytes, zero at first */
/* The answer to the service's auth(), a whole reply: 235 and the client is known from now on, 421
 * and the session ends. */
void smtpd_session_auth_answer(struct smtpd_session *s, struct slice reply);

/* ---- a service --------------------------------------------------------------------------- */

/* A whole reply with its CRLF, or none: "go on".  421 also ends the session (RFC 5321, 3.8). */
#define SMTPD_GO_ON ((struct slice){ NULL, 0 })

/* `state` below is that of struct smtpd_server_options. */

/* A line of the EHLO reply. */
struct smtpd_keyword {
	const char *name;
	/* NULL: it is always offered, and has no value. */
	bool (*offered)(void *state, const struct smtpd_session *s);
	void (*value)(void *state, const struct smtpd_session *s, struct buf *out);
};
/* A parameter of MAIL or RCPT (esmtp-param, RFC 5321 section 4.1.2).  take() is called for each one
 * given, before mail() or rcpt(); without a value, `value` is empty. */
struct smtpd_param {
	enum smtpd_verb verb;
	struct slice name;
	struct slice (*take)(void *state, struct smtpd_session *s, struct slice value);
};

/* Where a message is in the spool: what its acknowledgement waits for. */
struct smtpd_taken {
	job_no job;
	lsn_t lsn;
};

struct smtpd_clients; /* mta/smtpd/clients.h */
struct smtpd_service {
	const char *name;                     /* begins its events in the log: "submit" */
	struct smtpd_clients *clients;        /* how many there are now, over all lanes */
	const struct smtpd_keyword *keywords; /* besides those of extensions.c */
	size_t n_keywords;
	const struct smtpd_param *params;
	size_t n_params;

	size_t own_size; /* bytes of each session that are the service's */
	bool chunking;   /* BDAT is taken (RFC 3030) */

	/* May this client connect?  NULL: every client may. */
	struct slice (*connect)(void *state, const struct ip *peer);
	/* Is AUTH offered to this client?  It never is without TLS.  NULL: to nobody. */
	bool (*auth_offered)(void *state, const struct smtpd_session *s);
	/* Whoever asks calls smtpd_session_auth_answer() later; the session hears nothing until
	 * then.  Name and password are good for the call. */
	void (*auth)(void *state, struct smtpd_session *s, struct slice name,
		     struct slice password);
	/* The session ends; NULL: that is nothing to the service. */
	void (*ended)(void *state, struct smtpd_session *s);
	/* MAIL or RCPT came; its parameters are taken next.  NULL: as above. */
	void (*path)(void *state, struct smtpd_session *s, enum smtpd_verb verb);
	/* Asked at each MAIL, before it is parsed: is mail refused now?  NULL: never. */
	struct slice (*closed)(void *state);
	/* May this sender, mail->from, send?  NULL: every sender may. */
	struct slice (*mail)(void *state, struct smtpd_session *s);
	/* SMTPD_GO_ON: the recipient counts, and is in mail->rcpts. */
	struct slice (*rcpt)(void *state, struct smtpd_session *s, const struct mailbox *to);
	/* DATA was said: gives mail->id, and puts the service's own fields in mail->message.
	 * E_LIMIT: they did not fit, the message is then refused as too big; -ENOMEM: for now. */
	int (*begin)(void *state, struct smtpd_session *s);
	/* The whole message is here.  SMTPD_GO_ON: it is in the spool, at *ret. */
	struct slice (*message)(void *state, struct smtpd_session *s, struct smtpd_taken *ret);
	/* It is durable.  Called before the client is told, and also when the client has gone. */
	void (*safe)(void *state, const struct smtpd_taken *t);
};

/* Read whenever they are needed.  A reload may change them, on the lane's thread. */
struct smtpd_settings {
	const char *hostname;           /* of the greeting and the EHLO reply */
	const char *tls_cert, *tls_key; /* PEM files; "": STARTTLS is not offered */
	int64_t max_size;               /* bytes of a message */
	int64_t max_line;               /* of a line of it, without CRLF; 0: no limit */
	int64_t max_rcpts;              /* per message */
	int64_t max_sessions;           /* of the service, over all lanes */
	int64_t max_sessions_client;    /* of those, per address */
	int64_t timeout;                /* milliseconds for a client's command */
	/* Clients in these networks are proxies: they say first for whom they speak (proxy.h).
	 * NULL: there are none. */
	const struct net_list *proxy_from;
};

/* Written by the server's lane only, read by any thread. */
struct smtpd_counters {
	counter sessions, sessions_open, messages, recipients, bytes, refused, tls;
};

/* ---- a service on a lane ----------------------------------------------------------------- */

struct smtpd_server;
struct smtpd_server_options {
	struct lane *lane;
	const struct smtpd_service *service;
	void *state; /* goes to the service's functions */
	/* These three live as long as the server. */
	const struct smtpd_settings *settings;
	struct smtpd_counters *counters;
	const struct listener *listen;
	unsigned n_listen;
	const struct listener *listen_tls; /* where TLS begins at once; these need a certificate */
	unsigned n_listen_tls;
};
struct smtpd_server *smtpd_server_free(struct smtpd_server *on);
DEFINE_OWNED(smtpd_server)
int smtpd_server_new(struct smtpd_server **ret, const struct smtpd_server_options *o) MUST_CHECK;
/* The settings have changed.  A certificate that cannot be read is logged; the old one stays. */
void smtpd_server_reload(struct smtpd_server *on);
/* Stops listening.  A message in progress may be finished; other clients are sent away (421). */
void smtpd_server_quiet(struct smtpd_server *on);
