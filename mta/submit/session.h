/* mta/submit/session.h - one client's session, shared by the files of this folder alone.
 * A session is on its lane's list until smtpd_session_end(); it is freed at the end of the loop turn.
 * Replies leave in the order of the commands: while a message waits for the disk, what is said
 * after it waits with it (struct acceptance). */
#pragma once
#include <stdatomic.h>

#include "message/mailbox.h"
#include "mta/config.h"
#include "mta/engine.h"
#include "mta/submit/body.h"
#include "mta/submit/submit.h"

enum {
	SUBMIT_HELD_MAX = 512 * 1024 * 1024,
	SUBMIT_WAITING_MAX = 16,       /* messages of one session that wait for the disk */
	SUBMIT_BEHIND_MAX = 16 * 1024, /* bytes of replies that wait behind them */
	SUBMIT_HELO_MAX = 255,
	SUBMIT_BUFFER_KEEP = 64 * 1024,
	SUBMIT_SLOWEST = 1024, /* bytes a second a message must come with */
};

struct submit_listener;
struct submit_lane {
	struct list link; /* of the process's lanes, for the counts */
	struct lane *lane;
	struct engine *engine;
	struct list sessions;
	struct list acceptances; /* those of sessions that are gone */
	struct list spare;       /* struct acceptance, to be used again */
	struct tls_context *tls; /* NULL: STARTTLS is not offered */
	struct submit_listener *listeners;
	unsigned n_listeners;
	struct timer accept_again; /* after the descriptors ran out */
	struct buf scratch, content_meta, job_meta;
	size_t held; /* bytes of messages coming in */
	bool quiet;
	struct {
		_Atomic uint64_t sessions, sessions_open, messages, recipients, bytes, refused, tls;
	} stats;
};

enum phase { PHASE_COMMAND, PHASE_SKIP, PHASE_DATA, PHASE_STARTTLS, PHASE_ENDING, PHASE_GONE };
struct submit_session {
	struct list link;
	struct submit_lane *on;
	struct conn *conn;
	struct conn_user user;
	struct timer timer;
	struct turn_end turn; /* starts TLS, or frees the session */
	struct ip peer;
	enum phase phase;
	bool greeted, esmtp, in_turn;
	uint16_t helo_n;
	char helo[SUBMIT_HELO_MAX + 1];

	/* the transaction */
	bool has_from, utf8, no_room;
	struct mailbox from, first_rcpt;
	struct buf rows;
	unsigned n_rcpts;
	struct id128 id;
	struct body body;
	struct buf message;
	size_t received_n, charged; /* charged: bytes counted in on->held */
	int64_t data_ms;

	struct list waiting; /* struct acceptance, oldest first */
	unsigned n_waiting;
	size_t behind;
};

/* A message in the log whose sync has not come yet.  It outlives its session: the engine must hear
 * of the job also when the client has gone. */
struct acceptance {
	struct durable_wait wait;
	struct list link;
	struct submit_lane *on;
	struct submit_session *session;
	job_no job;
	struct id128 id;
	enum { ACCEPT_WAITS, ACCEPT_SAFE, ACCEPT_LOST } state;
	struct buf after; /* what is said after it */
};

/* session.c */
void smtpd_session_begin(struct submit_lane *on, struct conn *c, struct submit_session *s);
void smtpd_session_end(struct submit_session *s);
void smtpd_session_say(struct submit_session *s, struct slice text); /* whole lines, CRLF and all */
void smtpd_session_sayf(struct submit_session *s, const char *format, ...) PRINTF(2, 3);
void smtpd_session_bye(struct submit_session *s,
		       struct slice text);          /* the last word, then the end */
void smtpd_session_reset(struct submit_session *s); /* forgets the transaction */
void smtpd_session_accept(struct submit_session *s, job_no job, lsn_t lsn);
void smtpd_session_free_acceptance(struct acceptance *a);
const struct mta_config *smtpd_session_config(const struct submit_session *s);

/* commands.c */
void smtpd_session_command(struct submit_session *s, struct slice line);

/* message.c */
void message_begin(struct submit_session *s);
void message_end(struct submit_session *s);

/* clients.c: how many sessions there are in the process, and of one client; the lanes, for their
 * counts. */
bool clients_enter(const struct ip *ip, int64_t max, int64_t max_client);
void clients_leave(const struct ip *ip);
void clients_join(struct submit_lane *on);
void clients_part(struct submit_lane *on);
