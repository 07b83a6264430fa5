/* base/hash.h - SipHash-1-3 with a key per process, so that no peer can aim names at one bucket;
 * SipHash-2-4 with a key of the caller's; a stable hash without a key, for what must be the same
 * after a restart; and CRC-32C. */
#pragma once
#include "base/base.h"

uint64_t hash_keyed(struct slice s);        /* differs between processes */
uint64_t hash_keyed_nocase(struct slice s); /* ASCII letters folded; for domains */
/* Whoever does not have the key can neither foresee it nor tell it from chance. */
uint64_t hash_secret(const uint64_t key[2], struct slice s);
uint64_t hash_stable(struct slice s);       /* FNV-1a 64 with a final mix; never changes */
static inline uint64_t hash_mix(uint64_t x) /* for integer keys */
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}
/* CRC-32C (Castagnoli), start with crc = 0; uses the processor's instruction where it has one. */
uint32_t hash_crc32c(uint32_t crc, const void *p, size_t n);
