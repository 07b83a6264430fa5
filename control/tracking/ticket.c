/* control/tracking/ticket.c - HMAC-SHA-256 and a ChaCha20 mask, by libsodium. */
#include "control/tracking/ticket.h"

#include <endian.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/encode.h"

enum {
	VERSION_OLD = 1,
	VERSION = 2,
	HEAD = 2, /* version, key */
	NUMBERS = 16,
	PAYLOAD_MAX = NUMBERS + MAILBOX_MAX,
	MAC = 16,
	RAW_MAX = HEAD + PAYLOAD_MAX + MAC
};
_Static_assert(TICKET_TEXT_MAX > (RAW_MAX * 4 + 2) / 3, "the longest ticket and its NUL");

int ticket_key_init(struct ticket_key *key, uint8_t id, struct slice secret)
{
	static const char *const uses[] = { "postern token mac", "postern token mask" };
	uint8_t *const into[] = { key->mac, key->mask };

	if (secret.n < TICKET_SECRET_MIN)
		return E_LIMIT;
	key->id = id;
	for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
		crypto_auth_hmacsha256_state st;

		crypto_auth_hmacsha256_init(&st, (const uint8_t *)secret.p, secret.n);
		crypto_auth_hmacsha256_update(&st, (const uint8_t *)uses[i], strlen(uses[i]));
		crypto_auth_hmacsha256_final(&st, into[i]);
	}
	return 0;
}

int ticket_key_load(const struct app *app, struct ticket_key *ret)
{
	uint8_t secret[32];

	secrets_derive(app->secrets, "links in mail", secret);
	return ticket_key_init(ret, 1, slice_of(secret, sizeof(secret)));
}

static void make_mac(const struct ticket_key *key, uint8_t version, const uint8_t *payload,
		     size_t n, uint8_t mac[MAC])
{
	const uint8_t head[HEAD] = { version, key->id };
	uint8_t whole[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, key->mac, sizeof(key->mac));
	crypto_auth_hmacsha256_update(&st, head, sizeof(head));
	crypto_auth_hmacsha256_update(&st, payload, n);
	crypto_auth_hmacsha256_final(&st, whole);
	memcpy(mac, whole, MAC);
}

static void mask(const struct ticket_key *key, const uint8_t mac[MAC], const uint8_t *in, size_t n,
		 uint8_t *out)
{
	crypto_stream_chacha20_xor(out, in, n, mac, key->mask);
}

static size_t subject_pack(const struct ticket_subject *s, uint8_t out[PAYLOAD_MAX])
{
	uint32_t org = htobe32(s->org), seq = htobe32(s->seq);
	uint64_t campaign = htobe64(s->campaign);
	size_t n = strnlen(s->address, MAILBOX_MAX);

	memcpy(out, &org, 4);
	memcpy(out + 4, &campaign, 8);
	memcpy(out + 12, &seq, 4);
	memcpy(out + NUMBERS, s->address, n);
	return NUMBERS + n;
}

static void subject_unpack(const uint8_t *in, size_t size, struct ticket_subject *ret)
{
	uint32_t org, seq;
	uint64_t campaign;

	memcpy(&org, in, 4);
	memcpy(&campaign, in + 4, 8);
	memcpy(&seq, in + 12, 4);
	*ret = (struct ticket_subject){ be32toh(org), be64toh(campaign), be32toh(seq), "" };
	memcpy(ret->address, in + NUMBERS, size - NUMBERS);
}

char *ticket_make(const struct ticket_key *key, const struct ticket_subject *subject, char *buf)
{
	uint8_t payload[PAYLOAD_MAX], raw[RAW_MAX], *mac;
	size_t n = subject_pack(subject, payload);

	raw[0] = n > NUMBERS ? VERSION : VERSION_OLD;
	raw[1] = key->id;
	mac = raw + HEAD + n;
	make_mac(key, raw[0], payload, n, mac);
	mask(key, mac, payload, n, raw + HEAD);
	return sodium_bin2base64(buf, TICKET_TEXT_MAX, raw, HEAD + n + MAC,
				 sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* Not libsodium's decoder: it takes some bytes above 127 for letters, so that a ticket would have
 * more than one spelling.  *ret_n is the size of the payload. */
static int unpack(struct slice text, uint8_t raw[RAW_MAX], size_t *ret_n)
{
	struct buf bytes;
	int r = E_SYNTAX;

	buf_init(&bytes, TICKET_TEXT_MAX);
	if (text.n < TICKET_TEXT_MAX)
		r = base64url_decode(&bytes, text);
	if (r >= 0 && (buf_len(&bytes) < HEAD + NUMBERS + MAC || buf_len(&bytes) > RAW_MAX))
		r = E_SYNTAX;
	if (r >= 0) {
		memcpy(raw, buf_data(&bytes).p, buf_len(&bytes));
		*ret_n = buf_len(&bytes) - HEAD - MAC;
	}
	buf_free(&bytes);
	return r;
}

int ticket_open(const struct ticket_key *key, struct slice text, struct ticket_subject *ret)
{
	uint8_t raw[RAW_MAX], payload[PAYLOAD_MAX], mac[MAC];
	size_t n = 0;

	if (unpack(text, raw, &n) < 0 || raw[0] != (n > NUMBERS ? VERSION : VERSION_OLD))
		return E_SYNTAX;
	if (raw[1] != key->id)
		return E_DENIED;
	mask(key, raw + HEAD + n, raw + HEAD, n, payload);
	make_mac(key, raw[0], payload, n, mac);
	if (sodium_memcmp(mac, raw + HEAD + n, MAC) != 0)
		return E_DENIED;
	subject_unpack(payload, n, ret);
	return 0;
}
