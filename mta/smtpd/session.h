/* mta/smtpd/session.h - a client's session and its server; for the files of this folder alone.
 *
 * A session is on its server's list until smtpd_session_end(); it is freed at the end of the loop
 * turn.  Replies leave in the order of the commands: while a message waits for the disk, replies to
 * later commands wait behind it (struct smtpd_acceptance).
 * Owns:    the server owns its sessions and the messages that wait for the disk.
 * Threads: the lane's. */
#pragma once
#include <stddef.h>

#include "mta/smtpd/body.h"
#include "mta/smtpd/clients.h"
#include "mta/smtpd/sasl.h"
#include "mta/smtpd/smtpd.h"

enum {
	SMTPD_WAITING_MAX = 16,       /* messages of one session that wait for the disk */
	SMTPD_BEHIND_MAX = 16 * 1024, /* bytes of replies that wait behind them */
	SMTPD_HELO_MAX = 255,
	SMTPD_BUFFER_KEEP = 64 * 1024,
	SMTPD_SLOWEST = 1024,     /* bytes per second, the slowest that a message may come */
	SMTPD_OWN_MAX = 8 * 1024, /* room beyond the largest message for begin() */
	SMTPD_EVENT_MAX = 48,
	SMTPD_FAULT = 5, /* a bad command; an address that is none counts as one fifth of it */
};

/* Where a session is in an exchange of AUTH. */
struct smtpd_auth {
	enum { AUTH_PLAIN, AUTH_LOGIN_NAME, AUTH_LOGIN_PASSWORD } step;
	uint8_t failed;
	uint16_t name_n;
	char name[SASL_NAME_MAX]; /* of LOGIN, until the password comes */
};

struct smtpd_listener;
struct smtpd_server {
	struct smtpd_server_options with;
	struct loop *loop;
	struct list sessions;
	struct list acceptances; /* of sessions that are gone */
	struct list spare;       /* struct smtpd_acceptance, to be used again */
	struct list proxied; /* struct smtpd_proxied: connections of proxies, not sessions yet */
	unsigned n_proxied;
	struct tls_context *tls; /* NULL: STARTTLS is not offered */
	struct smtpd_listener *listeners;
	unsigned n_listeners;
	struct timer accept_again; /* after the descriptors ran out */
	struct buf greeting;       /* the EHLO reply is made here */
	size_t held;               /* bytes of messages coming in */
	bool quiet;
};

/* The life of a session; only smtpd_session_become() changes it. */
enum smtpd_life {
	SMTPD_STRANGER, /* has not said EHLO or HELO, or not since TLS began: no mail before that */
	SMTPD_IDLE,     /* no message is open: MAIL may come */
	SMTPD_MAIL,     /* MAIL was taken: RCPT, then DATA may come */
	SMTPD_BODY,     /* DATA was said: the message comes, up to its final dot */
	SMTPD_CHUNK,    /* bytes of a BDAT come */
	SMTPD_CHUNKS,   /* part of a message is here: BDAT or RSET may come */
	SMTPD_STARTTLS, /* the reply to STARTTLS leaves, then comes the handshake */
	SMTPD_AUTH,     /* AUTH was said: the next line answers our challenge */
	SMTPD_CHECK,    /* the service looks at name and password: nothing is heard */
	SMTPD_ENDING,   /* the last reply is said: it ends when the disk has answered */
	SMTPD_GONE,     /* is off the server's list; freed at the end of the turn */
	SMTPD_LIVES
};
/* A chunk that comes now. */
struct smtpd_chunk {
	uint64_t left;
	bool last;
	struct slice refusal; /* it is read past, and then answered so */
	enum smtpd_life back; /* and that is where the session goes back to */
};
struct smtpd_session {
	struct list link;
	struct smtpd_server *on;
	struct conn *conn;
	struct conn_user user;
	struct timer timer;
	struct turn_end turn; /* starts TLS, or frees the session */
	struct ip peer;

	enum smtpd_life life;
	/* Facts that several parts of its life may have */
	bool esmtp;    /* it said EHLO last: extensions may be used */
	bool skipping; /* the rest of a line that was too long is passed over */
	bool in_run;   /* smtpd_session_run() is further up the stack */
	bool greeted;
	bool known;    /* AUTH has told who it is */
	uint8_t fault; /* what was bad since the last recipient or message that was taken */
	uint16_t helo_n;
	char helo[SMTPD_HELO_MAX + 1];
	struct smtpd_auth auth;

