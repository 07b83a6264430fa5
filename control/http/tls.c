/* control/http/tls.c - identity and authorities, read from files and again when these change. */
#include "control/http/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

enum { CHAIN_MAX = 8, PEM_MAX = 1 << 20, RETIRED_MS = 15 * 60 * 1000, FILES = 3 };

/* Handshakes that have begun with one go on with it: it is freed when all of them are long over
 * (http.head_timeout bounds them). */
struct identity {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned n;
	gnutls_privkey_t key;
	struct identity *older;
	int64_t retired_ms;
};
struct authorities {
	gnutls_x509_trust_list_t list;
	unsigned users; /* verifications that run, and one while it is the present one */
};
struct file_mark {
	struct timespec changed;
	ino_t inode;
	off_t size;
};
struct http_tls {
	const struct http_tls_options *options;
	pthread_mutex_t reading; /* one reads the files at a time: marks */
	struct file_mark marks[FILES];
	pthread_mutex_t lock;
	struct identity *identity; /* the present one first */
	struct authorities *authorities;
};

/* libmicrohttpd's callback has no argument of ours. */
static struct http_tls *present;

static int fail(char *error, const char *option, const char *path, const char *why)
{
	(void)snprintf(error, OPTION_ERROR_MAX, "%s %s: %s", option, path, why);
	return E_SYNTAX;
}

/* ---- who we are --------------------------------------------------------------------------- */

static void identity_free(struct identity *d)
{
	if (!d)
		return;
	for (unsigned i = 0; i < d->n; i++)
		gnutls_pcert_deinit(&d->chain[i]);
	gnutls_privkey_deinit(d->key);
	free(d);
}

static int read_pem(const char *option, const char *path, struct buf *out, char *error)
{
	int r = file_read(path, PEM_MAX, out);

	return r < 0 ? fail(error, option, path, err_text(r)) : 0;
}

static int read_chain(struct identity *d, const char *path, char *error)
{
	struct buf pem = { 0 };
	unsigned n = CHAIN_MAX;
	int r = read_pem("http.tls.certificate", path, &pem, error);

	if (r >= 0) {
		gnutls_datum_t data = { (unsigned char *)buf_data(&pem).p,
					(unsigned)buf_len(&pem) };
		r = gnutls_pcert_list_import_x509_raw(d->chain, &n, &data, GNUTLS_X509_FMT_PEM,
						      GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED |
							  GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
		if (r < 0)
			r = fail(error, "http.tls.certificate", path, gnutls_strerror(r));
		else
			d->n = n;
	}
	buf_free(&pem);
	return r;
}

static int check_mode(const char *path, char *error)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXO | S_IWGRP))) {
		(void)fail(error, "http.tls.key", path,
			   "others may read or change it: take that right away");
		return E_DENIED;
	}
	return 0;
}

static int read_key(struct identity *d, const char *path, char *error)
{
	struct buf pem = { 0 };
	int r = check_mode(path, error);

	if (r >= 0)
		r = read_pem("http.tls.key", path, &pem, error);
	if (r >= 0) {
		gnutls_datum_t data = { (unsigned char *)buf_data(&pem).p,
					(unsigned)buf_len(&pem) };
		r = gnutls_privkey_import_x509_raw(d->key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
		if (r < 0)
			r = fail(error, "http.tls.key", path, gnutls_strerror(r));
		explicit_bzero(pem.p, pem.cap);
	}
	buf_free(&pem);
	return r;
}

/* Is it the key of the first certificate? */
static int check_pair(const struct identity *d, const char *path, char *error)
{
	unsigned char ours[64], theirs[64];
	size_t n = sizeof(ours), m = sizeof(theirs);
	gnutls_pubkey_t pub;
	int r = gnutls_pubkey_init(&pub);

	if (r >= 0)
		r = gnutls_pubkey_import_privkey(pub, d->key, 0, 0);
	if (r >= 0)
		r = gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, ours, &n);
	if (r >= 0)
		r = gnutls_pubkey_get_key_id(d->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, theirs,
					     &m);
	gnutls_pubkey_deinit(pub);
	if (r < 0)
		return fail(error, "http.tls.key", path, gnutls_strerror(r));
	return n == m && !memcmp(ours, theirs, n)
		   ? 0
		   : fail(error, "http.tls.key", path, "is not the key of the certificate");
}

