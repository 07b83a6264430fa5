/* control/tracking/ticket.c - HMAC-SHA-256 and a ChaCha20 mask, by libsodium. */
#include "control/tracking/ticket.h"

#include <endian.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/encode.h"

enum { VERSION = 1, PAYLOAD = 16, MAC = 16 };

struct packed_ticket {
	uint8_t version, key;
	uint8_t sealed[PAYLOAD];
	uint8_t mac[MAC];
};
_Static_assert(sizeof(struct packed_ticket) == 34, "bytes without gaps");

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

static void make_mac(const struct ticket_key *key, const uint8_t payload[PAYLOAD], uint8_t mac[MAC])
{
	const uint8_t head[2] = { VERSION, key->id };
	uint8_t whole[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, key->mac, sizeof(key->mac));
	crypto_auth_hmacsha256_update(&st, head, sizeof(head));
	crypto_auth_hmacsha256_update(&st, payload, PAYLOAD);
	crypto_auth_hmacsha256_final(&st, whole);
	memcpy(mac, whole, MAC);
}

static void mask(const struct ticket_key *key, const struct packed_ticket *t, const uint8_t *in,
		 uint8_t *out)
{
	crypto_stream_chacha20_xor(out, in, PAYLOAD, t->mac, key->mask);
}

static void subject_pack(const struct ticket_subject *s, uint8_t out[PAYLOAD])
{
	uint32_t org = htobe32(s->org), seq = htobe32(s->seq);
	uint64_t campaign = htobe64(s->campaign);

	memcpy(out, &org, 4);
	memcpy(out + 4, &campaign, 8);
	memcpy(out + 12, &seq, 4);
}

static void subject_unpack(const uint8_t in[PAYLOAD], struct ticket_subject *ret)
{
	uint32_t org, seq;
	uint64_t campaign;

	memcpy(&org, in, 4);
	memcpy(&campaign, in + 4, 8);
	memcpy(&seq, in + 12, 4);
	*ret = (struct ticket_subject){ be32toh(org), be64toh(campaign), be32toh(seq) };
}

char *ticket_make(const struct ticket_key *key, const struct ticket_subject *subject, char *buf)
{
	struct packed_ticket t = { .version = VERSION, .key = key->id };
	uint8_t payload[PAYLOAD];

	subject_pack(subject, payload);
	make_mac(key, payload, t.mac);
	mask(key, &t, payload, t.sealed);
	return sodium_bin2base64(buf, TICKET_TEXT_MAX, (const uint8_t *)&t, sizeof(t),
				 sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* Not libsodium's decoder: it takes some bytes above 127 for letters, so that a ticket would have
 * more than one spelling. */
static int unpack(struct slice text, struct packed_ticket *ret)
{
	struct buf raw;
	int r = E_SYNTAX;

	buf_init(&raw, TICKET_TEXT_MAX);
	if (text.n < TICKET_TEXT_MAX)
		r = base64url_decode(&raw, text);
	if (r >= 0 && buf_len(&raw) != sizeof(*ret))
		r = E_SYNTAX;
	if (r >= 0)
		memcpy(ret, buf_data(&raw).p, sizeof(*ret));
	buf_free(&raw);
	return r;
}

int ticket_open(const struct ticket_key *key, struct slice text, struct ticket_subject *ret)
{
	struct packed_ticket t;
	uint8_t payload[PAYLOAD], mac[MAC];

	if (unpack(text, &t) < 0 || t.version != VERSION)
		return E_SYNTAX;
	if (t.key != key->id)
		return E_DENIED;
	mask(key, &t, t.sealed, payload);
	make_mac(key, payload, mac);
	if (sodium_memcmp(mac, t.mac, MAC) != 0)
		return E_DENIED;
	subject_unpack(payload, ret);
	return 0;
}
