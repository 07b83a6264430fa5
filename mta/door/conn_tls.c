/* An encrypted conn: handshake, reading and writing (RFC 3207 once the peer said 220). */
#include <openssl/err.h>
#include <stdio.h>

#include "mta/door/conn_int.h"

/* What OpenSSL's answer means in the words of read(2); 0 is the end of the stream. */
static int tls_result(struct conn *c, int r)
{
	int saved = errno;

	switch (SSL_get_error(c->ssl, r)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return saved ? -saved : -ECONNRESET;
	default:
		return E_TLS;
	}
}

ssize_t conn_tls_read(struct conn *c, void *p, size_t n)
{
	size_t got;
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_read_ex(c->ssl, p, n, &got);
	return r > 0 ? (ssize_t)got : tls_result(c, r);
}

ssize_t conn_tls_write(struct conn *c, const void *p, size_t n)
{
	size_t sent;
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_write_ex(c->ssl, p, n, &sent);
	if (r > 0)
		return (ssize_t)sent;
	r = tls_result(c, r);
	return r == 0 ? -EPIPE : r;
}

/* Before the handshake the plain output (our "220 go ahead" as a server) must be gone. */
static bool plain_output_gone(struct conn *c)
{
	int r = conn_flush(c);

	if (r < 0) {
		conn_break(c, r);
		return false;
	}
	return c->unsent == 0;
}

void conn_tls_handshake(struct conn *c)
{
	int r;

	if (!plain_output_gone(c))
		return;
	ERR_clear_error();
	errno = 0;
	r = SSL_do_handshake(c->ssl);
	if (r <= 0) {
		int want = SSL_get_error(c->ssl, r);

		if (tls_result(c, r) != -EAGAIN) {
			conn_break(c, E_TLS);
			return;
		}
		conn_watch(c, &c->wr, want == SSL_ERROR_WANT_WRITE);
		conn_watch(c, &c->rd, true);
		return;
	}
	c->state = CONN_TLS;
	conn_watch(c, &c->wr, c->unsent > 0);
	conn_tell(c, CONN_TLS_DONE, 0);
	if (conn_live(c))
		conn_watch_input(c);
}

int conn_start_tls(struct conn *c, struct tls_context *t, const struct tls_check *check,
		   struct tls_session *resume, size_t *ret_discarded)
{
	if (c->state != CONN_PLAIN)
		return -EINVAL;
	c->check = check;
	c->ssl = tls_open(t, c, (SSL_SESSION *)resume);
	if (!c->ssl)
		return E_TLS;
	*ret_discarded = conn_input(c).n;
	if (c->in)
		c->in->start = c->in->end;
	c->state = CONN_HANDSHAKE;
	c->paused = c->full = false;
	/* Driven from the loop, never from inside the caller. */
	conn_watch_input(c);
	ev_feed_event(c->loop->ev, &c->rd, EV_READ);
	return 0;
}

bool conn_is_tls(const struct conn *c)
{
	return c->ssl && c->state != CONN_HANDSHAKE;
}

bool conn_tls_resumed(const struct conn *c)
{
	return c->ssl && SSL_session_reused(c->ssl);
}

const char *conn_tls_text(const struct conn *c, char *buf, size_t cap)
{
	if (c->ssl)
		(void)snprintf(buf, cap, "%s %s", SSL_get_version(c->ssl),
			       SSL_get_cipher_name(c->ssl));
	else if (cap)
		buf[0] = '\0';
	return buf;
}

struct tls_session *conn_tls_session(struct conn *c)
{
	if (!c->ticket || !tls_check_resumable(c->check) || !SSL_SESSION_is_resumable(c->ticket) ||
	    !SSL_SESSION_up_ref(c->ticket))
		return NULL;
	return (struct tls_session *)c->ticket;
}

void conn_tls_end(struct conn *c)
{
	if (!c->ssl)
		return;
	/* One close_notify, without waiting for its answer: otherwise OpenSSL would mark the ticket
	 * as bad.  A record that was begun and then discarded must not be finished, so then we only
	 * pretend to have sent one. */
	if (c->state == CONN_TLS && c->discarded) {
		SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN);
	} else if (c->state == CONN_TLS) {
		ERR_clear_error();
		(void)SSL_shutdown(c->ssl);
	} else {
		SSL_set_quiet_shutdown(c->ssl, 1);
	}
	SSL_SESSION_free(c->ticket);
	SSL_free(c->ssl);
	c->ssl = NULL;
	c->ticket = NULL;
}
