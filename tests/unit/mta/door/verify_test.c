/* What a client demands of a certificate, over loopback with real certificates: chain, name and
 * time; and TLSA records, by the edge cases that OpenSSL's own table of DANE tests has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/mta/door/door_pair.h"

static char dir[] = "/tmp/postern-verify-XXXXXX";

/* An authority; its certificates for mx.test, an expired one, one of another authority. */
static const char script[] =
    "set -e; cd %s\n"
    "key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }\n"
    "ca() { key $1; openssl req -x509 -new -key $1.key -days 9 -subj /CN=$1 -out $1.pem; }\n"
    "leaf() { key $1; openssl req -new -key $1.key -subj /CN=$2 -out $1.csr\n"
    "  printf 'subjectAltName=DNS:%%s\\n' $2 >$1.ext\n"
    "  openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -CAcreateserial -days $4 "
    "-extfile $1.ext -out $1.one\n"
    "  cat $1.one $3.pem >$1.pem; cp $1.one $1.short; }\n"
    "ca root; ca stranger\n"
    "leaf good mx.test root 5; leaf old mx.test root -1; leaf foreign mx.test stranger 5\n"
    "leaf other other.test root 5\n";

static int make_certificates(void **unused)
{
	char command[2048];

	(void)unused;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(command, sizeof(command), script, dir);
	FILE *sh = popen("sh >/dev/null 2>&1", "w");
	if (!sh || fputs(command, sh) < 0)
		return -1;
	return pclose(sh);
}

static int remove_certificates(void **unused)
{
	char command[64];

	(void)unused;
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static const char *path_of(const char *name, const char *end, char *buf)
{
	(void)snprintf(buf, 80, "%s/%s%s", dir, name, end);
	return buf;
}

/* One handshake; true: it was completed. */
static bool shake(const char *server, bool short_chain, const struct tls_check *check,
		  struct tls_result *ret)
{
	struct tls_context *client, *served;
	char cert[80], key[80], ca[80];
	struct pair p;
	size_t dropped;
	bool done;

	assert_int_equal(tls_client_new(&client, path_of("root", ".pem", ca)), 0);
	assert_int_equal(tls_server_new(&served,
					path_of(server, short_chain ? ".short" : ".pem", cert),
					path_of(server, ".key", key)),
			 0);
	pair_open(&p, NULL);
	settle(&p.loop);
	assert_int_equal(conn_start_tls(p.client.conn, client, check, NULL, &dropped), 0);
	assert_int_equal(conn_start_tls(p.server.conn, served, NULL, NULL, &dropped), 0);
	settle(&p.loop);
	settle(&p.loop);
	done = p.client.tls_done == 1 && !p.client.failed;
	assert_true(done || (p.client.failed == 1 && p.client.err == E_TLS));
	conn_tls_result(p.client.conn, ret);
	assert_int_equal(done, ret->version.n > 0);
	pair_close(&p);
	(void)tls_context_free(client);
	(void)tls_context_free(served);
	return done;
}

/* ---- chain, name, time ------------------------------------------------------------------- */

static void a_chain_is_good_when_authority_name_and_time_are(void **unused)
{
	static const struct {
		const char *server, *name;
		enum tls_fault fault;
	} rows[] = {
		{ "good", "mx.test", TLS_NO_FAULT },       { "good", "MX.TEST", TLS_NO_FAULT },
		{ "good", "other.test", TLS_OTHER_NAME },  { "other", "mx.test", TLS_OTHER_NAME },
		{ "old", "mx.test", TLS_EXPIRED },         { "foreign", "mx.test", TLS_UNTRUSTED },
		{ "stranger", "stranger", TLS_UNTRUSTED },
	};
	struct tls_result got;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int report_only = 0; report_only < 2; report_only++) {
			const struct tls_check check = { .demand = TLS_CHAIN,
							 .report_only = report_only,
							 .names = { rows[i].name },
							 .n_names = 1 };
			bool good = rows[i].fault == TLS_NO_FAULT;
			assert_int_equal(shake(rows[i].server, false, &check, &got),
					 good || report_only);
			assert_int_equal(got.fault, rows[i].fault);
			assert_int_equal(got.proof, good ? TLS_BY_CHAIN : TLS_UNPROVED);
			assert_int_equal(*got.reason != '\0', !good);
		}
}

static void any_certificate_will_do_where_none_is_demanded(void **unused)
{
	const struct tls_check check = { .names = { "mx.test" }, .n_names = 1 };
	struct tls_result got;

	(void)unused;
	assert_true(shake("foreign", false, &check, &got));
	assert_true(got.fault == TLS_NO_FAULT && got.proof == TLS_UNPROVED);
	assert_true(slice_eq(got.version, SLICE("TLSv1.3")) && got.cipher.n > 0);
}

static void an_authorities_file_that_is_none_gives_no_context(void **unused)
{
	struct tls_context *t = NULL;
	char path[80];

	(void)unused;
	assert_int_equal(tls_client_new(&t, "/nonexistent.pem"), -ENOENT);
	assert_int_equal(tls_client_new(&t, path_of("good", ".key", path)), E_TLS);
	assert_null(t);
}

