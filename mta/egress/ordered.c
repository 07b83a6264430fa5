/* mta/egress/ordered.c - orders on sources, in memory. */
#include "mta/egress/ordered.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/buf.h"

struct state {
	struct ip ip;
	struct ordered_order order;
};
struct added {
	struct added *next;
	struct egress_source entry; /* never changes: lanes point to it */
	bool in_force;
	int64_t since_ms;
	char why[ORDERED_TEXT_MAX];
};
struct ordered {
	pthread_mutex_t lock;
	_Atomic unsigned generation;
	struct state states[ORDERED_MAX];
	unsigned n_states;
	struct added *added; /* those that were taken back, too */
};

struct ordered *ordered_new(void)
{
	struct ordered *s = must_alloc(sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	return s;
}

struct ordered *ordered_free(struct ordered *s)
{
	struct added *a;

	if (!s)
		return NULL;
	while ((a = s->added) != NULL) {
		s->added = a->next;
		entry_clear(&a->entry);
		free(a);
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}

unsigned ordered_generation(const struct ordered *s)
{
	return atomic_load(&s->generation);
}

/* ---- rules ------------------------------------------------------------------------------- */

struct ordered_address {
	bool adds;
	struct ip ip;
	struct ordered_order state;
	struct egress_source entry; /* of adds; without texts when the rule ends it */
	struct slice pool;
};

static bool read_since(struct slice *s, int64_t *ret)
{
	uint64_t n;

	if (slice_u64(slice_take(s, ' '), INT64_MAX, &n) < 0)
		return false;
	*ret = (int64_t)n;
	return true;
}

static int parse_state(struct slice address, struct slice value, struct ordered_address *o)
{
	struct slice word;

	if (entry_address(address, &o->ip) < 0)
		return E_SYNTAX;
	if (!value.n)
		return 0;
	word = slice_take(&value, ' ');
	if (slice_eq(word, SLICE("drain")))
		o->state.use = SOURCE_DRAINED;
	else if (slice_eq(word, SLICE("disable")))
		o->state.use = SOURCE_DISABLED;
	else
		return E_SYNTAX;
	if (!read_since(&value, &o->state.since_ms))
		return E_SYNTAX;
	slice_copy(o->state.why, sizeof(o->state.why), value);
	return 0;
}

/* The words up to " by ", as the file has them. */
static int parse_entry(struct slice address, struct slice words, struct ordered_address *o)
{
	struct buf text;
	int r;

	buf_init(&text, 0);
	buf_putf(&text, "%.*s %.*s %.*s", (int)o->pool.n, o->pool.p, (int)address.n, address.p,
		 (int)words.n, words.p);
	r = entry_read(buf_data(&text), &o->entry);
	buf_free(&text);
	if (r < 0)
		return r;
	/* A key may hold what makes two words of one. */
	return slice_eq(slice_str(o->entry.pool), o->pool) && ip_eq(&o->entry.ip, &o->ip)
		   ? 0
		   : E_SYNTAX;
}

static int parse_added(struct slice key, struct slice value, struct ordered_address *o)
{
	struct slice address;
	const char *by;

	o->adds = true;
	if (!slice_cut(key, '/', &o->pool, &address) || !o->pool.n ||
	    entry_address(address, &o->ip) < 0)
		return E_SYNTAX;
	if (!value.n)
		return 0;
	if (!read_since(&value, &o->state.since_ms))
		return E_SYNTAX;
	by = memmem(value.p, value.n, " by ", 4);
	if (!by)
		return E_SYNTAX;
	slice_copy(o->state.why, sizeof(o->state.why),
		   slice_skip(value, (size_t)(by - value.p) + 1));
	return parse_entry(address, slice_of(value.p, (size_t)(by - value.p)), o);
}

static int parse(struct slice key, struct slice value, struct ordered_address *ret)
{
	*ret = (struct ordered_address){ 0 };
	if (slice_strip(&key, SLICE("source-state/")))
		return parse_state(key, value, ret);
	if (slice_strip(&key, SLICE("source-add/")))
		return parse_added(key, value, ret);
	return E_SYNTAX;
}

int ordered_check(struct slice rule_key, struct slice rule_value)
{
	struct ordered_address o;
	int r = parse(rule_key, rule_value, &o);

	entry_clear(&o.entry);
	return r;
}

/* ---- in force ---------------------------------------------------------------------------- */

static struct state *find_state(struct ordered *s, const struct ip *ip)
{
	for (unsigned i = 0; i < s->n_states; i++)
		if (ip_eq(&s->states[i].ip, ip))
			return &s->states[i];
	return NULL;
}

static int set_state(struct ordered *s, const struct ordered_address *o)
{
	struct state *st = find_state(s, &o->ip);

	if (o->state.use == SOURCE_IN_USE) {
		if (st)
			*st = s->states[--s->n_states];
		return 0;
	}
	if (!st && s->n_states == ORDERED_MAX)
		return E_LIMIT;
	if (!st)
		st = &s->states[s->n_states++];
	*st = (struct state){ o->ip, o->state };
	return 0;
}

/* The one of its pool and address that was in force is so no longer.  How many are. */
static unsigned retire(struct ordered *s, const struct ordered_address *o)
{
	unsigned n = 0;

	for (struct added *a = s->added; a; a = a->next) {
		if (a->in_force && ip_eq(&a->entry.ip, &o->ip) &&
		    slice_eq(slice_str(a->entry.pool), o->pool))
			a->in_force = false;
		n += a->in_force;
	}
	return n;
}

/* NULL: too many. */
static struct added *find_or_make(struct ordered *s, struct egress_source *entry)
{
	struct added *a = s->added;
	unsigned n = 0;

