/* mta/smtp/session_int.h - what the files of a session share; nobody else includes it.
 * session.c has the table, the events and the life; say.c what is said; hear.c what is heard;
 * chunk.c the message by BDAT; again.c who may go again at once; txn.c the two messages in hand. */
#pragma once
#include "mta/door/detour.h"
#include "mta/smtp/ehlo.h"
#include "mta/smtp/reply.h"
#include "mta/smtp/session.h"
#include "mta/smtp/stuff.h"
#include "mta/smtp/transcript.h"

enum step_id {
	S_CONNECT,
	S_PROXY,
	S_GREETING,
	S_EHLO,
	S_HELO,
	S_STARTTLS,
	S_HANDSHAKE,
	S_EHLO_TLS,
	S_AUTH,
	S_MAIL,
	S_RCPT,
	S_DATA,
	S_DOT,
	S_ASK,  /* BDAT with the first line: does the host know it? */
	S_BDAT, /* to be said; its answer is waited for as S_LAST */
	S_LAST, /* the one chunk, which is the last */
	S_RSET,
	S_QUIT,
	S_IDLE,
	S_MAX
};

/* The life of a session.  It only goes down this list; session_become() is the one way. */
enum session_life {
	SESSION_OPENING,  /* connecting, greeting, EHLO, TLS: no message may be sent yet */
	SESSION_READY,    /* it takes messages */
	SESSION_QUITTING, /* it takes no more; QUIT follows once what is in hand is answered */
	SESSION_OVER,     /* nothing is said or heard any more; s->end says why */
	SESSION_TOLD,     /* the user gets back what was in hand, then hears gone() */
	SESSION_FREED,    /* session_free() was called; memory rests until the turn ends */
};

/* A command that was said and not yet answered. */
struct session_expect {
	uint8_t step;
	uint8_t flight;
	uint16_t rcpt;
	uint32_t left_at; /* low bits of `queued` after it: it has left once that much has */
};
enum { RING = 64 };
static_assert((RING & (RING - 1)) == 0, "ring positions wrap by mask");

/* A txn in hand.  next is the step to be said for it; S_MAX: all was said. */
struct flight {
	struct txn *txn; /* NULL: free */
	uint8_t next;
	uint16_t next_rcpt;
	uint16_t pending;  /* its entries in the ring */
	uint16_t accepted; /* recipients */
	uint16_t unsure;   /* 1 + the first of those that may be too many */
	bool mail_refused;
	bool behind; /* its commands left before the older one's dot was answered */
	bool flies;  /* the message left before its recipients were answered */
	size_t off;  /* of head, then message */
};

struct session {
	struct loop *loop;
	struct session_user *user;
	struct conn *conn;
	struct conn_user conn_user;
	struct timer timer;
	struct turn_end turn;

	struct session_expect ring[RING];
	uint16_t ring_head, ring_count;
	struct reply_scan scan;
	struct reply cut; /* a long reply whose end is not here yet; its bytes are below */
	struct buf cut_bytes;
	struct flight flights[2];
	uint8_t oldest; /* flight */
	uint8_t n_flights;
	/* The step of a session that waits for no reply: connect, STARTTLS (answered, the handshake
	 * has not begun), handshake, idle. */
	uint8_t lone;

	enum session_life life;
	/* Facts that any part of its life may have */
	bool need_rset; /* the host holds a transaction that nobody will finish */
	bool timed_out;
	bool pipelines;  /* it was seen to take commands in a group */
	bool knows_bdat; /* it has answered one */
	bool chunks;     /* it has taken a message so */
	bool owes_ready; /* the user has not been told yet that a message can be taken */
	struct stuff stuff;
	struct ehlo ehlo;
	uint32_t queued; /* bytes given to the conn, modulo 2^32 */
	int64_t body_deadline;
	int64_t began_ms, tls_began_ms; /* the turn's time: connecting, the handshake */
	enum session_tls tls_came;
	struct session_times times;
	struct transcript transcript;
	unsigned sent;
	struct verdict end; /* why it is over */

	struct conn_target to;
	struct detour talk;
	enum session_blame blame;
	int blame_err;
	struct smtp_timeouts limit;
	enum tls_policy policy;
	unsigned ignore; /* EHLO_ bits */
	const struct session_auth *auth;
	uint8_t auth_with, auth_round; /* enum auth_mechanism */
	bool auth_refused, tls_at_once;
	bool require_tls;
	struct tls_context *tls_context;
	struct tls_session *tls_resume;
	const struct tls_check *tls_check;
	struct tls_check any; /* what tls_check shows when nothing is demanded */
	char *mx_host, *our_name;
};

struct session_step {
	const char *doing;
	size_t limit; /* offset in struct smtp_timeouts */
	void (*say)(struct session *s, struct flight *f);
	void (*hear)(struct session *s, struct session_expect e, const struct reply *re);
};
extern const struct session_step session_steps[S_MAX];

/* session.c */
/* SESSION_OVER: s->end is filled before; the user hears of it when the loop's event ends. */
void session_become(struct session *s, enum session_life life);
void session_fail(struct session *s, int err); /* connection trouble while session_doing() */
void session_fail_reply(struct session *s, const struct reply *re); /* the reply ends it */
void session_fail_text(struct session *s, struct status status, const char *text);
void session_arm(struct session *s); /* the deadline of the oldest unanswered command */
void session_fail_tls(struct session *s, const char *text); /* TLS is not as it must be */
/* A 3xx where 2xx, 4xx or 5xx belongs, for example: we and the peer are not at the same step. */
void session_lost_track(struct session *s);
void session_start_body(struct session *s, const struct txn *t);

