/* Tokens of return paths.  Laws:
 *	what is read is exactly what would be written for it, apart from case;
 *	what is written from arbitrary facts is read as the same facts, whatever its case;
 *	with one bit of it changed it is refused. */
#include "mta/returnpath/verp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TODAY = 20500 };

static struct verp_keys *keys(void)
{
	static struct verp_keys *k;
	static const uint8_t secret[VERP_KEY_BYTES] = "a key of thirty-two bytes, whole";

	if (!k) {
		k = verp_keys_new();
		assert(verp_keys_add(k, TODAY, secret) == 0);
	}
	return k;
}

static void read_bytes(struct slice local, struct slice host)
{
	char again[VERP_LOCAL_MAX];
	struct verp t;

	if (verp_read(keys(), local, host, TODAY, &t) < 0)
		return;
	assert(slice_eq_nocase(slice_of(again, verp_write(keys(), &t, host, again)), local));
}

static void write_facts(const uint8_t *data, struct slice host)
{
	struct verp t = { .kind = data[0] & 1 ? VERP_BOUNCE : VERP_UNSUBSCRIBE }, got;
	char local[VERP_LOCAL_MAX];
	uint64_t n[4];
	size_t length;

	memcpy(n, data, sizeof(n));
	t.job = (struct id128){ n[0], n[1] };
	t.row = (uint16_t)n[2];
	t.last_day = (uint16_t)(TODAY + (n[2] >> 16) % 300);
	t.tenant = n[3] >> (data[1] & 63);
	length = verp_write(keys(), &t, host, local);
	assert(length > 2 && length <= VERP_LOCAL_MAX);
	if (data[2] & 1)
		for (size_t i = 0; i < length; i++)
			if (local[i] >= 'a' && local[i] <= 'z' && data[i % 32] & 2)
				local[i] = (char)(local[i] - 32);
	assert(verp_read(keys(), slice_of(local, length), host, TODAY, &got) == 0);
	assert(got.kind == t.kind && id_eq(got.job, t.job) && got.row == t.row &&
	       got.last_day == t.last_day && (got.tenant == t.tenant || t.tenant >> 56));
	local[data[3] % length] ^= (char)(1 << data[4] % 5);
	assert(verp_read(keys(), slice_of(local, length), host, TODAY, &got) == E_DENIED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t host = size > 40 ? MIN_OF(size - 40, (size_t)255) : 0;

	if (size >= 32)
		write_facts(data, slice_of(data + size - host, host));
	read_bytes(slice_of(data, size), SLICE("r.example"));
	return 0;
}
