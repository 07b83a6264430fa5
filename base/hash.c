/* base/hash.c - SipHash, FNV-1a and CRC-32C. */
#include "base/hash.h"

#include <pthread.h>

#include "base/random.h"

static uint64_t keys[2];
static pthread_once_t keys_once = PTHREAD_ONCE_INIT;

static void make_keys(void)
{
	random_bytes(keys, sizeof(keys));
}

static inline uint64_t rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

static inline uint64_t load_word(const char *p, size_t n, bool fold)
{
	uint64_t w = 0;

	if (!fold && n == 8) {
		memcpy(&w, p, 8);
		return w;
	}
	for (size_t i = 0; i < n; i++)
		w |= (uint64_t)(unsigned char)(fold ? ascii_lower(p[i]) : p[i]) << (8 * i);
	return w;
}

static inline void sip_word(uint64_t v[4], uint64_t w, int rounds)
{
	v[3] ^= w;
	for (int i = 0; i < rounds; i++)
		sip_round(v);
	v[0] ^= w;
}

/* SipHash-c-d */
static inline uint64_t siphash(const uint64_t key[2], struct slice s, bool fold, int c, int d)
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
			  key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL };
	size_t whole = s.n & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8)
		sip_word(v, load_word(s.p + i, 8, fold), c);
	sip_word(v, (uint64_t)s.n << 56 | load_word(s.p + whole, s.n - whole, fold), c);
	v[2] ^= 0xff;
	for (int i = 0; i < d; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_keyed(struct slice s)
{
	pthread_once(&keys_once, make_keys);
	return siphash(keys, s, false, 1, 3);
}

uint64_t hash_keyed_nocase(struct slice s)
{
	pthread_once(&keys_once, make_keys);
	return siphash(keys, s, true, 1, 3);
}

uint64_t hash_secret(const uint64_t key[2], struct slice s)
{
	return siphash(key, s, false, 2, 4);
}

uint64_t hash_stable(struct slice s)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3ULL;
	return hash_mix(h);
}

static uint32_t crc_table[8][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void make_crc_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
		crc_table[0][i] = c;
	}
	for (int t = 1; t < 8; t++)
		for (uint32_t i = 0; i < 256; i++)
			crc_table[t][i] =
			    crc_table[t - 1][i] >> 8 ^ crc_table[0][crc_table[t - 1][i] & 0xff];
}

static uint32_t crc32c_soft(uint32_t crc, const unsigned char *p, size_t n)
{
	pthread_once(&crc_once, make_crc_table);
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t w;
		memcpy(&w, p, 8); /* little-endian hosts only, as the whole spool format */
		w ^= crc;
		crc = 0;
		for (int t = 0; t < 8; t++)
			crc ^= crc_table[7 - t][w >> (8 * t) & 0xff];
	}
	for (; n > 0; p++, n--)
		crc = crc >> 8 ^ crc_table[0][(crc ^ *p) & 0xff];
	return crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse(uint32_t crc, const unsigned char *p,
							     size_t n)
{
	uint64_t c = crc;

	for (; n >= 8; p += 8, n -= 8) {
		uint64_t w;
		memcpy(&w, p, 8);
		c = _mm_crc32_u64(c, w);
	}
	crc = (uint32_t)c;
	for (; n > 0; p++, n--)
		crc = _mm_crc32_u8(crc, *p);
	return crc;
}
#endif

uint32_t hash_crc32c(uint32_t crc, const void *p, size_t n)
{
	crc = ~crc;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc32c_sse(crc, p, n);
#endif
	return ~crc32c_soft(crc, p, n);
}
