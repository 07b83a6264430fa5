/* mta/rules/force.c - orders in force: who is held, ends, leaves from elsewhere, has a cap. */
#include <stdio.h>

#include "base/log.h"
#include "mta/rules/inside.h"

static bool rests_source(const struct order *o)
{
	return o->kind == ORDER_SUSPEND && (o->selector.keys & SELECTS(SELECT_SOURCE));
}

/* What the order does to those that it names. */
static bool does(const struct order *o, enum rule_kind kind)
{
	switch (kind) {
	case RULE_HOLD:
		return o->kind == ORDER_HOLD || (o->kind == ORDER_SUSPEND && !rests_source(o)) ||
		       (o->kind == ORDER_BOUNCE && !o->acts);
	case RULE_CANCEL:
		return o->kind == ORDER_CANCEL || (o->kind == ORDER_BOUNCE && o->acts);
	case RULE_MOVE:
		return o->kind == ORDER_MOVE;
	case RULE_CAP:
		return o->kind == ORDER_CAP;
	case RULE_SOURCE:
		return rests_source(o);
	case RULE_KINDS:
		break;
	}
	return false;
}

void force_keys(const struct rules *r, enum rule_kind kind, unsigned *keys)
{
	const struct force *s;

	list_each(&r->orders, s, struct force, link)
		if (does(&s->order, kind))
			*keys |= RULES_ANY | s->order.selector.keys;
}

/* ---- taking in --------------------------------------------------------------------------- */

static struct rule_cap *cap_of(struct rules *r, const struct order *o)
{
	struct rule_cap *cap = r->caps;

	while (cap && cap->id != o->id)
		cap = cap->next;
	if (!cap) {
		cap = must_alloc(sizeof(*cap));
		cap->id = o->id;
		cap->next = r->caps;
		r->caps = cap;
	}
	atomic_store(&cap->per_day, o->end == ORDER_STANDS ? o->per_day : 0);
	atomic_store(&cap->connections, o->end == ORDER_STANDS ? o->connections : 0);
	return cap;
}

static bool force_end(struct rules *r, uint64_t id)
{
	struct force *s;

	list_each(&r->orders, s, struct force, link)
		if (s->order.id == id) {
			if (s->cap) {
				atomic_store(&s->cap->per_day, 0);
				atomic_store(&s->cap->connections, 0);
			}
			list_remove(&s->link);
			r->n_orders--;
			free(s);
			return true;
		}
	return false;
}

/* The latest first: rules of the spool come in any order at the start. */
static void insert(struct rules *r, struct force *fresh)
{
	struct list *at = r->orders.next;

	while (at != &r->orders && container_of(at, struct force, link)->order.id > fresh->order.id)
		at = at->next;
	list_insert_before(at, &fresh->link);
	r->n_orders++;
}

bool force_set(struct rules *r, struct slice key, struct slice value)
{
	struct order o;
	struct force *s;
	uint64_t id;
	bool changed;

	if (order_id_of(key, &id) < 0)
		return false;
	changed = force_end(r, id);
	if (!value.n)
		return changed;
	if (order_read(key, value, &o) < 0) {
		log_warn("order.unreadable", kv_slice("rule", key));
		return changed;
	}
	if (o.kind == ORDER_CAP)
		(void)cap_of(r, &o);
	if (!order_stands(&o) || o.kind == ORDER_RETRY)
		return changed;
	if (r->n_orders == ORDERS_MAX) {
		log_error("order.too-many", kv_slice("rule", key));
		return changed;
	}
	s = must_alloc(sizeof(*s));
	order_take(&s->order, &o);
	s->cap = o.kind == ORDER_CAP ? cap_of(r, &o) : NULL;
	insert(r, s);
	return true;
}

void force_free_all(struct rules *r)
{
	struct rule_cap *cap;
	struct list *l;

	while ((l = list_pop(&r->orders)) != NULL)
		free(container_of(l, struct force, link));
	while ((cap = r->caps) != NULL) {
		r->caps = cap->next;
		free(cap);
	}
}

/* ---- asking ------------------------------------------------------------------------------ */

static const struct force *holds(const struct rules *r, const struct subject *s)
{
	const struct force *at;

	list_each(&r->orders, at, struct force, link) {
		const struct order *o = &at->order;
		enum selects match = SELECTS_NOT;
		if (o->kind == ORDER_RELEASE || does(o, RULE_HOLD))
			match = selector_holds(&o->selector, SELECTS_ALL, s);
		if (o->kind == ORDER_RELEASE && match != SELECTS_NOT)
			return NULL;
		if (match == SELECTS_YES)
			return at;
	}
	return NULL;
}

static const struct force *find(const struct rules *r, enum rule_kind kind, const struct subject *s)
{
	const struct force *at;

	list_each(&r->orders, at, struct force, link)
		if (does(&at->order, kind) &&
		    selector_holds(&at->order.selector, SELECTS_ALL, s) == SELECTS_YES)
			return at;
	return NULL;
}

void force_say(const struct force *s, char *text)
{
	if (text)
		(void)snprintf(text, RULE_TEXT_MAX, "%.500s: %.250s", s->order.what,
			       *s->order.reason ? s->order.reason : "by an order");
}

bool force_ends(const struct rules *r, const struct subject *s, bool *ret_bounce, char *text)
{
	const struct force *found = find(r, RULE_CANCEL, s);

	if (!found)
		return false;
	*ret_bounce = found->order.kind == ORDER_BOUNCE;
	if (*ret_bounce && text && *found->order.text)
		slice_copy(text, RULE_TEXT_MAX, slice_str(found->order.text));
	else
		force_say(found, text);
	return true;
}

bool rules_source_rests(struct rules *r, const struct subject *s, char *text)
{
	const struct force *found;

	if (!rules_keys(r, RULE_SOURCE))
		return false;
	pthread_rwlock_rdlock(&r->lock);
	found = find(r, RULE_SOURCE, s);
	if (found)
		force_say(found, text);
	pthread_rwlock_unlock(&r->lock);
	return found != NULL;
}

bool force_moves(const struct rules *r, const struct subject *s, char *pool, size_t cap)
{
	const struct force *found = find(r, RULE_MOVE, s);

	if (found)
		slice_copy(pool, cap, slice_str(found->order.pool));
	return found != NULL;
}

const struct force *force_held(const struct rules *r, const struct subject *s)
{
	return holds(r, s);
}

unsigned rules_caps(struct rules *r, const struct subject *s, struct rule_cap **ret)
{
	const struct force *at;
	unsigned n = 0;

	if (!rules_keys(r, RULE_CAP))
		return 0;
	pthread_rwlock_rdlock(&r->lock);
	list_each(&r->orders, at, struct force, link)
		if (n < RULE_CAPS_MAX && at->cap &&
		    selector_holds(&at->order.selector, SELECTS_ALL, s) == SELECTS_YES)
			ret[n++] = at->cap;
	pthread_rwlock_unlock(&r->lock);
	return n;
}

bool rules_caps_domain(struct rules *r, struct slice domain)
{
	const struct force *at;
	const struct selector_term *t;
	bool found = false;

	if (!(rules_keys(r, RULE_CAP) & SELECTS(SELECT_DOMAIN)))
		return false;
	pthread_rwlock_rdlock(&r->lock);
	list_each(&r->orders, at, struct force, link) {
		t = at->cap ? selector_find(&at->order.selector, SELECT_DOMAIN) : NULL;
		found = found || (t && slice_eq_nocase(t->text, domain));
	}
	pthread_rwlock_unlock(&r->lock);
	return found;
}
