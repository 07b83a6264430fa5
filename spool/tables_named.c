/* spool/tables_named.c - the tables whose keys are names: rules and consumers. */
#include "base/hash.h"
#include "spool/tables.h"

struct kept_rule *kept_rule_find(const struct tables *t, struct slice key)
{
	struct map_link *l = map_find(&t->rules, hash_keyed(key));

	for (; l; l = map_find_next(l)) {
		struct kept_rule *rule = container_of(l, struct kept_rule, link);
		if (slice_eq(slice_of(rule->bytes, rule->key_len), key))
			return rule;
	}
	return NULL;
}

struct kept_rule *kept_rule_set(struct tables *t, struct slice key, struct slice value)
{
	struct kept_rule *rule = must_alloc(sizeof(*rule) + key.n + value.n);

	list_init(&rule->seg);
	rule->key_len = (uint32_t)key.n;
	rule->value_len = (uint32_t)value.n;
	memcpy(rule->bytes, key.p, key.n);
	memcpy(rule->bytes + key.n, value.p, value.n);
	map_insert(&t->rules, &rule->link, hash_keyed(key));
	return rule;
}

void kept_rule_drop(struct tables *t, struct kept_rule *rule)
{
	map_remove(&t->rules, &rule->link);
	list_remove(&rule->seg);
	free(rule);
}

struct kept_consumer *kept_consumer_find(const struct tables *t, struct slice name)
{
	struct kept_consumer *c = t->consumers;

	while (c && !slice_eq(slice_of(c->name, c->name_len), name))
		c = c->next;
	return c;
}

struct kept_consumer *kept_consumer_set(struct tables *t, struct slice name, lsn_t cursor)
{
	struct kept_consumer *c = kept_consumer_find(t, name);

	if (!c) {
		c = must_alloc(sizeof(*c));
		c->name_len = (uint32_t)name.n;
		memcpy(c->name, name.p, name.n);
		c->next = t->consumers;
		t->consumers = c;
	}
	c->cursor = cursor;
	return c;
}

void kept_consumer_drop(struct tables *t, struct kept_consumer *c)
{
	struct kept_consumer **at = &t->consumers;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c);
}

lsn_t kept_consumers_slowest(const struct tables *t)
{
	lsn_t slowest = UINT64_MAX;

	for (const struct kept_consumer *c = t->consumers; c; c = c->next) {
		lsn_t at = MIN_OF(c->kept, c->cursor); /* set back: it counts at once */
		slowest = MIN_OF(slowest, at);
	}
	return slowest;
}
