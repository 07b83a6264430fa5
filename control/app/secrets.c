/* control/app/secrets.c - the key file, derivation (HMAC-SHA-256) and sealing (AES-256-GCM). */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/random.h"
#include "control/app/secrets.h"

enum { KEY_LEN = 32, SEALS_MAX = 32, NONCE_LEN = 12, TAG_LEN = 16, FILE_MAX = 16384 };

struct secrets {
	uint8_t root[KEY_LEN];
	struct {
		int id;
		uint8_t key[KEY_LEN];
	} seals[SEALS_MAX];
	unsigned n, newest;
	bool have_root;
};

struct secrets *secrets_free(struct secrets *s)
{
	if (!s)
		return NULL;
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
	return NULL;
}

static struct slice word(struct slice *line)
{
	struct slice text = slice_trim(*line);
	size_t n = 0;

	while (n < text.n && text.p[n] != ' ' && text.p[n] != '\t')
		n++;
	*line = slice_skip(text, n);
	return slice_of(text.p, n);
}

static int read_key(struct slice hex, uint8_t ret[KEY_LEN])
{
	struct buf out = { 0 };
	int r = hex_decode(&out, hex);

	if (r >= 0 && buf_len(&out) != KEY_LEN)
		r = E_SYNTAX;
	if (r >= 0)
		memcpy(ret, buf_data(&out).p, KEY_LEN);
	if (out.p)
		OPENSSL_cleanse(out.p, out.cap);
	buf_free(&out);
	return r;
}

static int read_seal(struct secrets *s, struct slice *line)
{
	uint64_t id;

	if (s->n == SEALS_MAX)
		return E_LIMIT;
	if (slice_u64(word(line), INT32_MAX, &id) < 0 || id == 0)
		return E_SYNTAX;
	for (unsigned i = 0; i < s->n; i++)
		if (s->seals[i].id == (int)id)
			return E_SYNTAX;
	s->seals[s->n].id = (int)id;
	if ((int)id > s->seals[s->newest].id)
		s->newest = s->n;
	return read_key(word(line), s->seals[s->n++].key);
}

static int read_line(struct secrets *s, struct slice line)
{
	struct slice name = word(&line);
	int r;

	if (name.n == 0 || name.p[0] == '#')
		return 0;
	if (slice_eq(name, SLICE("root"))) {
		r = s->have_root ? E_SYNTAX : read_key(word(&line), s->root);
		s->have_root = true;
	} else if (slice_eq(name, SLICE("seal"))) {
		r = read_seal(s, &line);
	} else {
		return E_SYNTAX;
	}
	return r < 0 ? r : word(&line).n ? E_SYNTAX : 0;
}

int secrets_parse(struct secrets **ret, struct slice text)
{
	OWNED(secrets) s = must_alloc(sizeof(*s));

	while (text.n) {
		int r = read_line(s, slice_take(&text, '\n'));

		if (r < 0)
			return r;
	}
	if (!s->have_root || !s->n)
		return E_SYNTAX;
	*ret = TAKE(s);
	return 0;
}

int secrets_read(struct secrets **ret, const char *path)
{
	struct buf text = { 0 };
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return -errno;
	if (st.st_mode & (S_IRWXO | S_IWGRP))
		return E_DENIED;
	r = file_read(path, FILE_MAX, &text);
	if (r >= 0)
		r = secrets_parse(ret, buf_data(&text));
	if (text.p)
		OPENSSL_cleanse(text.p, text.cap);
	buf_free(&text);
	return r;
}

static void put_random_hex(struct buf *out, const char *before)
{
	uint8_t key[KEY_LEN];

	random_bytes(key, sizeof(key));
	buf_put(out, slice_str(before));
	if (hex_encode(out, slice_of((char *)key, KEY_LEN)) < 0)
		abort(); /* out has no cap */
	buf_put(out, SLICE("\n"));
	OPENSSL_cleanse(key, sizeof(key));
}

int secrets_make(const char *path)
{
	struct buf out = { 0 };
	struct stat st;
	int r;

	if (stat(path, &st) == 0)
		return E_EXISTS;
	put_random_hex(&out, "root ");
	put_random_hex(&out, "seal 1 ");
	r = file_write_atomic(path, buf_data(&out), 0600);
	OPENSSL_cleanse(out.p, out.cap);
	buf_free(&out);
	return r;
}

void secrets_mac(const uint8_t key[32], struct slice data, uint8_t ret[MAC_LEN])
{
	unsigned n = MAC_LEN;

	if (!HMAC(EVP_sha256(), key, 32, (const uint8_t *)data.p, data.n, ret, &n))
		abort(); /* only when OpenSSL itself cannot work */
}

void secrets_sha256(struct slice data, uint8_t ret[32])
{
	unsigned n = 32;

	if (!EVP_Digest(data.p, data.n, ret, &n, EVP_sha256(), NULL))
		abort();
}

void secrets_derive(const struct secrets *s, const char *label, uint8_t ret[32])
{
	secrets_mac(s->root, slice_str(label), ret);
}

static int gcm(bool seal, const uint8_t *key, const uint8_t *nonce, struct slice about,
	       struct slice in, uint8_t *out, uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, fine;

	if (!ctx)
		return -ENOMEM;
	fine = EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, seal) &&
	       EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)about.p, (int)about.n) &&
	       EVP_CipherUpdate(ctx, out, &n, (const uint8_t *)in.p, (int)in.n) &&
	       (seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag)) &&
	       EVP_CipherFinal_ex(ctx, out + n, &n) > 0 &&
	       (!seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag));
	EVP_CIPHER_CTX_free(ctx);
	return fine ? 0 : E_CRYPTO;
}

int secrets_seal(const struct secrets *s, struct slice about, struct slice plain, int *ret_id,
		 struct buf *out)
{
	uint8_t *p;
	int r;

	if (plain.n > INT32_MAX / 2)
		return E_LIMIT;
	r = buf_reserve(out, NONCE_LEN + plain.n + TAG_LEN);
	if (r < 0)
		return r;
	p = (uint8_t *)buf_tail(out);
	random_bytes(p, NONCE_LEN);
	r = gcm(true, s->seals[s->newest].key, p, about, plain, p + NONCE_LEN,
		p + NONCE_LEN + plain.n);
	if (r < 0)
		return r;
	buf_grow(out, NONCE_LEN + plain.n + TAG_LEN);
	*ret_id = s->seals[s->newest].id;
	return 0;
}

int secrets_open(const struct secrets *s, int id, struct slice about, struct slice sealed,
		 struct buf *out)
{
	uint8_t tag[TAG_LEN];
	unsigned i = 0;
	int r;

	while (i < s->n && s->seals[i].id != id)
		i++;
	if (i == s->n)
		return E_UNKNOWN;
	if (sealed.n < NONCE_LEN + TAG_LEN || sealed.n > INT32_MAX / 2)
		return E_CRYPTO;
	struct slice body = slice_of(sealed.p + NONCE_LEN, sealed.n - NONCE_LEN - TAG_LEN);
	memcpy(tag, body.p + body.n, TAG_LEN);
	r = buf_reserve(out, body.n + 1);
	if (r < 0)
		return r;
	r = gcm(false, s->seals[i].key, (const uint8_t *)sealed.p, about, body,
		(uint8_t *)buf_tail(out), tag);
	if (r >= 0)
		buf_grow(out, body.n);
	return r;
}
