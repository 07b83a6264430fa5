/* mta/returnpath/verp.c - tokens to text and back. */
#include "mta/returnpath/verp.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

enum { MAC = 8, FIXED = 1 + 2 + 16 + 2, TENANT = 7, BYTES_MAX = FIXED + TENANT + MAC };
enum { HOST = 255 };
static_assert(2 + (BYTES_MAX * 8 + 4) / 5 <= VERP_LOCAL_MAX, "kind, plus and token fit");

struct verp_key {
	unsigned day;
	EVP_MAC_CTX *mac; /* with the key, and nothing else yet */
};
struct verp_keys {
	struct verp_key key[VERP_KEYS_MAX];
	unsigned n, newest;
	EVP_MAC *hmac;
};

struct verp_keys *verp_keys_new(void)
{
	struct verp_keys *k = must_alloc(sizeof(*k));

	k->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	return k;
}

struct verp_keys *verp_keys_free(struct verp_keys *k)
{
	for (unsigned i = 0; k && i < k->n; i++)
		EVP_MAC_CTX_free(k->key[i].mac);
	if (k)
		EVP_MAC_free(k->hmac);
	free(k);
	return NULL;
}

static const struct verp_key *key_of(const struct verp_keys *k, uint8_t id)
{
	for (unsigned i = 0; i < k->n; i++)
		if ((k->key[i].day & 0xff) == id)
			return &k->key[i];
	return NULL;
}

int verp_keys_add(struct verp_keys *k, unsigned day, const uint8_t secret[VERP_KEY_BYTES])
{
	char sha256[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *mac;

	if (k->n == VERP_KEYS_MAX)
		return E_LIMIT;
	if (key_of(k, day & 0xff))
		return E_EXISTS;
	mac = k->hmac ? EVP_MAC_CTX_new(k->hmac) : NULL;
	if (!mac || !EVP_MAC_init(mac, secret, VERP_KEY_BYTES, params)) {
		EVP_MAC_CTX_free(mac);
		return E_CRYPTO;
	}
	if (!k->n || day > k->key[k->newest].day)
		k->newest = k->n;
	k->key[k->n++] = (struct verp_key){ day, mac };
	return 0;
}

int verp_keys_newest(const struct verp_keys *k)
{
	return k->n ? (int)k->key[k->newest].day : -1;
}

bool verp_keys_same(const struct verp_keys *a, const struct verp_keys *b)
{
	unsigned same = 0;

	for (unsigned i = 0; i < a->n; i++) {
		const struct verp_key *k = key_of(b, a->key[i].day & 0xff);
		same += k && k->day == a->key[i].day;
	}
	return same == a->n && a->n == b->n;
}

/* What the MAC covers: kind, host, 0, then the token's own bytes. */
static int mac_of(const struct verp_key *key, char kind, struct slice host, const uint8_t *p,
		  size_t n, uint8_t ret[MAC])
{
	uint8_t in[1 + HOST + 1 + BYTES_MAX], whole[EVP_MAX_MD_SIZE];
	size_t at = 0, whole_n = 0;
	EVP_MAC_CTX *mac;
	bool done;

	if (host.n > HOST)
		return E_DENIED;
	in[at++] = (uint8_t)kind;
	for (size_t i = 0; i < host.n; i++)
		in[at++] = (uint8_t)ascii_lower(host.p[i]);
	in[at++] = 0;
	memcpy(in + at, p, n);
	at += n;
	mac = EVP_MAC_CTX_dup(key->mac);
	done = mac && EVP_MAC_update(mac, in, at) &&
	       EVP_MAC_final(mac, whole, &whole_n, sizeof(whole)) && whole_n >= MAC;
	EVP_MAC_CTX_free(mac);
	if (!done)
		return E_CRYPTO;
	memcpy(ret, whole, MAC);
	return 0;
}

static uint8_t *put_be(uint8_t *p, uint64_t v, unsigned n)
{
	while (n--)
		*p++ = (uint8_t)(v >> 8 * n);
	return p;
}

static uint64_t get_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static unsigned tenant_bytes(uint64_t tenant)
{
	unsigned n = 0;

	for (; tenant; tenant >>= 8)
		n++;
	return n > TENANT ? 0 : n;
}

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

static size_t base32_put(const uint8_t *p, size_t n, char *out)
{
	size_t at = 0;
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 5; have -= 5)
			out[at++] = digits[bits >> (have - 5) & 31];
	}
	if (have)
		out[at++] = digits[bits << (5 - have) & 31];
	return at;
}

