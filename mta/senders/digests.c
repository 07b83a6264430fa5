/* mta/senders/digests.c - open addressing with linear probing; a removal closes the gap. */
#include "mta/senders/digests.h"

#include "base/hash.h"
#include "schema/wire/facts.h"

enum { SMALLEST = 64, LOAD_PERCENT = 80 };

void digests_free(struct digests *d)
{
	free(d->at);
	*d = (struct digests){ 0 };
}

static bool is_empty(const uint8_t *slot)
{
	static const uint8_t zero[DIGEST_SIZE];

	return memcmp(slot, zero, DIGEST_SIZE) == 0;
}

static size_t home_of(const struct digests *d, const uint8_t *digest)
{
	uint64_t h = hash_keyed(slice_of(digest, DIGEST_SIZE));

	return (size_t)((__extension__(unsigned __int128) h * d->cap) >> 64);
}

static size_t after(const struct digests *d, size_t i)
{
	return i + 1 == d->cap ? 0 : i + 1;
}

/* Where it is, or the empty slot where it would be put. */
static size_t slot_of(const struct digests *d, const uint8_t *digest)
{
	size_t i = home_of(d, digest);

	while (!is_empty(d->at[i]) && memcmp(d->at[i], digest, DIGEST_SIZE) != 0)
		i = after(d, i);
	return i;
}

bool digests_has(const struct digests *d, const uint8_t *digest)
{
	return d->n && !is_empty(d->at[slot_of(d, digest)]);
}

static int resize(struct digests *d, size_t cap)
{
	struct digests bigger = { .at = calloc(cap, DIGEST_SIZE), .cap = cap, .wanted = d->wanted };
	const uint8_t *digest;
	size_t pos = 0;

	if (!bigger.at)
		return -ENOMEM;
	while ((digest = digests_next(d, &pos)))
		(void)digests_add(&bigger, digest);
	free(d->at);
	*d = bigger;
	return 0;
}

int digests_reserve(struct digests *d, size_t more)
{
	size_t want = (d->n + more) * 100 / LOAD_PERCENT + 1;

	if (want <= d->cap)
		return 0;
	if (d->cap) /* it grows: not again soon */
		want = MAX_OF(want, d->cap + d->cap / 2);
	return resize(d, MAX_OF(want, (size_t)SMALLEST));
}

bool digests_add(struct digests *d, const uint8_t *digest)
{
	size_t i = slot_of(d, digest);

	if (!is_empty(d->at[i]))
		return false;
	assert(d->n + 1 < d->cap);
	memcpy(d->at[i], digest, DIGEST_SIZE);
	d->n++;
	d->sum ^= wire_fact_sum(digest);
	return true;
}

/* Is `home` in (hole, i], going round?  Then what lies at i must stay there. */
static bool between(size_t hole, size_t home, size_t i)
{
	return hole <= i ? hole < home && home <= i : hole < home || home <= i;
}

bool digests_remove(struct digests *d, const uint8_t *digest)
{
	size_t hole, i;

	if (!digests_has(d, digest))
		return false;
	hole = slot_of(d, digest);
	d->sum ^= wire_fact_sum(digest);
	d->n--;
	for (i = after(d, hole); !is_empty(d->at[i]); i = after(d, i)) {
		if (between(hole, home_of(d, d->at[i]), i))
			continue;
		memcpy(d->at[hole], d->at[i], DIGEST_SIZE);
		hole = i;
	}
	memset(d->at[hole], 0, DIGEST_SIZE);
	return true;
}

const uint8_t *digests_next(const struct digests *d, size_t *pos)
{
	while (*pos < d->cap) {
		const uint8_t *slot = d->at[(*pos)++];
		if (!is_empty(slot))
			return slot;
	}
	return NULL;
}
