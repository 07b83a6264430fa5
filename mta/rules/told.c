/* mta/rules/told.c - what orders say to those who ask why mail waits. */
#include "mta/rules/inside.h"

void force_tell(const struct force *s, struct rule_told *ret)
{
	force_say(s, ret->text);
	ret->since_ms = s->order.at_ms;
	ret->until_ms = s->order.kind == ORDER_BOUNCE ? s->order.act_ms : s->order.until_ms;
}

bool rules_cap_told(struct rules *r, uint64_t id, struct rule_told *ret)
{
	const struct force *at;
	bool found = false;

	pthread_rwlock_rdlock(&r->lock);
	list_each(&r->orders, at, struct force, link)
		if (at->order.id == id && at->cap) {
			force_tell(at, ret);
			found = true;
		}
	pthread_rwlock_unlock(&r->lock);
	return found;
}

static bool says_the_same(const struct selector_term *a, const struct selector_term *b)
{
	return a->key == SELECT_SOURCE ? ip_eq(&a->ip, &b->ip) : slice_eq_nocase(a->text, b->text);
}

static bool names_some_of(const struct selector *order, const struct selector *place)
{
	bool any = !order->n;

	for (unsigned i = 0; i < order->n; i++) {
		const struct selector_term *t = selector_find(place, order->terms[i].key);
		if (t && !says_the_same(&order->terms[i], t))
			return false;
		any = any || t;
	}
	return any;
}

void rules_each_at(struct rules *r, const struct selector *place,
		   void (*each)(void *arg, const struct order *o), void *arg)
{
	const struct force *at;

	pthread_rwlock_rdlock(&r->lock);
	list_each(&r->orders, at, struct force, link)
		if (names_some_of(&at->order.selector, place))
			each(arg, &at->order);
	pthread_rwlock_unlock(&r->lock);
}
