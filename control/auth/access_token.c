/* control/auth/access_token.c - access tokens as text, and who made them. */
#include "control/auth/access_token.h"

#include "base/encode.h"
#include "control/app/secrets.h"
#include "control/http/ids.h"

enum { NUMBERS = 3, PAYLOAD_BYTES = 8 * NUMBERS, PAYLOAD_LETTERS = 32, MAC_LETTERS = 43 };

static const struct slice prefix = { "mk_token_", 9 };

static void mac_of(const uint8_t key[ACCESS_TOKEN_KEY_LEN], struct slice text,
		   struct slice secret_hash, struct buf *out)
{
	struct buf all = { 0 };
	uint8_t mac[MAC_LEN];

	buf_put(&all, SLICE("access token "));
	buf_put(&all, text);
	buf_put(&all, secret_hash);
	secrets_mac(key, buf_data(&all), mac);
	buf_free(&all);
	if (base64url_encode(out, slice_of((char *)mac, sizeof(mac))) < 0)
		abort(); /* 43 bytes of memory */
}

static int read_payload(struct slice text, struct access_token *t)
{
	uint64_t *const numbers[NUMBERS] = { &t->expires_s, &t->scopes, &t->chance };
	struct buf raw = { 0 };
	int r = base64url_decode(&raw, text);

	if (r >= 0 && buf_len(&raw) != PAYLOAD_BYTES)
		r = E_SYNTAX;
	for (unsigned i = 0; i < PAYLOAD_BYTES && r >= 0; i++)
		*numbers[i / 8] = *numbers[i / 8] << 8 | (uint8_t)buf_data(&raw).p[i];
	buf_free(&raw);
	return r < 0 ? r : 0;
}

int access_token_parse(struct slice text, struct access_token *ret)
{
	struct access_token t = { .signed_text = text };
	uint64_t org;

	if (!slice_strip(&text, prefix) ||
	    text.n != 2 * ID_LETTERS + 1 + PAYLOAD_LETTERS + MAC_LETTERS ||
	    text.p[2 * ID_LETTERS] != '_')
		return E_SYNTAX;
	t.signed_text.n -= MAC_LETTERS;
	t.mac = slice_skip(text, text.n - MAC_LETTERS);
	if (ids_from_letters(ID_ORG, slice_of(text.p, ID_LETTERS), &org) < 0 || org == 0 ||
	    org > INT32_MAX ||
	    ids_from_letters(ID_KEY, slice_of(text.p + ID_LETTERS, ID_LETTERS), &t.key) < 0 ||
	    t.key > INT64_MAX)
		return E_SYNTAX;
	t.org = (uint32_t)org;
	if (read_payload(slice_of(text.p + 2 * ID_LETTERS + 1, PAYLOAD_LETTERS), &t) < 0)
		return E_SYNTAX;
	*ret = t;
	return 0;
}

static void put_payload(struct buf *out, const struct access_token *t)
{
	const uint64_t numbers[NUMBERS] = { t->expires_s, t->scopes, t->chance };
	char raw[PAYLOAD_BYTES];

	for (unsigned i = 0; i < PAYLOAD_BYTES; i++)
		raw[i] = (char)(numbers[i / 8] >> (56 - 8 * (i % 8)));
	if (base64url_encode(out, slice_of(raw, sizeof(raw))) < 0)
		abort();
}

char *access_token_format(const uint8_t key[ACCESS_TOKEN_KEY_LEN], const struct access_token *t,
			  struct slice secret_hash, char *buf)
{
	char org[ID_LETTERS + 1], id[ID_LETTERS + 1];
	struct buf out = { 0 }, mac = { 0 };

	buf_put(&out, prefix);
	buf_put(&out, slice_str(ids_letters(ID_ORG, t->org, org)));
	buf_put(&out, slice_str(ids_letters(ID_KEY, t->key, id)));
	buf_put(&out, SLICE("_"));
	put_payload(&out, t);
	mac_of(key, buf_data(&out), secret_hash, &mac);
	buf_put(&out, buf_data(&mac));
	slice_copy(buf, ACCESS_TOKEN_MAX, buf_data(&out));
	buf_free(&mac);
	buf_free(&out);
	return buf;
}

bool access_token_right(const uint8_t key[ACCESS_TOKEN_KEY_LEN], const struct access_token *t,
			struct slice secret_hash)
{
	struct buf mac = { 0 };
	bool right;

	mac_of(key, t->signed_text, secret_hash, &mac);
	right = secret_hash.n && slice_eq_secret(buf_data(&mac), t->mac);
	buf_free(&mac);
	return right;
}
