/* mta/door/tls_check.c - what a client demands, in OpenSSL's words, and what came of it. */
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "mta/door/conn_int.h"

/* RFC 6066 section 3: a literal address is not a server name. */
static bool is_name(const char *s)
{
	struct ip ip;

	return s && *s && ip_parse(slice_str(s), &ip) < 0;
}

static bool demand_names(SSL *ssl, const struct tls_check *check)
{
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_set1_host(ssl, check->names[0]) != 1)
		return false;
	for (unsigned i = 1; i < check->n_names; i++)
		if (SSL_add1_host(ssl, check->names[i]) != 1)
			return false;
	return true;
}

/* A record that OpenSSL cannot read (a whole certificate that is none) counts for nothing; when
 * that holds for all, OpenSSL demands a chain and a name. */
static bool demand_dane(SSL *ssl, const struct tls_check *check)
{
	if (SSL_dane_enable(ssl, check->names[0]) <= 0)
		return false;
	/* RFC 7672 section 3.1.1: with DANE-EE(3) the name does not matter. */
	(void)SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	for (unsigned i = 0; i < check->n_records; i++) {
		const struct tls_record *r = &check->records[i];
		if (tls_record_usable(r) && SSL_dane_tlsa_add(ssl, r->usage, r->selector,
							      r->matching, r->data, r->data_n) < 0)
			return false;
	}
	return demand_names(ssl, check);
}

bool tls_check_set(SSL *ssl, const struct tls_check *check)
{
	bool insist = check->demand != TLS_ANY && !check->report_only;

	SSL_set_verify(ssl, insist ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (check->demand == TLS_DANE) {
		if (!check->n_names || !demand_dane(ssl, check))
			return false;
	} else if (check->demand == TLS_CHAIN) {
		if (!check->n_names || !demand_names(ssl, check))
			return false;
	}
	if (check->n_names && is_name(check->names[0]))
		(void)SSL_set_tlsext_host_name(ssl, check->names[0]);
	return true;
}

/* ---- what came of it --------------------------------------------------------------------- */

static enum tls_fault fault_of(long err)
{
	switch (err) {
	case X509_V_OK:
		return TLS_NO_FAULT;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_EXPIRED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		return TLS_OTHER_NAME;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return TLS_UNTRUSTED;
	default:
		return TLS_NOT_VALID;
	}
}

/* A resumed session was proved when it began, by the same check (conn.h); which of the records did
 * it is then known when all are of one usage. */
static enum tls_proof proof_by_dane(SSL *ssl, const struct tls_check *check)
{
	uint8_t usage = TLS_DANE_EE;

	if (SSL_get0_dane_tlsa(ssl, &usage, NULL, NULL, NULL, NULL) < 0) {
		if (!SSL_session_reused(ssl))
			return TLS_BY_CHAIN;
		for (unsigned i = 0; i < check->n_records; i++)
			if (tls_record_usable(&check->records[i]))
				usage = check->records[i].usage;
	}
	return usage == TLS_DANE_TA ? TLS_BY_DANE_TA : TLS_BY_DANE_EE;
}

static bool of_one_usage(const struct tls_check *check)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < check->n_records; i++)
		if (tls_record_usable(&check->records[i]))
			seen |= 1U << check->records[i].usage;
	return (seen & (seen - 1)) == 0;
}

bool tls_check_resumable(const struct tls_check *check)
{
	return !check || check->demand != TLS_DANE || of_one_usage(check);
}

void conn_tls_result(const struct conn *c, struct tls_result *ret)
{
	const struct tls_check *check = c->check;
	long err;

	*ret = (struct tls_result){ .reason = "" };
	if (!c->ssl)
		return;
	if (conn_is_tls(c) && SSL_is_init_finished(c->ssl)) {
		ret->version = slice_str(SSL_get_version(c->ssl));
		ret->cipher = slice_str(SSL_get_cipher_name(c->ssl));
	}
	if (!check || check->demand == TLS_ANY)
		return;
	err = SSL_get_verify_result(c->ssl);
	ret->fault = fault_of(err);
	if (err != X509_V_OK)
		ret->reason = X509_verify_cert_error_string(err);
	else if (ret->version.n)
		ret->proof =
		    check->demand == TLS_DANE ? proof_by_dane(c->ssl, check) : TLS_BY_CHAIN;
}
