/* control/federation/jws.c - signatures checked with OpenSSL. */
#include "control/federation/jws.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/encode.h"
#include "control/http/api.h"

enum { RSA_BYTES_MIN = 256, RSA_BYTES_MAX = 1024, P256_BYTES = 32, ED25519_BYTES = 32, TRIES = 8 };

/* ---- keys ---------------------------------------------------------------------------------- */

/* A member of a key, decoded. */
static bool decode(const json_t *key, const char *member, struct buf *out)
{
	struct slice s = api_text_of(json_object_get(key, member));

	return s.n > 0 && base64url_decode(out, s) >= 0;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *b)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *rsa_of(struct slice n, struct slice e)
{
	BIGNUM *bn = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
	BIGNUM *be = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (b && bn && be && BN_num_bits(bn) >= RSA_BYTES_MIN * 8 && BN_is_odd(be) &&
	    !BN_is_one(be) && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be))
		key = from_params("RSA", b);
	OSSL_PARAM_BLD_free(b);
	BN_free(bn);
	BN_free(be);
	return key;
}

static EVP_PKEY *rsa_key(const json_t *jwk)
{
	struct buf n = { 0 }, e = { 0 };
	EVP_PKEY *key = NULL;

	if (decode(jwk, "n", &n) && decode(jwk, "e", &e) && buf_len(&n) <= RSA_BYTES_MAX &&
	    buf_len(&e) <= sizeof(uint64_t))
		key = rsa_of(buf_data(&n), buf_data(&e));
	buf_free(&n);
	buf_free(&e);
	return key;
}

static EVP_PKEY *p256_of(const struct buf *x, const struct buf *y)
{
	unsigned char point[1 + 2 * P256_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	memcpy(point + 1, buf_data(x).p, P256_BYTES);
	memcpy(point + 1 + P256_BYTES, buf_data(y).p, P256_BYTES);
	if (b && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
	    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)))
		key = from_params("EC", b);
	OSSL_PARAM_BLD_free(b);
	return key;
}

static EVP_PKEY *p256_key(const json_t *jwk)
{
	struct buf x = { 0 }, y = { 0 };
	EVP_PKEY *key = NULL;

	if (decode(jwk, "x", &x) && decode(jwk, "y", &y) && buf_len(&x) == P256_BYTES &&
	    buf_len(&y) == P256_BYTES)
		key = p256_of(&x, &y);
	buf_free(&x);
	buf_free(&y);
	return key;
}

static EVP_PKEY *ed25519_key(const json_t *jwk)
{
	struct buf x = { 0 };
	EVP_PKEY *key = NULL;

	if (decode(jwk, "x", &x) && buf_len(&x) == ED25519_BYTES)
		key = EVP_PKEY_new_raw_public_key(
		    EVP_PKEY_ED25519, NULL, (const unsigned char *)buf_data(&x).p, ED25519_BYTES);
	buf_free(&x);
	return key;
}

/* ---- algorithms ---------------------------------------------------------------------------- */

/* Two numbers side by side (RFC 7518, 3.4) as OpenSSL has them. */
static int ecdsa_der(struct slice sig, unsigned char **ret)
{
	const unsigned char *p = (const unsigned char *)sig.p;
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *a = NULL, *b = NULL;
	int n = -1;

	if (s && sig.n == 2 * P256_BYTES) {
		a = BN_bin2bn(p, P256_BYTES, NULL);
		b = BN_bin2bn(p + P256_BYTES, P256_BYTES, NULL);
	}
	if (a && b && ECDSA_SIG_set0(s, a, b))
		n = i2d_ECDSA_SIG(s, ret);
	ECDSA_SIG_free(s);
	return n;
}

static bool verify(EVP_PKEY *key, const EVP_MD *md, struct slice sig, struct slice text)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool right = ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		     EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.n,
				      (const unsigned char *)text.p, text.n) == 1;

	EVP_MD_CTX_free(ctx);
	return right;
}

static bool verify_rs256(EVP_PKEY *key, struct slice sig, struct slice text)
{
	return verify(key, EVP_sha256(), sig, text);
}

static bool verify_es256(EVP_PKEY *key, struct slice sig, struct slice text)
{
	unsigned char *der = NULL;
	int n = ecdsa_der(sig, &der);
	bool right = n > 0 && verify(key, EVP_sha256(), slice_of(der, (size_t)n), text);

	OPENSSL_free(der);
	return right;
}

