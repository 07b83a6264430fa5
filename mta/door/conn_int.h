/* mta/door/conn_int.h - what the files of the real network door share; for this folder alone.
 * conn_ev.c has the life of a conn and its watchers, conn_io.c the buffers, conn_tls.c the bytes of
 * an encrypted one, tls.c contexts and tickets, loop_ev.c the loop. */
#pragma once
#include <ev.h>
#include <openssl/ssl.h>

#include "mta/door/conn.h"

/* As large as one TLS record.  Input and output wait in blocks; an idle conn holds none. */
enum { BLOCK_BYTES = 16 * 1024, BLOCKS_SPARE = 256 };
struct block {
	struct block *next;
	uint32_t start, end;
	char bytes[BLOCK_BYTES];
};

struct loop_state {
	struct ev_prepare prepare;
	struct ev_check check;
	struct ev_timer wake;
	struct block *spare;
	unsigned n_spare;
};
struct block *block_take(struct loop *l); /* NULL when memory is gone */
void block_give(struct loop *l, struct block *b);

enum conn_state { CONN_CONNECTING, CONN_PLAIN, CONN_HANDSHAKE, CONN_TLS, CONN_BROKEN, CONN_CLOSED };
struct conn {
	struct loop *loop;
	struct conn_user *user;
	struct ev_io rd, wr;
	struct turn_end turn;
	struct block *in, *out, *out_last;
	size_t unsent;
	SSL *ssl;
	SSL_SESSION *ticket;
	const struct tls_check *check;
	struct ip peer;
	int fd;
	enum conn_state state;
	bool eof, paused, discarded;
	bool drained; /* the last read found nothing more: what TLS holds is no whole record */
	bool full;    /* the writer saw conn_room() == 0 and waits for CONN_WRITABLE */
};

static inline bool conn_live(const struct conn *c)
{
	return c->state < CONN_BROKEN;
}
void conn_tell(struct conn *c, enum conn_event e, int err);
void conn_break(struct conn *c, int err); /* CONN_FAILED, once */
void conn_watch(struct conn *c, struct ev_io *w, bool on);
void conn_watch_input(struct conn *c); /* reads while there is room and it is not paused */
int conn_fill(struct conn *c);         /* 1: bytes or end came, 0: nothing, or negative */
int conn_flush(struct conn *c);        /* 0, or negative: broken */
void conn_drop_buffers(struct conn *c);

/* conn_tls.c: as read(2) and write(2), -EAGAIN when there is nothing to do now; 0 is the end. */
ssize_t conn_tls_read(struct conn *c, void *p, size_t n);
ssize_t conn_tls_write(struct conn *c, const void *p, size_t n);
void conn_tls_handshake(struct conn *c);
void conn_tls_end(struct conn *c);

SSL *tls_open(struct tls_context *t, struct conn *c, SSL_SESSION *resume);

/* tls_check.c: tells OpenSSL what c->check demands. */
bool tls_check_set(SSL *ssl, const struct tls_check *check);
/* False: a resumed session would not show what proved it. */
bool tls_check_resumable(const struct tls_check *check);
