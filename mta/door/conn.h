/* mta/door/conn.h - one stream to a peer, plain or TLS: the door to the network.
 * The real one is conn_ev.c (libev, OpenSSL); tests/sim/conn_sim.c talks to scripted peers.
 *
 * Owns:   conn_open/conn_adopt give the caller the conn; conn_free() closes it and may be called
 *         inside the callback (the memory rests until the end of the loop turn).  What is queued
 *         is offered to the peer once more, without waiting.
 * Blocks: never.  Fails: through CONN_FAILED with a negative code, once; then only conn_free.
 * Limits: input held is at most `in_max` bytes (reading pauses), output at most what is queued;
 *         conn_room() says how much more the writer should queue. */
#pragma once
#include "base/address.h"
#include "base/buf.h"
#include "mta/door/timer.h"

struct ev_loop;
struct loop_state;
/* What a lane's objects need of the world; one a lane, made by mta/core/lane.c or a test. */
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
void loop_run_turn_end(struct loop *l); /* entries listed meanwhile wait for the next call */

/* A thread's loop, real: makes the ev_loop and the timers and joins them (timers fire right after
 * the poll, before the descriptors' callbacks; turn_end runs right before it).  SIGPIPE is ignored
 * for the process.  loop_run() gives back after loop_stop(), which only the loop's own thread may
 * call. */
void loop_init(struct loop *l);
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
void loop_end(struct loop *l); /* after every conn of it was freed */

enum conn_event { CONN_OPEN, CONN_READABLE, CONN_WRITABLE, CONN_TLS_DONE, CONN_FAILED };
struct conn;
struct conn *conn_free(struct conn *c);
DEFINE_OWNED(conn)

struct conn_user { /* a member of whoever uses the conn */
	/* CONN_READABLE: new input, or end of input (conn_eof). CONN_WRITABLE: output fell below
	 * the low mark after conn_room() was 0.  CONN_FAILED: err says why. */
	void (*event)(struct conn_user *u, enum conn_event e, int err);
};

struct conn_target {
	struct ip ip;
	uint16_t port;
	struct ip source; /* family 0: any */
};
enum { CONN_OUT_HIGH = 48 * 1024, CONN_IN_MAX = 16 * 1024 };
int conn_open(struct conn **ret, struct loop *l, const struct conn_target *to,
	      struct conn_user *u) MUST_CHECK;
/* An accepted socket, non-blocking. */
int conn_adopt(struct conn **ret, struct loop *l, int fd, struct conn_user *u) MUST_CHECK;

struct slice conn_input(struct conn *c); /* valid until the next conn_ call */
void conn_consume(struct conn *c, size_t n);
bool conn_eof(const struct conn *c);
void conn_pause_reading(struct conn *c, bool pause);
/* Queues bytes; they leave together at the end of the loop turn. */
int conn_write(struct conn *c, struct slice s) MUST_CHECK;
/* The same without a copy: where the next bytes go and how many fit there (at least 1), then how
 * many of them were written. */
char *conn_out(struct conn *c, size_t *ret_n);
void conn_out_grow(struct conn *c, size_t n);
size_t conn_room(const struct conn *c);
size_t conn_unsent(const struct conn *c);
/* Forgets what has not left yet, so that conn_free() will not offer it; only before conn_free(). */
void conn_discard_output(struct conn *c);
struct ip conn_peer_ip(const struct conn *c);
/* Our own address, given or as the system picked it; a system call.  Family 0: not known. */
struct ip conn_local_ip(const struct conn *c);

/* ---- TLS --------------------------------------------------------------------------------- */
struct tls_context;
struct tls_context *tls_context_free(struct tls_context *t);
DEFINE_OWNED(tls_context)
int tls_client_new(struct tls_context **ret) MUST_CHECK; /* opportunistic: any certificate */
int tls_server_new(struct tls_context **ret, const char *cert_pem_path,
		   const char *key_pem_path) MUST_CHECK;

struct tls_session; /* for resumption; kept by the site, counted */
struct tls_session *tls_session_ref(struct tls_session *s);   /* takes NULL */
struct tls_session *tls_session_unref(struct tls_session *s); /* takes NULL, gives NULL */

/* Starts the handshake; plain input already held is dropped and counted in *ret_discarded (RFC 3207
 * section 6: what came before the handshake is never trusted). Ends in CONN_TLS_DONE or
 * CONN_FAILED. */
int conn_start_tls(struct conn *c, struct tls_context *t, const char *server_name,
		   struct tls_session *resume, size_t *ret_discarded) MUST_CHECK;
bool conn_is_tls(const struct conn *c);
bool conn_tls_resumed(const struct conn *c);
const char *conn_tls_text(const struct conn *c, char *buf, size_t cap); /* "TLSv1.3 TLS_AES_..." */
/* Latest ticket of this connection, with a reference; NULL when there is none. */
struct tls_session *conn_tls_session(struct conn *c);
