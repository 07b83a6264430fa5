/* mta/door/conn.h - one stream to a peer, plain or TLS: the door to the network.  The real one is
 * in this folder (libev, OpenSSL); tests/sim/conn_sim.c talks to scripted peers.
 *
 * Owns:   conn_open() and conn_adopt() give the caller the conn.  conn_free() closes it, after one
 *         more try to send what is queued, and may be called inside the callback: the memory rests
 *         until the loop turn ends.
 * Blocks: never.
 * Fails:  through CONN_FAILED with a negative code, once; after it only conn_free() may be called.
 * Limits: it holds at most CONN_IN_MAX bytes of input, then reading pauses.  It holds all output
 *         that is queued; conn_room() says how much more the writer should queue. */
#pragma once
#include "base/address.h"
#include "base/buf.h"
#include "mta/door/timer.h"
#include "mta/door/tls.h"

struct ev_loop;
struct loop_state;
/* What a lane's objects need of the world; one per lane, made by mta/core/lane.c or a test. */
struct loop {
	struct ev_loop *ev; /* NULL in simulation */
	struct timers *timers;
	struct list turn_end;     /* struct turn_end entries, run once each loop turn */
	struct loop_state *state; /* the real door's watchers and buffers; NULL in simulation */
};
struct turn_end {
	struct list link;
	void (*run)(struct turn_end *t);
};
static inline void loop_at_turn_end(struct loop *l, struct turn_end *t)
{
	if (list_empty(&t->link))
		list_push(&l->turn_end, &t->link);
}
void loop_run_turn_end(struct loop *l); /* entries added meanwhile wait for the next call */

/* A thread's real loop.  loop_init() makes the ev_loop and the timers and joins them: timers fire
 * right after the poll, before the callbacks of descriptors; turn_end runs right before the poll.
 * It makes the process ignore SIGPIPE.  loop_run() returns after loop_stop(), which only the loop's
 * own thread may call. */
void loop_init(struct loop *l);
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
void loop_end(struct loop *l); /* when all its conns are freed */

enum conn_event { CONN_OPEN, CONN_READABLE, CONN_WRITABLE, CONN_TLS_DONE, CONN_FAILED };
struct conn;
struct conn *conn_free(struct conn *c);
DEFINE_OWNED(conn)

struct conn_user { /* a member of the conn's user */
	/* CONN_READABLE: new input, or its end (conn_eof).  CONN_WRITABLE: output fell below the
	 * low mark after conn_room() was 0.  CONN_FAILED: err says why. */
	void (*event)(struct conn_user *u, enum conn_event e, int err);
};

struct conn_target {
	struct ip ip;
	uint16_t port;
	struct ip source;          /* family 0: any */
	const struct proxy *proxy; /* NULL: none; conn_open() leaves it to its caller */
};
enum { CONN_OUT_HIGH = 48 * 1024, CONN_IN_MAX = 16 * 1024 };
int conn_open(struct conn **ret, struct loop *l, const struct conn_target *to,
	      struct conn_user *u) MUST_CHECK;
/* Could a connection have this address as its source?  0, or why not: it is not on this machine, it
 * may not be used.  Family 0: always. */
int conn_source_check(const struct ip *source) MUST_CHECK;
/* An accepted socket, non-blocking. */
int conn_adopt(struct conn **ret, struct loop *l, int fd, struct conn_user *u) MUST_CHECK;

struct slice conn_input(struct conn *c); /* valid until the next conn_ call */
void conn_consume(struct conn *c, size_t n);
bool conn_eof(const struct conn *c);
void conn_pause_reading(struct conn *c, bool pause);
/* Queues bytes; they leave together at the end of the loop turn. */
int conn_write(struct conn *c, struct slice s) MUST_CHECK;
/* The same without a copy: conn_out() gives where the next bytes go and how many fit there (at
 * least 1), conn_out_grow() says how many were written. */
char *conn_out(struct conn *c, size_t *ret_n);
void conn_out_grow(struct conn *c, size_t n);
size_t conn_room(const struct conn *c);
size_t conn_unsent(const struct conn *c);
/* Forgets output that has not left, so that conn_free(), the only call that may follow, does not
 * send it. */
void conn_discard_output(struct conn *c);
struct ip conn_peer_ip(const struct conn *c);
/* Our own address, given or as the system picked it; a system call.  Family 0: not known. */
struct ip conn_local_ip(const struct conn *c);

/* ---- TLS --------------------------------------------------------------------------------- */
/* Starts the handshake, which ends in CONN_TLS_DONE or CONN_FAILED.  check: NULL for a server.  A
 * session to resume must come from a connection with an equal check.  Plain input already here is
 * dropped and counted in *ret_discarded (RFC 3207 section 6: never trust it). */
int conn_start_tls(struct conn *c, struct tls_context *t, const struct tls_check *check,
		   struct tls_session *resume, size_t *ret_discarded) MUST_CHECK;
/* After CONN_TLS_DONE, and after CONN_FAILED with E_TLS. */
void conn_tls_result(const struct conn *c, struct tls_result *ret);
bool conn_is_tls(const struct conn *c);
bool conn_tls_resumed(const struct conn *c);
const char *conn_tls_text(const struct conn *c, char *buf, size_t cap); /* "TLSv1.3 TLS_AES_..." */
/* Latest ticket of this connection, with a reference; NULL when there is none. */
struct tls_session *conn_tls_session(struct conn *c);