static bool verify_eddsa(EVP_PKEY *key, struct slice sig, struct slice text)
{
	return verify(key, NULL, sig, text);
}

static const struct algorithm {
	const char *name, *kty, *crv; /* crv NULL: there is none */
	EVP_PKEY *(*key)(const json_t *jwk);
	bool (*verify)(EVP_PKEY *key, struct slice sig, struct slice text);
} algorithms[] = {
	{ "RS256", "RSA", NULL, rsa_key, verify_rs256 },
	{ "ES256", "EC", "P-256", p256_key, verify_es256 },
	{ "EdDSA", "OKP", "Ed25519", ed25519_key, verify_eddsa },
};

static const struct algorithm *algorithm_named(const json_t *name)
{
	for (size_t i = 0; json_is_string(name) && i < ARRAY_LEN(algorithms); i++)
		if (strcmp(json_string_value(name), algorithms[i].name) == 0)
			return &algorithms[i];
	return NULL;
}

/* ---- a token ------------------------------------------------------------------------------- */

struct signed_text {
	const struct algorithm *algorithm;
	struct slice kid; /* empty: the token names none */
	struct slice text, sig;
};

static bool is(const json_t *key, const char *member, const char *value, bool needed)
{
	const json_t *v = json_object_get(key, member);

	return v ? slice_eq(api_text_of(v), slice_str(value)) : !needed;
}

static bool fits(const struct signed_text *t, const json_t *jwk)
{
	const struct algorithm *a = t->algorithm;

	return json_is_object(jwk) && is(jwk, "kty", a->kty, true) &&
	       (!a->crv || is(jwk, "crv", a->crv, true)) && is(jwk, "use", "sig", false) &&
	       is(jwk, "alg", a->name, false) &&
	       (!t->kid.n || slice_eq(api_text_of(json_object_get(jwk, "kid")), t->kid));
}

static bool right_by(const struct signed_text *t, const json_t *jwk)
{
	EVP_PKEY *key = t->algorithm->key(jwk);
	bool right = key && t->algorithm->verify(key, t->sig, t->text);

	EVP_PKEY_free(key);
	return right;
}

static int hold_against(const struct signed_text *t, const json_t *key_set)
{
	const json_t *keys = json_object_get(key_set, "keys");
	int tried = 0;

	for (size_t i = 0; i < json_array_size(keys) && i < JWS_KEYS_MAX && tried < TRIES; i++) {
		const json_t *jwk = json_array_get(keys, i);

		if (!fits(t, jwk))
			continue;
		if (right_by(t, jwk))
			return 0;
		tried++;
	}
	return tried ? E_DENIED : E_UNKNOWN;
}

static json_t *read_object(struct slice part)
{
	struct buf text = { 0 };
	json_t *j = NULL;

	if (base64url_decode(&text, part) >= 0)
		j = json_loadb(buf_data(&text).p, buf_len(&text), JSON_REJECT_DUPLICATES, NULL);
	buf_free(&text);
	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

static int check(const json_t *header, struct slice text, struct slice sig, const json_t *key_set)
{
	struct signed_text t = { .algorithm = algorithm_named(json_object_get(header, "alg")),
				 .kid = api_text_of(json_object_get(header, "kid")),
				 .text = text };
	struct buf raw = { 0 };
	int r = base64url_decode(&raw, sig);

	t.sig = buf_data(&raw);
	/* "crit" names what must be understood, and nothing of that is. */
	if (r >= 0)
		r = t.algorithm && !json_object_get(header, "crit") ? hold_against(&t, key_set)
								    : E_DENIED;
	buf_free(&raw);
	return r;
}

int jws_open(struct slice compact, const json_t *key_set, json_t **ret)
{
	struct slice text, sig, head, body;
	json_t *header, *payload;
	int r;

	if (compact.n > JWS_MAX || !slice_cut_last(compact, '.', &text, &sig) ||
	    !slice_cut(text, '.', &head, &body) || memchr(body.p, '.', body.n))
		return E_SYNTAX;
	header = read_object(head);
	if (!header)
		return E_SYNTAX;
	r = check(header, text, sig, key_set);
	json_decref(header);
	if (r < 0)
		return r;
	payload = read_object(body);
	if (!payload)
		return E_SYNTAX;
	*ret = payload;
	return 0;
}
