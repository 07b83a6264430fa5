/* mta/rules/rules.c - standing orders in memory: two maps behind one lock. */
#include "mta/rules/inside.h"

#include <stdio.h>

#include "base/hash.h"

static const uint64_t LIFE_MAX_MS = 253402300799999; /* the end of the year 9999 */

/* A rule whose selector is one term, found by a hash of it: a control plane may set thousands. */
struct rule {
	struct map_link link;
	enum rule_kind kind;
	struct selector selector; /* its domain points into text */
	char *text;               /* "selector: reason" */
};
struct life {
	struct map_link link;
	uint64_t campaign;
	int64_t until_ms;
};

struct rules *rules_new(void)
{
	struct rules *r = must_alloc(sizeof(*r));

	pthread_rwlock_init(&r->lock, NULL);
	map_init(&r->rules);
	map_init(&r->lives);
	list_init(&r->orders);
	return r;
}

static void rule_free(struct rule *rule)
{
	free(rule->text);
	free(rule);
}

struct rules *rules_free(struct rules *r)
{
	struct map_link *l;

	if (!r)
		return NULL;
	while ((l = map_any(&r->rules)) != NULL) {
		map_remove(&r->rules, l);
		rule_free(container_of(l, struct rule, link));
	}
	while ((l = map_any(&r->lives)) != NULL) {
		map_remove(&r->lives, l);
		free(container_of(l, struct life, link));
	}
	force_free_all(r);
	map_free(&r->rules);
	map_free(&r->lives);
	pthread_rwlock_destroy(&r->lock);
	free(r);
	return NULL;
}

/* ---- single terms ------------------------------------------------------------------------ */

/* The kinds of selector, in the order in which they are looked for; the last one is all. */
enum { SINGLE_ALL = SELECT_KEYS };
static const unsigned singles[] = { SINGLE_ALL,    SELECT_TENANT, SELECT_CAMPAIGN,
				    SELECT_DOMAIN, SELECT_JOB,    SELECT_RCPT };

static unsigned single_kind(const struct selector *s)
{
	return s->n ? (unsigned)s->terms[0].key : (unsigned)SINGLE_ALL;
}

static bool is_single(const struct selector *s)
{
	for (unsigned i = 0; i < ARRAY_LEN(singles); i++)
		if (s->n <= 1 && single_kind(s) == singles[i])
			return true;
	return false;
}

static uint64_t term_hash(enum rule_kind kind, unsigned single, const struct selector_term *t)
{
	uint64_t h = hash_mix((uint64_t)kind << 8 | single);

	h = hash_mix(h ^ t->number);
	h = hash_mix(h ^ t->job.hi);
	h = hash_mix(h ^ t->job.lo);
	h = hash_mix(h ^ t->row);
	return t->text.n ? h ^ hash_keyed_nocase(t->text) : h;
}

static bool term_eq(const struct selector_term *a, const struct selector_term *b)
{
	return a->number == b->number && id_eq(a->job, b->job) && a->row == b->row &&
	       slice_eq_nocase(a->text, b->text);
}

static struct rule *find_rule(struct rules *r, enum rule_kind kind, unsigned single,
			      const struct selector_term *t)
{
	for (struct map_link *l = map_find(&r->rules, term_hash(kind, single, t)); l;
	     l = map_find_next(l)) {
		struct rule *rule = container_of(l, struct rule, link);
		if (rule->kind == kind && single_kind(&rule->selector) == single &&
		    term_eq(&rule->selector.terms[0], t))
			return rule;
	}
	return NULL;
}

static void set_keys(struct rules *r)
{
	for (unsigned kind = 0; kind < RULE_KINDS; kind++) {
		unsigned keys = 0;
		for (unsigned k = 0; k <= SELECT_KEYS; k++)
			if (r->counts[kind][k])
				keys |= RULES_ANY | (k < SELECT_KEYS ? SELECTS(k) : 0);
		force_keys(r, (enum rule_kind)kind, &keys);
		atomic_store(&r->keys[kind], keys);
	}
}

static bool set_rule(struct rules *r, enum rule_kind kind, struct slice selector,
		     struct slice reason)
{
	struct selector s;
	struct rule *rule;
	struct buf text;
	unsigned single;
	int parsed;

