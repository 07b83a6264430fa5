/* control/http/page_cursor.c - sealed with XChaCha20-Poly1305, so that nobody else can read the
 * row numbers and addresses inside.  The nonce is the MAC of what is sealed, so that one place has
 * one cursor. */
#include <sodium.h>

#include "base/encode.h"
#include "control/app/secrets.h"
#include "control/http/page_cursor.h"

enum {
	ID_BYTES = 8,
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	PLAIN_MAX = ID_BYTES + CURSOR_TEXT_MAX,
	RAW_MAX = NONCE + PLAIN_MAX + TAG,
	ENCODED_MAX = (RAW_MAX + 2) / 3 * 4,
};

static void make_nonce(const uint8_t key[32], struct slice about, struct slice plain,
		       uint8_t ret[NONCE])
{
	uint8_t mac[MAC_LEN];
	struct buf all = { 0 };

	buf_putf(&all, "%zu\n", about.n); /* so that the seam cannot move */
	buf_put(&all, about);
	buf_put(&all, plain);
	secrets_mac(key, buf_data(&all), mac);
	memcpy(ret, mac, NONCE);
	buf_free(&all);
}

int page_cursor_write(const uint8_t key[32], struct slice about, int64_t id, struct slice text,
		      struct buf *out)
{
	uint8_t plain[PLAIN_MAX], raw[RAW_MAX];
	unsigned long long n = 0;

	text.n = MIN_OF(text.n, (size_t)CURSOR_TEXT_MAX);
	for (int i = 0; i < ID_BYTES; i++)
		plain[i] = (uint8_t)((uint64_t)id >> (56 - 8 * i));
	if (text.n)
		memcpy(plain + ID_BYTES, text.p, text.n);
	make_nonce(key, about, slice_of(plain, ID_BYTES + text.n), raw);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(raw + NONCE, &n, plain, ID_BYTES + text.n,
							 (const uint8_t *)about.p, about.n, NULL,
							 raw, key);
	return base64url_encode(out, slice_of(raw, NONCE + n));
}

static int open_raw(const uint8_t key[32], struct slice about, struct slice raw, uint8_t *plain,
		    unsigned long long *ret_n)
{
	const uint8_t *p = (const uint8_t *)raw.p;

	if (raw.n < NONCE + ID_BYTES + TAG || raw.n > RAW_MAX)
		return E_SYNTAX;
	return crypto_aead_xchacha20poly1305_ietf_decrypt(plain, ret_n, NULL, p + NONCE,
							  raw.n - NONCE, (const uint8_t *)about.p,
							  about.n, p, key)
		   ? E_SYNTAX
		   : 0;
}

int page_cursor_read(const uint8_t key[32], struct slice about, struct slice cursor,
		     int64_t *ret_id, char *text, size_t text_size, size_t *ret_n)
{
	struct buf raw = { 0 };
	uint8_t plain[PLAIN_MAX];
	unsigned long long n = 0;
	uint64_t id = 0;
	int r = cursor.n > ENCODED_MAX ? E_SYNTAX : base64url_decode(&raw, cursor);

	if (r >= 0)
		r = open_raw(key, about, buf_data(&raw), plain, &n);
	buf_free(&raw);
	if (r < 0)
		return r;
	for (int i = 0; i < ID_BYTES; i++)
		id = id << 8 | plain[i];
	*ret_id = (int64_t)id;
	*ret_n = slice_copy(text, text_size, slice_of(plain + ID_BYTES, (size_t)n - ID_BYTES));
	return 0;
}