/* ---- DANE -------------------------------------------------------------------------------- */

struct bytes {
	uint8_t p[TLS_RECORD_BYTES_MAX];
	size_t n;
};

/* The data of a record that matches the certificate in NAME.one or NAME.pem. */
static void data_of(const char *name, unsigned selector, unsigned matching, struct bytes *ret)
{
	unsigned char *der = NULL;
	char path[80];
	FILE *f = fopen(path_of(name, ".short", path), "r");
	X509 *x;
	int n;

	if (!f)
		f = fopen(path_of(name, ".pem", path), "r");
	assert_non_null(f);
	x = PEM_read_X509(f, NULL, NULL, NULL);
	(void)fclose(f);
	assert_non_null(x);
	n = selector == 1 ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der) : i2d_X509(x, &der);
	assert_true(n > 0 && (size_t)n <= sizeof(ret->p));
	ret->n = matching == 1 ? 32 : matching == 2 ? 64 : (size_t)n;
	if (matching == 1)
		(void)SHA256(der, (size_t)n, ret->p);
	else if (matching == 2)
		(void)SHA512(der, (size_t)n, ret->p);
	else
		memcpy(ret->p, der, (size_t)n);
	OPENSSL_free(der);
	X509_free(x);
}

struct dane_record {
	uint8_t usage, selector, matching;
	const char *of;
	bool wrong; /* one bit of its data is another */
};
#define PROVED(p) TLS_BY_DANE_##p, TLS_NO_FAULT
#define FAILS(f) TLS_UNPROVED, f
#define NO_MATCH FAILS(TLS_NOT_VALID)

/* clang-format off */
static const struct dane_row {
	const char *server;
	bool short_chain; /* the authority's certificate is not sent */
	const char *base, *other; /* names */
	struct dane_record r[3];
	enum tls_proof proof;
	enum tls_fault fault;
} dane_rows[] = {
	/* DANE-EE: every selector and matching type. */
	{ "good", false, "mx.test", NULL, { { 3, 0, 0, "good" } }, PROVED(EE) },
	{ "good", false, "mx.test", NULL, { { 3, 0, 1, "good" } }, PROVED(EE) },
	{ "good", false, "mx.test", NULL, { { 3, 0, 2, "good" } }, PROVED(EE) },
	{ "good", false, "mx.test", NULL, { { 3, 1, 0, "good" } }, PROVED(EE) },
	{ "good", false, "mx.test", NULL, { { 3, 1, 1, "good" } }, PROVED(EE) },
	{ "good", false, "mx.test", NULL, { { 3, 1, 2, "good" } }, PROVED(EE) },
	/* ... whatever chain, name and time are (RFC 7672 section 3.1.1). */
	{ "foreign", false, "mx.test", NULL, { { 3, 1, 1, "foreign" } }, PROVED(EE) },
	{ "foreign", true, "mx.test", NULL, { { 3, 1, 1, "foreign" } }, PROVED(EE) },
	{ "other", false, "mx.test", NULL, { { 3, 1, 1, "other" } }, PROVED(EE) },
	{ "old", false, "mx.test", NULL, { { 3, 1, 1, "old" } }, PROVED(EE) },
	{ "stranger", false, "mx.test", NULL, { { 3, 1, 1, "stranger" } }, PROVED(EE) },
	/* ... and nothing else. */
	{ "good", false, "mx.test", NULL, { { 3, 1, 1, "good", true } }, FAILS(TLS_NOT_VALID) },
	/* A key that is none counts for nothing; alone it leaves a demand for chain and name. */
	{ "good", false, "mx.test", NULL, { { 3, 1, 0, "good", true } }, TLS_BY_CHAIN, TLS_NO_FAULT },
	{ "other", false, "mx.test", NULL, { { 3, 1, 0, "other", true } }, FAILS(TLS_OTHER_NAME) },
	{ "foreign", false, "mx.test", NULL, { { 3, 1, 0, "foreign", true } }, FAILS(TLS_UNTRUSTED) },
	{ "good", false, "mx.test", NULL, { { 3, 1, 0, "good", true }, { 3, 1, 1, "old" } }, NO_MATCH },
	{ "good", false, "mx.test", NULL, { { 3, 1, 1, "root" } }, NO_MATCH },
	{ "good", false, "mx.test", NULL, { { 3, 0, 1, "other" } }, NO_MATCH },
	/* A digest of the key does not match as one of the certificate. */
	{ "good", false, "mx.test", NULL, { { 2, 1, 1, "good" } }, NO_MATCH },
	/* DANE-TA: the authority is in the chain, or whole in the record. */
	{ "good", false, "mx.test", NULL, { { 2, 0, 0, "root" } }, PROVED(TA) },
	{ "good", false, "mx.test", NULL, { { 2, 0, 1, "root" } }, PROVED(TA) },
	{ "good", false, "mx.test", NULL, { { 2, 0, 2, "root" } }, PROVED(TA) },
	{ "good", false, "mx.test", NULL, { { 2, 1, 1, "root" } }, PROVED(TA) },
	{ "good", false, "mx.test", NULL, { { 2, 1, 2, "root" } }, PROVED(TA) },
	{ "foreign", false, "mx.test", NULL, { { 2, 0, 1, "stranger" } }, PROVED(TA) },
	{ "foreign", true, "mx.test", NULL, { { 2, 0, 0, "stranger" } }, PROVED(TA) },
	{ "foreign", true, "mx.test", NULL, { { 2, 1, 0, "stranger" } }, PROVED(TA) },
	{ "foreign", true, "mx.test", NULL, { { 2, 0, 1, "stranger" } }, NO_MATCH },
	{ "foreign", false, "mx.test", NULL, { { 2, 0, 1, "root" } }, NO_MATCH },
	/* ... and wants name and time. */
	{ "other", false, "mx.test", NULL, { { 2, 0, 1, "root" } }, FAILS(TLS_OTHER_NAME) },
	{ "other", false, "mx.test", "other.test", { { 2, 0, 1, "root" } }, PROVED(TA) },
	{ "old", false, "mx.test", NULL, { { 2, 0, 1, "root" } }, FAILS(TLS_EXPIRED) },
	/* Of several, one that matches is enough: a roll of the key. */
	{ "good", false, "mx.test", NULL, { { 3, 1, 1, "old" }, { 3, 1, 1, "good" } }, PROVED(EE) },
	{ "good", false, "mx.test", NULL, { { 3, 1, 1, "good" }, { 3, 1, 1, "old" } }, PROVED(EE) },
	{ "good", false, "mx.test", NULL, { { 3, 1, 1, "old" }, { 2, 0, 1, "root" } }, PROVED(TA) },
	{ "good", false, "mx.test", NULL, { { 3, 1, 1, "old" }, { 2, 0, 1, "stranger" } }, NO_MATCH },
	/* Records that cannot be used do not stand in the way of one that can. */
	{ "good", false, "mx.test", NULL, { { 1, 1, 1, "good" }, { 3, 9, 1, "good" }, { 3, 1, 1, "good" } }, PROVED(EE) },
	{ "good", false, "mx.test", NULL, { { 3, 1, 7, "good" }, { 255, 1, 1, "good" }, { 3, 1, 1, "good", true } }, NO_MATCH },
};
/* clang-format on */