/* through.c */
struct conn_target session_first_hop(const struct session *s);
void session_arrive(struct session *s); /* at the host: its greeting, or TLS, is next */
void session_through_begin(struct session *s);
void session_through_hear(struct session *s);
void session_through_failed(struct session *s, int err); /* before the session is over */

/* say.c */
void session_say(struct session *s, enum step_id step, struct flight *f);
void session_put(struct session *s, const char *p, size_t n);
void session_command(struct session *s, const char *p, size_t n); /* and notes it down */
void session_note(struct session *s, enum transcript_who who, struct slice text);
struct slice session_body_rest(const struct flight *f);
/* The message has been said whole. */
void session_body_said(struct session *s, struct flight *f, bool sent);
void session_say_expect(struct session *s, enum step_id step, struct flight *f, unsigned rcpt);
void session_say_more(struct session *s); /* all that may be said now */
void session_say_ehlo(struct session *s, struct flight *f);
void session_say_helo(struct session *s, struct flight *f);
void session_say_starttls(struct session *s, struct flight *f);
void session_say_mail(struct session *s, struct flight *f);
void session_say_rcpt(struct session *s, struct flight *f);
void session_say_data(struct session *s, struct flight *f);
void session_say_body(struct session *s, struct flight *f);
void session_say_rset(struct session *s, struct flight *f);
void session_say_quit(struct session *s, struct flight *f);

/* auth.c */
void session_begin_auth(struct session *s); /* after EHLO */
void session_say_auth(struct session *s, struct flight *f);
void session_hear_auth(struct session *s, struct session_expect e, const struct reply *re);

/* chunk.c */
enum step_id chunk_first(struct session *s, const struct flight *f); /* DATA or one of its own */
bool chunk_may_go(const struct session *s, const struct flight *f);
void session_say_ask(struct session *s, struct flight *f);
void session_say_bdat(struct session *s, struct flight *f);
void session_say_chunk(struct session *s, struct flight *f); /* as far as there is room */
void session_hear_ask(struct session *s, struct session_expect e, const struct reply *re);
void session_hear_last(struct session *s, struct session_expect e, const struct reply *re);
void chunk_ended(struct session *s, struct flight *f); /* it is in hand at the session's end */

/* hear.c */
void session_hear_input(struct session *s); /* every whole reply that came */
void session_begin_tls(struct session *s);
void session_hear_greeting(struct session *s, struct session_expect e, const struct reply *re);
void session_hear_ehlo(struct session *s, struct session_expect e, const struct reply *re);
void session_hear_helo(struct session *s, struct session_expect e, const struct reply *re);
void session_hear_starttls(struct session *s, struct session_expect e, const struct reply *re);
void session_hear_mail(struct session *s, struct session_expect e, const struct reply *re);
void session_hear_rcpt(struct session *s, struct session_expect e, const struct reply *re);
void session_hear_data(struct session *s, struct session_expect e, const struct reply *re);
void session_hear_dot(struct session *s, struct session_expect e, const struct reply *re);
void session_hear_rset(struct session *s, struct session_expect e, const struct reply *re);
void session_hear_quit(struct session *s, struct session_expect e, const struct reply *re);

/* again.c */
void again_refused(struct flight *f, unsigned rcpt, const struct reply *re); /* RCPT */
void again_accepted(struct flight *f, unsigned rcpt);
/* A refusal that speaks of how commands came; the session goes on in lock-step. */
bool again_blames_group(struct session *s, struct flight *f, const struct reply *re);
void again_group_worked(struct session *s, struct flight *f);
/* Finds fault with the order or the syntax of our commands. */
bool again_faults_the_order(const struct reply *re);
void again_all_unjudged(struct flight *f, enum txn_again how);
void again_ended(struct session *s, struct flight *f); /* it is in hand at the session's end */

/* ask.c: parameters of RFC 3461, with the space before them; how many bytes they are. */
size_t ask_mail(char *line, size_t cap, const struct txn *t);
size_t ask_rcpt(char *line, size_t cap, const struct txn_rcpt *to);

/* txn.c */
int txn_check(const struct txn *t); /* E_SYNTAX: may not go on the wire */
uint64_t txn_size(const struct txn *t);
void flight_start(struct session *s, struct txn *t);
/* Gives v to every recipient that has no verdict yet. */
void flight_judge(struct flight *f, const struct verdict *v);
bool flight_over(const struct flight *f);
void flight_give_back(struct session *s);     /* gives back what is over, in order */
void flight_give_back_all(struct session *s); /* gives back all; the unanswered get s->end */
bool txn_name_ok(const char *name);

static inline struct flight *flight_at(struct session *s, unsigned i) /* 0: the older */
{
	return i < s->n_flights ? &s->flights[(s->oldest + i) % 2] : NULL;
}
static inline bool step_is_body(unsigned step)
{
	return step == S_DOT || step == S_LAST;
}
/* Until a message that was begun has been said whole, nothing else may be said. */
static inline bool flight_body_open(const struct session *s)
{
	return step_is_body(s->flights[0].next) || step_is_body(s->flights[1].next);
}
static inline struct session_expect *ring_at(struct session *s, unsigned i)
{
	return &s->ring[(s->ring_head + i) & (RING - 1)];
}
/* Has all up to `at` left for the network? */
static inline bool has_left(const struct session *s, uint32_t at)
{
	return (int32_t)(s->queued - (uint32_t)conn_unsent(s->conn) - at) >= 0;
}