	struct smtpd_mail mail;
	struct smtpd_body body;
	struct smtpd_chunk chunk;
	size_t charged; /* bytes counted in on->held */
	int64_t body_ms;

	struct list waiting; /* struct smtpd_acceptance, oldest first */
	unsigned n_waiting;
	size_t behind;
	max_align_t own[]; /* the service's */
};

/* A message in the spool that is not synced yet.  It outlives its session: the service must hear of
 * it even when the client has gone. */
struct smtpd_acceptance {
	struct durable_wait wait;
	struct list link;
	struct smtpd_server *on;
	struct smtpd_session *session;
	struct smtpd_taken taken;
	struct id128 id;
	enum { ACCEPT_WAITS, ACCEPT_SAFE, ACCEPT_LOST } state;
	struct buf after; /* replies that follow it */
};

/* Is a message open, from MAIL to its end? */
static inline bool smtpd_session_has_mail(const struct smtpd_session *s)
{
	return s->life == SMTPD_MAIL || s->life == SMTPD_BODY || s->life == SMTPD_CHUNK ||
	       s->life == SMTPD_CHUNKS;
}
static inline const struct smtpd_settings *smtpd_session_settings(const struct smtpd_session *s)
{
	return s->on->with.settings;
}
static inline const struct smtpd_service *smtpd_session_service(const struct smtpd_session *s)
{
	return s->on->with.service;
}
static inline struct smtpd_counters *smtpd_session_counters(const struct smtpd_session *s)
{
	return s->on->with.counters;
}

/* server.c */
/* "submit.lost" of the service "submit"; buf holds SMTPD_EVENT_MAX bytes. */
const char *smtpd_server_event(const struct smtpd_server *on, const char *what, char *buf);
/* A socket that was accepted: a session, or one line and the end. */
void smtpd_server_let_in(struct smtpd_listener *l, int fd, const struct ip *client);

/* proxied.c */
void smtpd_proxied_begin(struct smtpd_server *on, struct smtpd_listener *l, int fd,
			 const struct ip *proxy);
void smtpd_proxied_free_all(struct smtpd_server *on);

/* session.c */
void smtpd_session_begin(struct smtpd_session *s, const struct ip *client, bool tls);
void smtpd_session_become(struct smtpd_session *s, enum smtpd_life life);
void smtpd_session_run(struct smtpd_session *s);                    /* handles the input */
void smtpd_session_say(struct smtpd_session *s, struct slice text); /* whole lines, CRLF and all */
void smtpd_session_sayf(struct smtpd_session *s, const char *format, ...) PRINTF(2, 3);
void smtpd_session_bye(struct smtpd_session *s, struct slice text); /* then it ends */
/* 421 ends it, and so does the last of SMTPD_FAULTS_MAX bad commands. */
void smtpd_session_refuse(struct smtpd_session *s, struct slice text);
void smtpd_session_end(struct smtpd_session *s);

/* accept.c */
void smtpd_session_accept(struct smtpd_session *s, const struct smtpd_taken *t);
void smtpd_acceptance_free(struct smtpd_acceptance *a); /* keeps it for reuse */

/* commands.c */
void smtpd_session_command(struct smtpd_session *s, struct slice line);
/* extensions.c */
void smtpd_session_offer(struct smtpd_session *s); /* says the EHLO reply */
/* Takes the parameters of a command; SMTPD_GO_ON: all are good. */
struct slice smtpd_session_params(struct smtpd_session *s, enum smtpd_verb verb,
				  const struct smtpd_path *path);
/* starttls.c */
void smtpd_session_starttls(struct smtpd_session *s);
/* bdat.c */
void smtpd_session_bdat(struct smtpd_session *s, struct slice arg);
bool smtpd_session_hear_chunk(struct smtpd_session *s); /* false: there is no more input */
/* auth.c */
void smtpd_session_auth(struct smtpd_session *s, struct slice arg);
void smtpd_session_auth_line(struct smtpd_session *s, struct slice line);
bool smtpd_session_auth_offered(const struct smtpd_session *s);
/* message.c */
void smtpd_session_begin_body(struct smtpd_session *s);
void smtpd_session_begin_message(struct smtpd_session *s, enum smtpd_life life);
void smtpd_session_end_body(struct smtpd_session *s); /* all of it is here */
void smtpd_session_charge(struct smtpd_session *s);   /* what it holds now */
struct slice smtpd_session_no_room(const struct smtpd_session *s);
bool smtpd_session_hear_body(struct smtpd_session *s); /* false: there is no more input */