	if (selector_parse_single(selector, &s) < 0 || !is_single(&s))
		return false;
	single = single_kind(&s);
	rule = find_rule(r, kind, single, &s.terms[0]);
	if (rule) {
		r->counts[kind][single]--;
		map_remove(&r->rules, &rule->link);
		rule_free(rule);
	}
	if (!reason.n)
		return rule != NULL;
	buf_init(&text, 0);
	buf_put(&text, selector);
	buf_put(&text, SLICE(": "));
	buf_put(&text, reason);
	rule = must_alloc(sizeof(*rule));
	rule->kind = kind;
	rule->text = must_copy(buf_data(&text));
	buf_free(&text);
	parsed = selector_parse_single(slice_of(rule->text, selector.n), &rule->selector);
	assert(parsed == 0); /* it parsed above; now its slice points into our copy */
	(void)parsed;
	map_insert(&r->rules, &rule->link, term_hash(kind, single, &rule->selector.terms[0]));
	r->counts[kind][single]++;
	return true;
}

unsigned rules_keys(const struct rules *r, enum rule_kind kind)
{
	return atomic_load_explicit(&r->keys[kind], memory_order_relaxed);
}

unsigned rules_generation(const struct rules *r)
{
	return atomic_load_explicit(&r->generation, memory_order_relaxed);
}

/* The term that names the subject in this way. */
static struct selector_term term_of(unsigned single, const struct subject *s)
{
	struct selector_term t = { 0 };

	if (single == SELECT_TENANT)
		t.number = s->tenant;
	else if (single == SELECT_CAMPAIGN)
		t.number = s->campaign;
	else if (single == SELECT_DOMAIN)
		t.text = s->domain;
	else if (single == SELECT_JOB || single == SELECT_RCPT)
		t.job = s->job;
	if (single == SELECT_RCPT)
		t.row = s->row;
	return t;
}

static const struct rule *match_single(struct rules *r, enum rule_kind kind, unsigned single,
				       const struct subject *s)
{
	struct selector_term t;

	if (!r->counts[kind][single] || (single != SINGLE_ALL && !(s->knows & SELECTS(single))))
		return NULL;
	t = term_of(single, s);
	return find_rule(r, kind, single, &t);
}

static bool match_singles(struct rules *r, enum rule_kind kind, const struct subject *s, char *text)
{
	const struct rule *found = NULL;

	for (unsigned i = 0; i < ARRAY_LEN(singles) && !found; i++)
		found = match_single(r, kind, singles[i], s);
	if (found && text)
		slice_copy(text, RULE_TEXT_MAX, slice_str(found->text));
	return found != NULL;
}

bool rules_hold(struct rules *r, const struct subject *s, char *text)
{
	const struct force *order = NULL;
	bool found;

	if (!rules_keys(r, RULE_HOLD))
		return false;
	pthread_rwlock_rdlock(&r->lock);
	found = match_singles(r, RULE_HOLD, s, text) || (order = force_held(r, s)) != NULL;
	if (order)
		force_say(order, text);
	pthread_rwlock_unlock(&r->lock);
	return found;
}

bool rules_hold_told(struct rules *r, const struct subject *s, struct rule_told *ret)
{
	const struct force *order = NULL;
	bool found;

	*ret = (struct rule_told){ .since_ms = 0 };
	pthread_rwlock_rdlock(&r->lock);
	found = match_singles(r, RULE_HOLD, s, ret->text) || (order = force_held(r, s)) != NULL;
	if (order)
		force_tell(order, ret);
	pthread_rwlock_unlock(&r->lock);
	return found;
}

bool rules_end(struct rules *r, const struct subject *s, bool *ret_bounce, char *text)
{
	bool found;

	if (!rules_keys(r, RULE_CANCEL))
		return false;
	*ret_bounce = false;
	pthread_rwlock_rdlock(&r->lock);
	found = match_singles(r, RULE_CANCEL, s, text) || force_ends(r, s, ret_bounce, text);
	pthread_rwlock_unlock(&r->lock);
	return found;
}

/* ---- lives ------------------------------------------------------------------------------- */

static struct life *find_life(struct rules *r, uint64_t campaign)
{
	for (struct map_link *l = map_find(&r->lives, hash_mix(campaign)); l; l = map_find_next(l))
		if (container_of(l, struct life, link)->campaign == campaign)
			return container_of(l, struct life, link);
	return NULL;
}

static bool end_life(struct rules *r, struct life *life)
{
	if (!life)
		return false;
	map_remove(&r->lives, &life->link);
	free(life);
	return true;
}

/* A campaign's number and a time; an empty value takes the order back. */
static bool set_life(struct rules *r, struct slice number, struct slice value)
{
	uint64_t campaign, until;
	struct life *life;
	bool changed = true;

	if (slice_u64(number, UINT64_MAX, &campaign) < 0)
		return false;
	life = find_life(r, campaign);
	if (!value.n) {
		changed = end_life(r, life);
	} else if (slice_u64(value, LIFE_MAX_MS, &until) < 0) {
		return false;
	} else {
		if (!life) {
			life = must_alloc(sizeof(*life));
			life->campaign = campaign;
			map_insert(&r->lives, &life->link, hash_mix(campaign));
		}
		life->until_ms = (int64_t)until;
	}
	atomic_store(&r->n_lives, r->lives.count);
	return changed;
}

