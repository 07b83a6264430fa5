/* spool/keys_seen.c - two open tables: when the young one is full, it becomes the old one. */
#include "spool/keys_seen.h"

static bool half_has(const struct keys_seen_half *h, uint64_t key)
{
	if (!h->at)
		return false;
	for (uint32_t i = (uint32_t)key & h->mask; h->at[i]; i = (i + 1) & h->mask)
		if (h->at[i] == key)
			return true;
	return false;
}

static void half_put(struct keys_seen_half *h, uint64_t key)
{
	uint32_t i = (uint32_t)key & h->mask;

	while (h->at[i])
		i = (i + 1) & h->mask;
	h->at[i] = key;
	h->n++;
}

static void half_grow(struct keys_seen_half *h)
{
	struct keys_seen_half more = { .mask = h->at ? h->mask * 2 + 1 : 63 };

	more.at = must_alloc((more.mask + (size_t)1) * sizeof(*more.at));
	for (uint32_t i = 0; h->at && i <= h->mask; i++)
		if (h->at[i])
			half_put(&more, h->at[i]);
	free(h->at);
	*h = more;
}

void keys_seen_free(struct keys_seen *k)
{
	free(k->young.at);
	free(k->old.at);
	memset(k, 0, sizeof(*k));
}

bool keys_seen_has(const struct keys_seen *k, uint64_t key)
{
	return key && (half_has(&k->young, key) || half_has(&k->old, key));
}

void keys_seen_add(struct keys_seen *k, uint64_t key)
{
	if (!key || half_has(&k->young, key))
		return;
	if (k->young.n == KEYS_SEEN_MAX) {
		free(k->old.at);
		k->old = k->young;
		k->young = (struct keys_seen_half){ NULL, 0, 0 };
	}
	if (!k->young.at || k->young.n >= k->young.mask / 2)
		half_grow(&k->young);
	half_put(&k->young, key);
}

static uint32_t half_list(const struct keys_seen_half *h, uint32_t max, uint64_t *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; h->at && i <= h->mask && n < max; i++) {
		if (!h->at[i])
			continue;
		if (p)
			p[n] = h->at[i];
		n++;
	}
	return n;
}

uint32_t keys_seen_list(const struct keys_seen *k, uint32_t max, uint64_t *p)
{
	uint32_t n;

	if (!p)
		return MIN_OF(k->young.n + k->old.n, max);
	n = half_list(&k->young, max, p);
	return n + half_list(&k->old, max - n, p + n);
}
