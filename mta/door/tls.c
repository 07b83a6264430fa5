/* Contexts and tickets.  Delivery is opportunistic (RFC 7435): no certificate is checked, because
 * the other choice is plain text.  Policies that check (DANE, MTA-STS) will be other contexts. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "mta/door/conn_int.h"

struct tls_context {
	SSL_CTX *ctx;
	bool server;
};

struct tls_context *tls_context_free(struct tls_context *t)
{
	if (t)
		SSL_CTX_free(t->ctx);
	free(t);
	return NULL;
}

/* TLS 1.3 gives its tickets after the handshake, whenever it likes; the last one is kept. */
static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
	struct conn *c = SSL_get_app_data(ssl);

	SSL_SESSION_free(c->ticket);
	c->ticket = session;
	return 1; /* the reference is ours */
}

static int make_context(struct tls_context **ret, const SSL_METHOD *method, bool server)
{
	struct tls_context *t = must_alloc(sizeof(*t));

	t->server = server;
	t->ctx = SSL_CTX_new(method);
	if (!t->ctx || !SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION)) {
		(void)tls_context_free(t);
		return E_TLS;
	}
	SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				     SSL_MODE_RELEASE_BUFFERS);
	/* A reply or command counts only with its CRLF, so a cut stream shows by itself. */
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					SSL_OP_IGNORE_UNEXPECTED_EOF);
	*ret = t;
	return 0;
}

int tls_client_new(struct tls_context **ret)
{
	int r = make_context(ret, TLS_client_method(), false);

	if (r < 0)
		return r;
	SSL_CTX_set_verify((*ret)->ctx, SSL_VERIFY_NONE, NULL);
	(void)SSL_CTX_set_session_cache_mode((*ret)->ctx, SSL_SESS_CACHE_CLIENT |
							      SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb((*ret)->ctx, keep_ticket);
	return 0;
}

int tls_server_new(struct tls_context **ret, const char *cert_pem_path, const char *key_pem_path)
{
	OWNED(tls_context) t = NULL;
	int r = make_context(&t, TLS_server_method(), true);

	if (r < 0)
		return r;
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(t->ctx, cert_pem_path) != 1 ||
	    SSL_CTX_use_PrivateKey_file(t->ctx, key_pem_path, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(t->ctx) != 1)
		return E_TLS;
	/* A record's head and its body in one read: clients send messages, we small replies. */
	SSL_CTX_set_read_ahead(t->ctx, 1);
	(void)SSL_CTX_set_num_tickets(t->ctx, 1);
	(void)SSL_CTX_set_session_id_context(t->ctx, (const unsigned char *)"postern", 7);
	*ret = TAKE(t);
	return 0;
}

struct tls_session *tls_session_ref(struct tls_session *s)
{
	if (s && !SSL_SESSION_up_ref((SSL_SESSION *)s))
		return NULL;
	return s;
}

struct tls_session *tls_session_unref(struct tls_session *s)
{
	SSL_SESSION_free((SSL_SESSION *)s);
	return NULL;
}

SSL *tls_open(struct tls_context *t, struct conn *c, const char *server_name, SSL_SESSION *resume)
{
	SSL *ssl = SSL_new(t->ctx);
	struct ip ip;

	if (!ssl)
		return NULL;
	if (SSL_set_fd(ssl, c->fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_app_data(ssl, c);
	if (t->server) {
		SSL_set_accept_state(ssl);
		return ssl;
	}
	SSL_set_connect_state(ssl);
	/* RFC 6066 section 3: a literal address is not a server name. */
	if (server_name && *server_name && ip_parse(slice_str(server_name), &ip) < 0)
		(void)SSL_set_tlsext_host_name(ssl, server_name);
	if (resume)
		(void)SSL_set_session(ssl, resume);
	return ssl;
}
