/* control/http/ids.c - a Feistel network of eight rounds over SipHash-2-4, then base32 (RFC 4648's
 * letters, lower case, without padding). */
#include <sodium.h>
#include <stdio.h>

#include "base/random.h"
#include "control/http/ids.h"

enum { ROUNDS = 8 };

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

static const char *const prefixes[ID_KINDS] = {
	"org", "usr", "ses", "key", "dom",  "ct",  "fld", "lst", "tag", "imp", "tpl", "cmp",
	"msg", "sup", "aud", "tok", "smtp", "dmr", "tlr", "srt", "idp", "idn", "ret",
};

static uint8_t instance_key[IDS_KEY_LEN];
_Static_assert(IDS_KEY_LEN == crypto_shorthash_KEYBYTES, "SipHash takes 16 bytes");

void ids_init(const uint8_t key[IDS_KEY_LEN])
{
	memcpy(instance_key, key, IDS_KEY_LEN);
}

static uint32_t round_of(unsigned kind, unsigned i, uint32_t half)
{
	uint8_t in[6] = { (uint8_t)kind, (uint8_t)i };
	uint8_t out[crypto_shorthash_BYTES];
	uint32_t v;

	memcpy(in + 2, &half, sizeof(half));
	crypto_shorthash(out, in, sizeof(in), instance_key);
	memcpy(&v, out, sizeof(v));
	return v;
}

static uint64_t permute(unsigned kind, uint64_t x)
{
	uint32_t left = (uint32_t)(x >> 32), right = (uint32_t)x, next;

	for (unsigned i = 0; i < ROUNDS; i++) {
		next = left ^ round_of(kind, i, right);
		left = right;
		right = next;
	}
	return (uint64_t)left << 32 | right;
}

static uint64_t permute_back(unsigned kind, uint64_t x)
{
	uint32_t left = (uint32_t)(x >> 32), right = (uint32_t)x, before;

	for (unsigned i = ROUNDS; i-- > 0;) {
		before = right ^ round_of(kind, i, left);
		right = left;
		left = before;
	}
	return (uint64_t)left << 32 | right;
}

void ids_random(char *buf, size_t n)
{
	random_bytes(buf, n);
	for (size_t i = 0; i < n; i++)
		buf[i] = letters[buf[i] & 31];
	buf[n] = '\0';
}

char *ids_letters(enum id_kind kind, uint64_t number, char *buf)
{
	uint64_t x = permute(kind, number);

	for (int i = ID_LETTERS - 1; i >= 0; i--, x >>= 5)
		buf[i] = letters[x & 31];
	buf[ID_LETTERS] = '\0';
	return buf;
}

int ids_from_letters(enum id_kind kind, struct slice s, uint64_t *ret)
{
	uint64_t x = 0;
	const char *at;

	if (s.n != ID_LETTERS)
		return E_UNKNOWN;
	for (size_t i = 0; i < s.n; i++) {
		at = s.p[i] ? strchr(letters, s.p[i]) : NULL;
		/* The first letter carries the top 4 of 65 bits: larger ones are not canonical. */
		if (!at || (i == 0 && at - letters > 15))
			return E_UNKNOWN;
		x = x << 5 | (uint64_t)(at - letters);
	}
	*ret = permute_back(kind, x);
	return 0;
}

char *ids_out(enum id_kind kind, uint64_t number, char *buf)
{
	char tail[ID_LETTERS + 1];

	(void)snprintf(buf, ID_OUT_MAX, "%s_%s", prefixes[kind], ids_letters(kind, number, tail));
	return buf;
}

int ids_in(enum id_kind kind, struct slice text, uint64_t *ret)
{
	if (!slice_strip(&text, slice_str(prefixes[kind])) || !slice_strip(&text, SLICE("_")))
		return E_UNKNOWN;
	return ids_from_letters(kind, text, ret);
}