static int base32_value(char c)
{
	c = ascii_lower(c);
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

/* The number of bytes, or E_DENIED; bits behind the last byte must be zero, and too few for another
 * character. */
static int base32_get(struct slice s, uint8_t out[BYTES_MAX])
{
	unsigned bits = 0, have = 0;
	int n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int v = base32_value(s.p[i]);
		if (v < 0)
			return E_DENIED;
		bits = bits << 5 | (unsigned)v;
		have += 5;
		if (have < 8)
			continue;
		have -= 8;
		if (n == BYTES_MAX)
			return E_DENIED;
		out[n++] = (uint8_t)(bits >> have);
	}
	return have >= 5 || (bits & ((1U << have) - 1)) ? E_DENIED : n;
}

size_t verp_write(const struct verp_keys *k, const struct verp *t, struct slice host,
		  char ret[VERP_LOCAL_MAX])
{
	const struct verp_key *key = &k->key[k->newest];
	uint8_t bytes[BYTES_MAX], *p = bytes;
	unsigned tenant = tenant_bytes(t->tenant);

	if (!k->n)
		return 0;
	p = put_be(p, key->day & 0xff, 1);
	p = put_be(p, t->last_day, 2);
	p = put_be(p, t->job.hi, 8);
	p = put_be(p, t->job.lo, 8);
	p = put_be(p, t->row, 2);
	p = put_be(p, t->tenant, tenant);
	if (mac_of(key, (char)t->kind, host, bytes, (size_t)(p - bytes), p) < 0)
		return 0;
	ret[0] = (char)t->kind;
	ret[1] = '+';
	return 2 + base32_put(bytes, (size_t)(p - bytes) + MAC, ret + 2);
}

static bool kind_of(struct slice local, enum verp_kind *ret)
{
	char c = local.n > 2 && local.n <= VERP_LOCAL_MAX && local.p[1] == '+'
		     ? ascii_lower(local.p[0])
		     : '\0';

	*ret = (enum verp_kind)c;
	return c == VERP_BOUNCE || c == VERP_UNSUBSCRIBE;
}

int verp_read(const struct verp_keys *k, struct slice local, struct slice host, unsigned today,
	      struct verp *ret)
{
	uint8_t bytes[BYTES_MAX], mac[MAC];
	const struct verp_key *key;
	enum verp_kind kind;
	struct verp t;
	int n;

	if (!kind_of(local, &kind))
		return E_DENIED;
	n = base32_get(slice_skip(local, 2), bytes);
	if (n < FIXED + MAC)
		return E_DENIED;
	key = key_of(k, bytes[0]);
	if (!key || mac_of(key, (char)kind, host, bytes, (size_t)n - MAC, mac) < 0 ||
	    CRYPTO_memcmp(mac, bytes + n - MAC, MAC) != 0)
		return E_DENIED;
	t = (struct verp){
		.kind = kind,
		.last_day = (uint16_t)get_be(bytes + 1, 2),
		.job = { get_be(bytes + 3, 8), get_be(bytes + 11, 8) },
		.row = (uint16_t)get_be(bytes + 19, 2),
		.tenant = get_be(bytes + FIXED, (size_t)n - FIXED - MAC),
	};
	if (t.last_day < today)
		return E_DENIED;
	*ret = t;
	return 0;
}
