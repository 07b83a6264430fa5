/* mta/deliver/keys.c - key folders read, kept, and read again. */
#include "mta/deliver/keys.h"

#include "base/hash.h"
#include "base/log.h"

enum { KEYS_LOOK_MS = 60 * 1000, KEYS_NONE_LOOK_MS = 5 * 1000 };

void keyrings_init(struct keyrings *all)
{
	map_init(&all->map);
}

static void keyring_clear(struct keyring *k)
{
	for (unsigned i = 0; i < k->n; i++)
		k->keys[i] = sign_key_free(k->keys[i]);
	k->n = 0;
}

static struct keyring *keyring_find(struct keyrings *all, struct slice domain)
{
	for (struct map_link *l = map_find(&all->map, hash_keyed_nocase(domain)); l;
	     l = map_find_next(l)) {
		struct keyring *k = container_of(l, struct keyring, link);
		if (slice_eq_nocase(slice_str(k->domain), domain))
			return k;
	}
	return NULL;
}

static uint64_t keyring_print(const struct keyring *k)
{
	uint64_t print;
	struct buf txt;

	buf_init(&txt, 0);
	for (unsigned i = 0; i < k->n; i++) {
		buf_put(&txt, sign_key_selector(k->keys[i]));
		buf_put(&txt, SLICE("\n"));
		if (sign_key_txt(k->keys[i], &txt) < 0)
			buf_put(&txt, SLICE("?"));
	}
	print = hash_stable(buf_data(&txt));
	buf_free(&txt);
	return print;
}

static void keyring_load(struct keyring *k, const char *dir, struct slice domain)
{
	uint64_t print;

	keyring_clear(k);
	k->err = keydir_load(dir, domain, k->keys, KEYDIR_KEYS_MAX, &k->n);
	if (k->err < 0)
		k->n = 0;
	if (k->err < 0 && k->err != E_SYNTAX)
		log_warn("sign.keys-unusable", kv_slice("domain", domain),
			 kv_str("reason", keydir_reason(k->err)));
	print = keyring_print(k);
	k->judged = k->judged && print == k->print;
	k->print = print;
}

struct keyring *keyrings_get(struct keyrings *all, const char *dir, struct slice domain,
			     int64_t now_ms)
{
	struct keyring *k = keyring_find(all, domain);

	if (k && now_ms < k->look_again_ms)
		return k;
	if (!k) {
		k = must_alloc(sizeof(*k));
		slice_copy(k->domain, sizeof(k->domain), domain);
		map_insert(&all->map, &k->link, hash_keyed_nocase(domain));
	}
	keyring_load(k, dir, domain);
	k->look_again_ms = now_ms + (k->n ? KEYS_LOOK_MS : KEYS_NONE_LOOK_MS);
	return k;
}

/* The domain's keys may sign for those below it. */
static bool is_or_below(struct slice domain, struct slice of)
{
	if (domain.n <= of.n)
		return slice_eq_nocase(domain, of);
	return domain.p[domain.n - of.n - 1] == '.' &&
	       slice_eq_nocase(slice_skip(domain, domain.n - of.n), of);
}

void keyrings_forget(struct keyrings *all, struct slice domain)
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&all->map, &pos, NULL); l; l = map_next(&all->map, &pos, l)) {
		struct keyring *k = container_of(l, struct keyring, link);
		if (!domain.n || is_or_below(slice_str(k->domain), domain))
			k->look_again_ms = k->above_look_ms = 0;
	}
}

void keyrings_end(struct keyrings *all)
{
	struct map_link *m;

	while ((m = map_any(&all->map)) != NULL) {
		map_remove(&all->map, m);
		keyring_clear(container_of(m, struct keyring, link));
		free(container_of(m, struct keyring, link));
	}
	map_free(&all->map);
}
