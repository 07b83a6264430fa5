/* Contexts and tickets.  What is demanded of a host's certificate is said for each connection
 * (tls_check.c). */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

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

/* Where any certificate will do, none is looked at: that saves most of the work. */
static int verify(X509_STORE_CTX *x, void *unused)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct conn *c = SSL_get_app_data(ssl);

	(void)unused;
	if (!c->check || c->check->demand == TLS_ANY)
		return 1;
	return X509_verify_cert(x);
}

static int trust(SSL_CTX *ctx, const char *ca_file)
{
	ERR_clear_error();
	if (!ca_file || !*ca_file)
		return SSL_CTX_set_default_verify_paths(ctx) == 1 ? 0 : E_TLS;
	if (access(ca_file, R_OK) < 0)
		return -errno;
	return SSL_CTX_load_verify_file(ctx, ca_file) == 1 ? 0 : E_TLS;
}

int tls_client_new(struct tls_context **ret, const char *ca_file)
{
	OWNED(tls_context) t = NULL;
	int r = make_context(&t, TLS_client_method(), false);

	if (r < 0)
		return r;
	r = trust(t->ctx, ca_file);
	if (r < 0)
		return r;
	if (SSL_CTX_dane_enable(t->ctx) != 1)
		return E_TLS;
	(void)SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_CLIENT |
							 SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(t->ctx, keep_ticket);
	SSL_CTX_set_cert_verify_callback(t->ctx, verify, NULL);
	*ret = TAKE(t);
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

SSL *tls_open(struct tls_context *t, struct conn *c, SSL_SESSION *resume)
{
	SSL *ssl = SSL_new(t->ctx);

	if (!ssl)
		return NULL;
	SSL_set_app_data(ssl, c);
	if (SSL_set_fd(ssl, c->fd) != 1)
		goto fail;
	if (t->server) {
		SSL_set_accept_state(ssl);
		return ssl;
	}
	SSL_set_connect_state(ssl);
	if (c->check && !tls_check_set(ssl, c->check))
		goto fail;
	if (resume)
		(void)SSL_set_session(ssl, resume);
	return ssl;
fail:
	SSL_free(ssl);
	return NULL;
}
