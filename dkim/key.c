/* dkim/key.c - private keys: loading, making, signing a digest, the public half. */
#include "dkim/key.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/encode.h"

enum { RSA_BITS_MIN = 1024, RSA_BITS_MAX = 8 * SIGN_SIGNATURE_MAX, RSA_BITS_NEW = 2048 };
enum { PEM_MAX = 64 * 1024 };

static const char *const type_tag[] = { [SIGN_RSA] = "rsa", [SIGN_ED25519] = "ed25519" };

struct sign_key *sign_key_free(struct sign_key *key)
{
	if (!key)
		return NULL;
	EVP_PKEY_CTX_free(key->rsa);
	EVP_MD_CTX_free(key->eddsa);
	EVP_MD_CTX_free(key->hash);
	EVP_MD_free(key->sha256);
	EVP_PKEY_free(key->pkey); /* OpenSSL wipes the private numbers */
	buf_free(&key->headers);
	buf_free(&key->field);
	free(key->domain);
	free(key->selector);
	free(key);
	return NULL;
}

/* Never asks a terminal for a passphrase: an encrypted key is unusable. */
static int no_passphrase(char *buf UNUSED, int size UNUSED, int writing UNUSED, void *arg UNUSED)
{
	return -1;
}

static EVP_PKEY *read_pem(struct slice pem)
{
	EVP_PKEY *pkey = NULL;
	BIO *bio;

	if (pem.n == 0 || pem.n > PEM_MAX)
		return NULL;
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (!bio)
		return NULL;
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return pkey;
}

static int prepare_rsa(struct sign_key *key)
{
	int bits = EVP_PKEY_get_bits(key->pkey);

	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return E_CRYPTO;
	key->type = SIGN_RSA;
	key->rsa = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (!key->rsa || EVP_PKEY_sign_init(key->rsa) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(key->rsa, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(key->rsa, key->sha256) != 1)
		return E_CRYPTO;
	return 0;
}

static int prepare_ed25519(struct sign_key *key)
{
	key->type = SIGN_ED25519;
	key->eddsa = EVP_MD_CTX_new();
	if (!key->eddsa ||
	    EVP_DigestSignInit_ex(key->eddsa, NULL, NULL, NULL, NULL, key->pkey, NULL) != 1)
		return E_CRYPTO;
	return 0;
}

static int prepare(struct sign_key *key)
{
	key->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	key->hash = EVP_MD_CTX_new();
	if (!key->sha256 || !key->hash)
		return E_CRYPTO;
	switch (EVP_PKEY_get_base_id(key->pkey)) {
	case EVP_PKEY_RSA:
		return prepare_rsa(key);
	case EVP_PKEY_ED25519:
		return prepare_ed25519(key);
	default:
		return E_CRYPTO;
	}
}

/* What may stand in d= and s= without any quoting, and in the DNS name
 * <selector>._domainkey.<domain>. */
static bool is_name(struct slice s)
{
	if (s.n == 0 || s.n > 253 || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		if (c == '.' && s.p[i - 1] == '.')
			return false;
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		      c == '.'))
			return false;
	}
	return true;
}

int sign_key_load(struct sign_key **ret, struct slice pem, struct slice domain,
		  struct slice selector)
{
	OWNED(sign_key) key = must_alloc(sizeof(*key));
	int r;

	if (!is_name(domain) || !is_name(selector))
		return E_CRYPTO;
	key->domain = must_copy(domain);
	key->selector = must_copy(selector);
	key->pkey = read_pem(pem);
	if (!key->pkey)
		return E_CRYPTO;
	r = prepare(key);
	if (r < 0)
		return r;
	*ret = TAKE(key);
	return 0;
}

enum sign_type sign_key_type(const struct sign_key *key)
{
	return key->type;
}

struct slice sign_key_domain(const struct sign_key *key)
{
	return slice_str(key->domain);
}

struct slice sign_key_selector(const struct sign_key *key)
{
	return slice_str(key->selector);
}

int sign_digest(struct sign_key *key, const uint8_t *digest, uint8_t *out, size_t *ret_n)
{
	size_t n = SIGN_SIGNATURE_MAX;
	int ok;

	if (key->type == SIGN_RSA)
		ok = EVP_PKEY_sign(key->rsa, out, &n, digest, 32);
	else
		ok = EVP_DigestSign(key->eddsa, out, &n, digest, 32);
	if (ok != 1)
		return E_CRYPTO;
	*ret_n = n;
	return 0;
}

static int public_rsa(const struct sign_key *key, struct buf *out)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key->pkey, &der);
	int r;

	if (n <= 0)
		return E_CRYPTO;
	r = buf_append(out, slice_of(der, (size_t)n));
	OPENSSL_free(der);
	return r;
}

int sign_key_public(const struct sign_key *key, struct buf *out)
{
	uint8_t raw[32];
	size_t n = sizeof(raw);

	if (key->type == SIGN_RSA)
		return public_rsa(key, out);
	if (EVP_PKEY_get_raw_public_key(key->pkey, raw, &n) != 1)
		return E_CRYPTO;
	return buf_append(out, slice_of(raw, n));
}

int sign_key_txt(const struct sign_key *key, struct buf *out)
{
	struct buf public;
	int r;

	buf_init(&public, 0);
	r = sign_key_public(key, &public);
	if (r == 0)
		r = buf_printf(out, "v=DKIM1; k=%s; p=", type_tag[key->type]);
	if (r == 0)
		r = base64_encode(out, buf_data(&public));
	buf_free(&public);
	return r;
}

static int write_pem(EVP_PKEY *pkey, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p;
	long n;
	int r = E_CRYPTO;

	if (bio && PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1) {
		n = BIO_get_mem_data(bio, &p);
		r = buf_append(out, slice_of(p, (size_t)n));
	}
	BIO_free(bio);
	return r;
}

int sign_key_generate(enum sign_type type, struct buf *ret_pem, struct buf *ret_txt)
{
	OWNED(sign_key) key = must_alloc(sizeof(*key));
	int r;

	key->pkey =
	    type == SIGN_RSA ? EVP_RSA_gen(RSA_BITS_NEW) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!key->pkey)
		return E_CRYPTO;
	r = prepare(key);
	if (r == 0)
		r = write_pem(key->pkey, ret_pem);
	if (r == 0)
		r = sign_key_txt(key, ret_txt);
	return r;
}
