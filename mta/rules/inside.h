/* mta/rules/inside.h - what the files of this folder share; for them alone. */
#pragma once
#include <pthread.h>

#include "base/list.h"
#include "base/map.h"
#include "mta/rules/rules.h"

struct rules {
	pthread_rwlock_t lock;
	struct map rules, lives;
	unsigned counts[RULE_KINDS][SELECT_KEYS + 1]; /* of the single ones, the last: all */
	_Atomic unsigned keys[RULE_KINDS];
	_Atomic size_t n_lives;
	struct list orders; /* struct force, the latest first */
	unsigned n_orders;
	struct rule_cap *caps; /* all that ever were */
	_Atomic unsigned generation;
};

struct force {
	struct list link;
	struct order order;
	struct rule_cap *cap;
};

/* force.c; the lock is held */
bool force_set(struct rules *r, struct slice key, struct slice value);
void force_free_all(struct rules *r);
/* Adds what the orders of this kind have to *keys. */
void force_keys(const struct rules *r, enum rule_kind kind, unsigned *keys);
/* The order that holds it; NULL: none does. */
const struct force *force_held(const struct rules *r, const struct subject *s);
/* "selector: reason"; text may be NULL. */
void force_say(const struct force *s, char *text);
void force_tell(const struct force *s, struct rule_told *ret);
bool force_ends(const struct rules *r, const struct subject *s, bool *ret_bounce, char *text);
bool force_moves(const struct rules *r, const struct subject *s, char *pool, size_t cap);
