/* control/http/tls.h - TLS 1.2 and 1.3 of our own listeners: who we are, and whose certificates
 * clients may show.  libmicrohttpd speaks TLS by GnuTLS, so this does too
 * (docs/decisions/0038-front-door.md).
 *
 * Guarantee: a handshake in which the client shows a certificate ends unless one of the authorities
 *            of http.tls.clients has issued it for clients, and it is in its time.  To show none
 *            is always allowed.
 * Guarantee: when files changed and cannot be used, what was read before goes on.
 *
 * Owns:    http_tls_open() gives the caller the state, of which a process has one; http_tls_close()
 *          ends it, after the listeners.
 * Fails:   E_SYNTAX, E_DENIED (others may read the key), -errno; error (OPTION_ERROR_MAX) says why.
 * Threads: any, after http_tls_open(). */
#pragma once
#include <microhttpd.h>

#include "control/http/certificate.h"
#include "control/http/tls_options.h"

struct http_tls;
int http_tls_open(struct http_tls **ret, const struct http_tls_options *o, char *error) MUST_CHECK;
struct http_tls *http_tls_close(struct http_tls *t);
/* Reads the files again; changed: only when one of them has changed. */
void http_tls_reload(struct http_tls *t, bool changed);

/* What MHD_start_daemon() is given beside MHD_USE_TLS, by MHD_OPTION_ARRAY. */
extern struct MHD_OptionItem http_tls_daemon_options[];
/* A connection begins, before its handshake. */
void http_tls_greet(struct http_tls *t, struct MHD_Connection *conn);
/* The certificate of the client; false when it has shown none. */
bool http_tls_peer(struct MHD_Connection *conn, struct http_certificate *ret);
