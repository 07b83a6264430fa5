/* tests/unit/mta/smtp/bed.h - a session of mta/smtp over a simulated network, with a user that
 * counts its calls and may do something in them. */
#pragma once
#include "mta/smtp/session.h"
#include "tests/sim/conn_sim.h"

enum { MINUTE = 60 * 1000 };
struct bed_user {
	struct session_user base;
	struct session *session;
	int ready, done, gone;
	struct verdict why;
	struct txn *last_done;
	enum {
		DO_NOTHING,
		FREE_IN_READY,
		FREE_IN_DONE,
		FREE_IN_GONE,
		SEND_IN_DONE,
		ASK_IN_GONE
	} habit;
	struct txn *to_send;
	int sent;
	struct session *to_quit; /* another one, from ready() */
};
struct bed {
	struct loop loop;
	struct bed_user user;
	struct session_options o;
	struct txn txn[3];
	struct txn_rcpt rcpts[3][2];
};
extern const struct session_user bed_calls; /* those of a struct bed_user */

/* script: the host's, as tests/sim/peer_sim.c reads it. */
void bed_make(struct bed *b, const char *script);
void bed_start(struct bed *b);                    /* opens the session */
void bed_open(struct bed *b, const char *script); /* both */
void bed_close(struct bed *b);