	for (; a && !entry_eq(&a->entry, entry); a = a->next)
		n++;
	if (a || n == ORDERED_KNOWN_MAX)
		return a;
	a = must_alloc(sizeof(*a));
	a->entry = *entry;
	*entry = (struct egress_source){ 0 };
	a->next = s->added;
	s->added = a;
	return a;
}

static int set_added(struct ordered *s, struct ordered_address *o)
{
	unsigned n = retire(s, o);
	struct added *a;

	if (!o->entry.pool)
		return 0;
	if (n == ORDERED_MAX)
		return E_LIMIT;
	a = find_or_make(s, &o->entry);
	if (!a)
		return E_LIMIT;
	a->in_force = true;
	a->since_ms = o->state.since_ms;
	memcpy(a->why, o->state.why, sizeof(a->why));
	return 0;
}

int ordered_set(struct ordered *s, struct slice rule_key, struct slice rule_value)
{
	struct ordered_address o;
	int r = parse(rule_key, rule_value, &o);

	if (r < 0) {
		entry_clear(&o.entry);
		return r;
	}
	pthread_mutex_lock(&s->lock);
	r = o.adds ? set_added(s, &o) : set_state(s, &o);
	pthread_mutex_unlock(&s->lock);
	entry_clear(&o.entry);
	atomic_fetch_add(&s->generation, 1);
	return r;
}

struct ordered_order ordered_of(struct ordered *s, const struct ip *ip)
{
	struct ordered_order order = { 0 };
	const struct state *st;

	pthread_mutex_lock(&s->lock);
	st = find_state(s, ip);
	if (st)
		order = st->order;
	pthread_mutex_unlock(&s->lock);
	return order;
}

unsigned ordered_each_added(struct ordered *s, struct ordered_added *ret, unsigned cap)
{
	unsigned n = 0;

	pthread_mutex_lock(&s->lock);
	for (const struct added *a = s->added; a && n < cap; a = a->next) {
		if (!a->in_force)
			continue;
		ret[n] = (struct ordered_added){ .entry = &a->entry, .since_ms = a->since_ms };
		memcpy(ret[n++].why, a->why, sizeof(a->why));
	}
	pthread_mutex_unlock(&s->lock);
	return n;
}
