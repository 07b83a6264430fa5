/* mta/door/tls.h - contexts of TLS, what a client demands of a host's certificate, and what the
 * handshake showed.
 *
 *	TLS_ANY    any certificate is good enough (RFC 7435)
 *	TLS_CHAIN  a chain to an authority that we trust, one of the names (RFC 6125 section 6), and
 *	           the present time within the certificate's
 *	TLS_DANE   one of the TLSA records (RFC 7671, RFC 7672 section 3): DANE-EE(3) matches the
 *	           key whatever name and time say; DANE-TA(2) wants chain, time and one of the names
 *
 * Owns:   tls_client_new() and tls_server_new() give the caller the context; conns keep what they
 *         need of it.  A check is the caller's and must live as long as the conn; texts of a
 *         result live as long as the process.
 * Fails:  the handshake ends in CONN_FAILED with E_TLS when the certificate is not as demanded;
 *         conn_tls_result() then says why.  With report_only it goes on, and says so too.
 * Limits: certificates are not looked up in revocation lists.  TLS_RECORDS_MAX TLSA records. */
#pragma once
#include "base/base.h"

enum tls_demand { TLS_ANY, TLS_CHAIN, TLS_DANE };
enum { TLS_NAMES_MAX = 3, TLS_RECORDS_MAX = 16, TLS_RECORD_BYTES_MAX = 4096 };

/* RFC 6698 section 2.1; usages and the like are numbers as they stand in DNS. */
struct tls_record {
	uint8_t usage, selector, matching;
	uint16_t data_n;
	const uint8_t *data;
};
enum { TLS_DANE_TA = 2, TLS_DANE_EE = 3 };
/* Can it be used to authenticate an SMTP server (RFC 7672 section 3.1)?  Usages 0 and 1, and what
 * is unknown or has a wrong length, cannot. */
bool tls_record_usable(const struct tls_record *r);

struct tls_check {
	enum tls_demand demand;
	bool report_only;
	/* The first is also sent as the server's name (SNI, RFC 7672 section 8.1). */
	const char *names[TLS_NAMES_MAX];
	unsigned n_names;
	const struct tls_record *records;
	unsigned n_records;
};

enum tls_proof { TLS_UNPROVED, TLS_BY_CHAIN, TLS_BY_DANE_EE, TLS_BY_DANE_TA };
enum tls_fault { TLS_NO_FAULT, TLS_EXPIRED, TLS_OTHER_NAME, TLS_UNTRUSTED, TLS_NOT_VALID };

struct tls_result {
	struct slice version, cipher; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384"; empty: no TLS */
	enum tls_proof proof;
	enum tls_fault fault;
	const char *reason; /* of the fault, in words; "" */
};

/* ---- contexts, and sessions for resumption ---------------------------------------------- */
struct tls_context;
struct tls_context *tls_context_free(struct tls_context *t);
DEFINE_OWNED(tls_context)
/* ca_file: PEM of the authorities that TLS_CHAIN trusts; NULL or "": those of the system.  E_TLS,
 * or what reading the file gave. */
int tls_client_new(struct tls_context **ret, const char *ca_file) MUST_CHECK;
int tls_server_new(struct tls_context **ret, const char *cert_pem_path,
		   const char *key_pem_path) MUST_CHECK;

struct tls_session; /* for resumption; kept by the site, counted */
struct tls_session *tls_session_ref(struct tls_session *s);   /* takes NULL */
struct tls_session *tls_session_unref(struct tls_session *s); /* takes NULL, gives NULL */