static int identity_read(struct identity **ret, const struct http_tls_options *o, char *error)
{
	struct identity *d = must_alloc(sizeof(*d));
	int r = gnutls_privkey_init(&d->key);

	r = r < 0 ? fail(error, "http.tls.key", o->key, gnutls_strerror(r))
		  : read_chain(d, o->certificate, error);
	if (r >= 0)
		r = read_key(d, o->key, error);
	if (r >= 0)
		r = check_pair(d, o->key, error);
	if (r < 0) {
		identity_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

/* Says whose it is, and until when. */
static void tell_identity(const struct identity *d)
{
	char subject[CERTIFICATE_SUBJECT_MAX] = "", until[RFC3339_MAX];
	size_t n = sizeof(subject);
	gnutls_x509_crt_t cert;
	int64_t end_ms;

	if (gnutls_pcert_export_x509((gnutls_pcert_st *)&d->chain[0], &cert) < 0)
		return;
	end_ms = (int64_t)gnutls_x509_crt_get_expiration_time(cert) * 1000;
	(void)gnutls_x509_crt_get_dn(cert, subject, &n);
	gnutls_x509_crt_deinit(cert);
	log_info("tls.certificate", kv_str("subject", subject),
		 kv_str("until", clock_rfc3339(end_ms, until)));
	if (end_ms <= clock_wall_ms())
		log_error("tls.expired", kv_str("subject", subject));
}

/* Those that were retired long ago go. */
static void put_identity(struct http_tls *t, struct identity *d)
{
	int64_t now = clock_mono_ms();
	struct identity **at;

	(void)pthread_mutex_lock(&t->lock);
	if (t->identity)
		t->identity->retired_ms = now;
	d->older = t->identity;
	t->identity = d;
	for (at = &d->older; *at && now - (*at)->retired_ms < RETIRED_MS;)
		at = &(*at)->older;
	while (*at) {
		struct identity *old = *at;

		*at = old->older;
		identity_free(old);
	}
	(void)pthread_mutex_unlock(&t->lock);
	tell_identity(d);
}

static int choose(gnutls_session_t session UNUSED, const gnutls_datum_t *authorities UNUSED,
		  int n_authorities UNUSED, const gnutls_pk_algorithm_t *algorithms UNUSED,
		  int n_algorithms UNUSED, gnutls_pcert_st **ret_chain, unsigned *ret_n,
		  gnutls_privkey_t *ret_key)
{
	(void)pthread_mutex_lock(&present->lock);
	*ret_chain = present->identity->chain;
	*ret_n = present->identity->n;
	*ret_key = present->identity->key;
	(void)pthread_mutex_unlock(&present->lock);
	return 0;
}

/* Forward secrecy and authenticated ciphers only. */
static const char priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:"
    "+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:%SERVER_PRECEDENCE";
struct MHD_OptionItem http_tls_daemon_options[] = {
	{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)priorities },
	{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)choose },
	{ MHD_OPTION_END, 0, NULL },
};

/* ---- whom clients may be ------------------------------------------------------------------ */

static struct authorities *authorities_release(struct http_tls *t, struct authorities *a)
{
	unsigned users;

	if (!a)
		return NULL;
	(void)pthread_mutex_lock(&t->lock);
	users = --a->users;
	(void)pthread_mutex_unlock(&t->lock);
	if (!users) {
		gnutls_x509_trust_list_deinit(a->list, 1);
		free(a);
	}
	return NULL;
}

static struct authorities *authorities_hold(struct http_tls *t)
{
	struct authorities *a;

	(void)pthread_mutex_lock(&t->lock);
	a = t->authorities;
	a->users++;
	(void)pthread_mutex_unlock(&t->lock);
	return a;
}

static int authorities_read(struct authorities **ret, const char *path, char *error)
{
	struct authorities *a = must_alloc(sizeof(*a));
	struct buf pem = { 0 };
	int r = read_pem("http.tls.clients", path, &pem, error);

	a->users = 1;
	if (r >= 0 && gnutls_x509_trust_list_init(&a->list, 0) < 0)
		r = -ENOMEM;
	if (r >= 0) {
		gnutls_datum_t data = { (unsigned char *)buf_data(&pem).p,
					(unsigned)buf_len(&pem) };
		r = gnutls_x509_trust_list_add_trust_mem(a->list, &data, NULL, GNUTLS_X509_FMT_PEM,
							 0, 0);
		if (r <= 0)
			r = fail(error, "http.tls.clients", path, "holds no certificate");
	}
	buf_free(&pem);
	if (r < 0) {
		if (a->list)
			gnutls_x509_trust_list_deinit(a->list, 1);
		free(a);
		return r;
	}
	*ret = a;
	return 0;
}

static int import_chain(const gnutls_datum_t *raw, unsigned n, gnutls_x509_crt_t *ret)
{
	for (unsigned i = 0; i < n; i++) {
		int r = gnutls_x509_crt_init(&ret[i]);

		if (r >= 0)
			r = gnutls_x509_crt_import(ret[i], &raw[i], GNUTLS_X509_FMT_DER);
		if (r < 0) {
			for (unsigned k = 0; k <= i; k++)
				gnutls_x509_crt_deinit(ret[k]);
			return E_SYNTAX;
		}
	}
	return 0;
}