bool rules_have_lives(const struct rules *r)
{
	return atomic_load_explicit(&r->n_lives, memory_order_relaxed) > 0;
}

bool rules_life(struct rules *r, uint64_t campaign, int64_t *ret_ms)
{
	struct life *found;

	if (!rules_have_lives(r))
		return false;
	pthread_rwlock_rdlock(&r->lock);
	found = find_life(r, campaign);
	if (found)
		*ret_ms = found->until_ms;
	pthread_rwlock_unlock(&r->lock);
	return found != NULL;
}

/* ---- keys -------------------------------------------------------------------------------- */

/* The recipients of a flow share a line: what such a rule moves is a flow. */
static bool may_move(struct slice selector)
{
	struct selector s;

	return selector_parse_single(selector, &s) == 0 && is_single(&s) &&
	       !(s.keys & ~(unsigned)(SELECTS(SELECT_TENANT) | SELECTS(SELECT_CAMPAIGN)));
}

static bool moved_singly(struct rules *r, const struct subject *s, char *pool, size_t cap)
{
	static const unsigned narrowest[] = { SELECT_CAMPAIGN, SELECT_TENANT, SINGLE_ALL };
	struct slice selector, value;

	for (unsigned i = 0; i < ARRAY_LEN(narrowest); i++) {
		const struct rule *found = match_single(r, RULE_MOVE, narrowest[i], s);
		if (!found || !slice_cut(slice_str(found->text), ' ', &selector, &value))
			continue;
		slice_copy(pool, cap, slice_take(&value, ' '));
		return true;
	}
	return false;
}

bool rules_moved(struct rules *r, const struct subject *s, char *pool, size_t cap)
{
	bool found;

	if (!rules_keys(r, RULE_MOVE))
		return false;
	pthread_rwlock_rdlock(&r->lock);
	found = force_moves(r, s, pool, cap) || moved_singly(r, s, pool, cap);
	pthread_rwlock_unlock(&r->lock);
	return found;
}

int rules_check_key(struct slice key)
{
	struct selector selector;
	uint64_t campaign;

	if (slice_strip(&key, SLICE("life/campaign/")))
		return slice_u64(key, UINT64_MAX, &campaign) < 0 ? E_SYNTAX : 0;
	if (slice_strip(&key, SLICE("hold/")) || slice_strip(&key, SLICE("cancel/")))
		return selector_parse_single(key, &selector) == 0 && is_single(&selector)
			   ? 0
			   : E_SYNTAX;
	if (slice_strip(&key, SLICE("move/")))
		return may_move(key) ? 0 : E_SYNTAX;
	return E_SYNTAX;
}

static bool set_any(struct rules *r, struct slice key, struct slice value)
{
	if (slice_strip(&key, SLICE("hold/")))
		return set_rule(r, RULE_HOLD, key, value);
	if (slice_strip(&key, SLICE("cancel/")))
		return set_rule(r, RULE_CANCEL, key, value);
	if (slice_strip(&key, SLICE("move/")))
		return may_move(key) && set_rule(r, RULE_MOVE, key, value);
	if (slice_strip(&key, SLICE("life/campaign/")))
		return set_life(r, key, value);
	return force_set(r, key, value);
}

bool rules_set(struct rules *r, struct slice key, struct slice value)
{
	bool look;

	pthread_rwlock_wrlock(&r->lock);
	look = set_any(r, key, value);
	if (look) {
		set_keys(r);
		atomic_fetch_add(&r->generation, 1);
	}
	pthread_rwlock_unlock(&r->lock);
	return look;
}

/* ---- the engine's ------------------------------------------------------------------------ */

struct rules *rules_of(struct engine *e)
{
	return engine_shared(e, &rules_part);
}

void rules_changed(struct engine *e, struct slice key, struct slice value)
{
	if (rules_set(rules_of(e), key, value))
		engine_changed(e);
}

static int load_rule(void *arg, struct slice key, struct slice value)
{
	(void)rules_set(arg, key, value);
	return 0;
}

static int rules_open(struct engine *e, void **ret_shared)
{
	struct rules *r = rules_new();

	*ret_shared = r;
	return spool_each_rule(engine_spool(e), SLICE(""), load_rule, r);
}

static void rules_close(void *shared)
{
	(void)rules_free(shared);
}

const struct part rules_part = {
	.name = "rules",
	.open = rules_open,
	.close = rules_close,
};
