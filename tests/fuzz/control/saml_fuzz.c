/* tests/fuzz/control/saml_fuzz.c - what an identity provider sends, and the records between the two
 * processes.  The first byte says what follows: R a response, M metadata, A an answer, Q a
 * question.
 * Laws: nobody is named but the person that the owner of the certificate's key has signed for,
 *       with nothing but what was signed (the key is gone, the seeds have all that it ever signed);
 *       what is read of metadata and of records is bounded, and reads the same when it is written
 *       again. */
#include <stdio.h>

#include "base/encode.h"
#include "control/saml/reader.h"
#include "control/saml/signed.h"

static const char certificate[] =
    "MIICkDCCAXgCAQEwDQYJKoZIhvcNAQELBQAwDjEMMAoGA1UEAwwDaWRwMB4XDTI2MTEyNzAyMjEyM1oX"
    "DTI2MTEyNzA0MjEyM1owDjEMMAoGA1UEAwwDaWRwMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKC"
    "AQEArMgMiWI7KUW4xKuFVSTwz8AGFb3Ef+p41m1Hk5c2fxigd/xWBEaPoKX4gZ1nJX+kOe+l1t0qqNJC"
    "HhH0fnZZ1gMV9LfyH3Vdo8J6I1qxLq7tw7aWDHLiiMxvI11VJfIUK6LlJi0ub9TXXmogknqNU9TGz3kC"
    "OYM1gETusshxeuKzy0+OBupV0QJXwaznZdFgr+MceS6EmlsNt86TIww3mhFq6nqRSHBkFlLOmISSzWly"
    "uKKtpPMnL8/vD30h7TQRj9GkG3Hmf6LeMjLmqWd265cBnAZAapjE0soKeZ8WigLjlbGkNmhgWkaLYFS2"
    "/e+uL0AXCkx6phwmb9i27h4U0QIDAQABMA0GCSqGSIb3DQEBCwUAA4IBAQChfeWgSaZNh1BpR7nCgB/k"
    "omef1AZaBNzm0zjhHd60vVDMjL9YoGZnOZ8f9hbzJ9CiNYOWDhZL0TrTHSCeMSTA23mtZNLXBvTcP+Li"
    "vToKqok1et7ol1k7ZaRfyM+jltO6iRBvEGO3xc7Ab10A/8sDfliFVoCEXONvQtG+uLNvi2pglIhKvnBG"
    "e9DM8to5b0r5BeK9hQmzImsYQbiWJgzf+S+Y5tjMEvTsqCZ5gambzU72d/iLsE4o2kbBiYHb3r818pjt"
    "fKymomObCFMWu9YO2IzIuBt152E9a6tEGJDra6upg/epWde7mv2LHRzDCXDE0U4LRJmrODrXFcahwmDE";

static struct slice der(void)
{
	static struct buf b;

	if (!buf_len(&b)) {
		assert(saml_signed_prepare() == 0);
		assert(base64_decode(&b, slice_of(certificate, sizeof(certificate) - 1)) == 0);
	}
	return buf_data(&b);
}

/* 2026-03-01T12:00:00Z */
static const int64_t now_ms = 1772366400000;

static void try_question(const struct saml_question *q, struct saml_answer *ret, struct buf *out)
{
	struct buf asked = { 0 };

	*ret = (struct saml_answer){ .fault = SAML_BROKEN };
	buf_clear(out);
	if (saml_question_put(&asked, q) == 0 && saml_reader_answer(buf_data(&asked), out) == 0)
		assert(saml_answer_get(buf_data(out), ret) == 0);
	buf_free(&asked);
}

static void try_response(struct slice in, struct buf *out)
{
	struct saml_question q = {
		.kind = SAML_RESPONSE,
		.issuer = SLICE("https://idp.example.net/saml"),
		.audience = SLICE("https://mail.example.org/v1/auth/saml/org_1/idp_1/metadata"),
		.acs = SLICE("https://mail.example.org/v1/auth/saml/acs"),
		.request = SLICE("_request0001"),
		.now_ms = now_ms,
		.certificates = { der() },
		.n = 1,
	};
	struct buf encoded = { 0 };
	struct saml_answer a;

	assert(base64_encode(&encoded, in) == 0);
	q.document = buf_data(&encoded);
	try_question(&q, &a, out);
	if (a.fault == SAML_FINE) {
		assert(slice_eq(a.subject, SLICE("ann-7")));
		assert(slice_eq(a.email, SLICE("ann@example.net")));
		assert(slice_eq(a.name, SLICE("Ann Rivers")));
		assert(slice_eq(a.assertion, SLICE("_assertion0001")));
		assert(a.until_ms == now_ms + (5 * 60 + 120) * 1000);
	}
	buf_free(&encoded);
}

static void try_metadata(struct slice in, struct buf *out)
{
	struct saml_question q = { .kind = SAML_METADATA, .document = in, .now_ms = now_ms };
	struct saml_answer a;

	(void)der();
	try_question(&q, &a, out);
	if (a.fault == SAML_FINE)
		assert(a.entity.n && a.sso.n && a.n > 0 && a.n <= SAML_CERTIFICATES_MAX);
}

static void try_answer(struct slice in, struct buf *out)
{
	struct saml_answer a;

	if (saml_answer_get(in, &a) < 0)
		return;
	assert(saml_answer_put(out, &a) == 0);
	assert(slice_eq(buf_data(out), in));
}

static void try_record(struct slice in, struct buf *out)
{
	struct saml_question q;

	(void)der();
	if (saml_question_get(in, &q) == 0) {
		assert(saml_question_put(out, &q) == 0 || in.n > SAML_QUESTION_MAX / 10 * 9);
		assert(slice_eq(buf_data(out), in) || in.n > SAML_QUESTION_MAX / 10 * 9);
	}
	buf_clear(out);
	(void)!saml_reader_answer(in, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = { 0 };
	struct slice rest = size ? slice_of(data + 1, size - 1) : slice_of("", 0);

	if (size && data[0] == 'R')
		try_response(rest, &out);
	else if (size && data[0] == 'M')
		try_metadata(rest, &out);
	else if (size && data[0] == 'A')
		try_answer(rest, &out);
	else if (size && data[0] == 'Q')
		try_record(rest, &out);
	buf_free(&out);
	return 0;
}