static bool issued_by(struct authorities *a, const gnutls_datum_t *raw, unsigned n)
{
	gnutls_typed_vdata_st purpose = { GNUTLS_DT_KEY_PURPOSE_OID,
					  (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, 0 };
	gnutls_x509_crt_t certs[CHAIN_MAX];
	unsigned status = ~0U;
	int r;

	if (n > CHAIN_MAX || import_chain(raw, n, certs) < 0)
		return false;
	r = gnutls_x509_trust_list_verify_crt2(a->list, certs, n, &purpose, 1, 0, &status, NULL);
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(certs[i]);
	return r >= 0 && status == 0;
}

/* Within the handshake; what is not 0 ends it. */
static int verify(gnutls_session_t session)
{
	unsigned n = 0;
	const gnutls_datum_t *raw = gnutls_certificate_get_peers(session, &n);
	struct authorities *a;
	bool fine;

	if (!raw || !n)
		return 0;
	a = authorities_hold(present);
	fine = issued_by(a, raw, n);
	(void)authorities_release(present, a);
	if (!fine)
		log_info("tls.client_refused", kv_int("certificates", n));
	return fine ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static gnutls_session_t session_of(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info ? (gnutls_session_t)info->tls_session : NULL;
}

void http_tls_greet(struct http_tls *t, struct MHD_Connection *conn)
{
	gnutls_session_t session = session_of(conn);

	if (!session || !t || !t->options->clients[0])
		return;
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
	gnutls_session_set_verify_function(session, verify);
}

bool http_tls_peer(struct MHD_Connection *conn, struct http_certificate *ret)
{
	gnutls_session_t session = session_of(conn);
	gnutls_datum_t subject = { NULL, 0 };
	const gnutls_datum_t *raw;
	gnutls_x509_crt_t cert;
	unsigned n = 0;

	memset(ret, 0, sizeof(*ret));
	raw = session && present && present->options->clients[0]
		  ? gnutls_certificate_get_peers(session, &n)
		  : NULL;
	if (!raw || !n ||
	    gnutls_hash_fast(GNUTLS_DIG_SHA256, raw[0].data, raw[0].size, ret->sha256) < 0)
		return false;
	if (gnutls_x509_crt_init(&cert) < 0)
		return false;
	if (gnutls_x509_crt_import(cert, &raw[0], GNUTLS_X509_FMT_DER) >= 0 &&
	    gnutls_x509_crt_get_dn3(cert, &subject, 0) >= 0 &&
	    subject.size < sizeof(ret->subject) && !memchr(subject.data, 0, subject.size))
		slice_copy(ret->subject, sizeof(ret->subject),
			   slice_of((char *)subject.data, subject.size));
	gnutls_free(subject.data);
	gnutls_x509_crt_deinit(cert);
	return true;
}

/* ---- files that change -------------------------------------------------------------------- */

static bool mark_files(struct http_tls *t)
{
	const char *const paths[FILES] = { t->options->certificate, t->options->key,
					   t->options->clients };
	bool changed = false;
	struct stat st;

	for (unsigned i = 0; i < FILES; i++) {
		struct file_mark *m = &t->marks[i];

		if (!paths[i][0] || stat(paths[i], &st) < 0)
			continue;
		if (m->inode == st.st_ino && m->size == st.st_size &&
		    m->changed.tv_sec == st.st_mtim.tv_sec &&
		    m->changed.tv_nsec == st.st_mtim.tv_nsec)
			continue;
		*m = (struct file_mark){ st.st_mtim, st.st_ino, st.st_size };
		changed = true;
	}
	return changed;
}

static int read_all(struct http_tls *t, char *error)
{
	struct authorities *a = NULL, *old;
	struct identity *d = NULL;
	int r = identity_read(&d, t->options, error);

	if (r >= 0 && t->options->clients[0])
		r = authorities_read(&a, t->options->clients, error);
	if (r < 0) {
		identity_free(d);
		return r;
	}
	(void)pthread_mutex_lock(&t->lock);
	old = t->authorities;
	t->authorities = a;
	(void)pthread_mutex_unlock(&t->lock);
	(void)authorities_release(t, old);
	put_identity(t, d);
	return 0;
}

void http_tls_reload(struct http_tls *t, bool changed)
{
	char error[OPTION_ERROR_MAX] = "";
	bool differs;

	if (!t)
		return;
	(void)pthread_mutex_lock(&t->reading);
	differs = mark_files(t);
	if ((differs || !changed) && read_all(t, error) < 0)
		log_error("tls.refused", kv_str("why", error));
	(void)pthread_mutex_unlock(&t->reading);
}

int http_tls_open(struct http_tls **ret, const struct http_tls_options *o, char *error)
{
	struct http_tls *t = must_alloc(sizeof(*t));
	int r;

	t->options = o;
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_mutex_init(&t->reading, NULL);
	(void)mark_files(t);
	r = read_all(t, error);
	if (r < 0) {
		(void)http_tls_close(t);
		return r;
	}
	*ret = present = t;
	return 0;
}

struct http_tls *http_tls_close(struct http_tls *t)
{
	if (!t)
		return NULL;
	while (t->identity) {
		struct identity *d = t->identity;

		t->identity = d->older;
		identity_free(d);
	}
	t->authorities = authorities_release(t, t->authorities);
	(void)pthread_mutex_destroy(&t->lock);
	(void)pthread_mutex_destroy(&t->reading);
	free(t);
	present = NULL;
	return NULL;
}