static void try_dane(const struct dane_row *row, size_t number)
{
	struct tls_record records[3];
	struct bytes data[3];
	struct tls_result got;
	struct tls_check check = { .demand = TLS_DANE,
				   .names = { row->base, row->other },
				   .n_names = row->other ? 2 : 1,
				   .records = records };
	bool good = row->fault == TLS_NO_FAULT;

	for (unsigned i = 0; i < 3 && row->r[i].of; i++) {
		const struct dane_record *r = &row->r[i];
		data_of(r->of, r->selector, r->matching, &data[i]);
		data[i].p[data[i].n - 1] ^= r->wrong;
		records[check.n_records++] =
		    (struct tls_record){ r->usage, r->selector, r->matching, (uint16_t)data[i].n,
					 data[i].p };
	}
	if (shake(row->server, row->short_chain, &check, &got) != good || got.proof != row->proof ||
	    got.fault != row->fault)
		fail_msg("row %zu: proof %d, fault %d (%s)", number, (int)got.proof, (int)got.fault,
			 got.reason);
}

static void tlsa_records_prove_what_they_may_and_nothing_else(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(dane_rows); i++)
		try_dane(&dane_rows[i], i);
}

static void usages_for_browsers_and_malformed_records_are_unusable(void **unused)
{
	static const uint8_t bytes[64];
	static const struct {
		struct tls_record r;
		bool usable;
	} rows[] = {
		{ { 3, 1, 1, 32, bytes }, true },       { { 2, 0, 2, 64, bytes }, true },
		{ { 3, 0, 0, 1, bytes }, true },        { { 0, 1, 1, 32, bytes }, false },
		{ { 1, 1, 1, 32, bytes }, false },      { { 4, 1, 1, 32, bytes }, false },
		{ { 3, 2, 1, 32, bytes }, false },      { { 3, 1, 3, 32, bytes }, false },
		{ { 3, 1, 1, 31, bytes }, false },      { { 3, 1, 1, 33, bytes }, false },
		{ { 3, 1, 2, 32, bytes }, false },      { { 3, 1, 0, 0, bytes }, false },
		{ { 255, 255, 255, 0, bytes }, false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(tls_record_usable(&rows[i].r), rows[i].usable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_is_good_when_authority_name_and_time_are),
		cmocka_unit_test(any_certificate_will_do_where_none_is_demanded),
		cmocka_unit_test(an_authorities_file_that_is_none_gives_no_context),
		cmocka_unit_test(tlsa_records_prove_what_they_may_and_nothing_else),
		cmocka_unit_test(usages_for_browsers_and_malformed_records_are_unusable),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
