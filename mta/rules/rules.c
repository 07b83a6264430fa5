/* mta/rules/rules.c - standing orders in memory: two maps behind one lock. */
#include "mta/rules/rules.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "base/map.h"

static const uint64_t LIFE_MAX_MS = 253402300799999; /* the end of the year 9999 */

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

struct rules {
	pthread_rwlock_t lock;
	struct map rules, lives;
	unsigned counts[RULE_KINDS][SELECT_RCPT + 1];
	_Atomic unsigned selects[RULE_KINDS];
	_Atomic size_t n_lives;
};

struct rules *rules_new(void)
{
	struct rules *r = must_alloc(sizeof(*r));

	pthread_rwlock_init(&r->lock, NULL);
	map_init(&r->rules);
	map_init(&r->lives);
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
	map_free(&r->rules);
	map_free(&r->lives);
	pthread_rwlock_destroy(&r->lock);
	free(r);
	return NULL;
}

/* ---- holds and cancels ------------------------------------------------------------------- */

static uint64_t selector_hash(enum rule_kind kind, const struct selector *s)
{
	uint64_t h = hash_mix((uint64_t)kind << 8 | (uint64_t)s->kind);

	h = hash_mix(h ^ s->number);
	h = hash_mix(h ^ s->job.hi);
	h = hash_mix(h ^ s->job.lo);
	h = hash_mix(h ^ s->row);
	return s->domain.n ? h ^ hash_keyed_nocase(s->domain) : h;
}

static bool selector_eq(const struct selector *a, const struct selector *b)
{
	return a->kind == b->kind && a->number == b->number && id_eq(a->job, b->job) &&
	       a->row == b->row && slice_eq_nocase(a->domain, b->domain);
}

static struct rule *find_rule(struct rules *r, enum rule_kind kind, const struct selector *s)
{
	for (struct map_link *l = map_find(&r->rules, selector_hash(kind, s)); l;
	     l = map_find_next(l)) {
		struct rule *rule = container_of(l, struct rule, link);
		if (rule->kind == kind && selector_eq(&rule->selector, s))
			return rule;
	}
	return NULL;
}

static void count_rule(struct rules *r, const struct rule *rule, int by)
{
	unsigned *n = &r->counts[rule->kind][rule->selector.kind];

	*n += (unsigned)by;
	if (*n)
		atomic_fetch_or(&r->selects[rule->kind], SELECTS(rule->selector.kind));
	else
		atomic_fetch_and(&r->selects[rule->kind], ~SELECTS(rule->selector.kind));
}

static bool set_rule(struct rules *r, enum rule_kind kind, struct slice selector,
		     struct slice reason)
{
	struct selector s;
	struct rule *rule;
	struct buf text;
	int parsed;

	if (selector_parse(selector, &s) < 0)
		return false;
	rule = find_rule(r, kind, &s);
	if (rule) {
		count_rule(r, rule, -1);
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
	parsed = selector_parse(slice_of(rule->text, selector.n), &rule->selector);
	assert(parsed == 0); /* it parsed above; now its slice points into our copy */
	(void)parsed;
	map_insert(&r->rules, &rule->link, selector_hash(kind, &rule->selector));
	count_rule(r, rule, 1);
	return true;
}

unsigned rules_selects(const struct rules *r, enum rule_kind kind)
{
	return atomic_load_explicit(&r->selects[kind], memory_order_relaxed);
}

static struct rule *match_locked(struct rules *r, enum rule_kind kind, unsigned selects,
				 const struct rule_subject *s)
{
	struct rule *found = NULL;

	for (unsigned k = SELECT_ALL; k <= SELECT_RCPT && !found; k++) {
		struct selector sel = { .kind = (enum selector_kind)k };
		if (!(selects & SELECTS(k)))
			continue;
		if (k == SELECT_TENANT)
			sel.number = s->tenant;
		else if (k == SELECT_CAMPAIGN)
			sel.number = s->campaign;
		else if (k == SELECT_DOMAIN)
			sel.domain = s->domain;
		else if (k == SELECT_JOB || k == SELECT_RCPT)
			sel.job = s->job;
		if (k == SELECT_RCPT)
			sel.row = s->row;
		found = find_rule(r, kind, &sel);
	}
	return found;
}

bool rules_match(struct rules *r, enum rule_kind kind, unsigned selects,
		 const struct rule_subject *s, char *text, size_t cap)
{
	struct rule *found;

	selects &= rules_selects(r, kind);
	if (!selects)
		return false;
	pthread_rwlock_rdlock(&r->lock);
	found = match_locked(r, kind, selects, s);
	if (found && text)
		slice_copy(text, cap, slice_str(found->text));
	pthread_rwlock_unlock(&r->lock);
	return found != NULL;
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

/* The recipients of a flow share a line: what moves is a flow. */
static bool may_move(struct slice selector)
{
	struct selector s;

	return selector_parse(selector, &s) == 0 && (SELECTS(s.kind) & SELECTS_FLOW);
}

bool rules_moved(struct rules *r, const struct rule_subject *s, char *pool, size_t cap)
{
	static const enum selector_kind narrowest[] = { SELECT_CAMPAIGN, SELECT_TENANT,
							SELECT_ALL };
	char text[600];
	struct slice selector, value;

	for (unsigned i = 0; i < ARRAY_LEN(narrowest); i++) {
		if (!rules_match(r, RULE_MOVE, SELECTS(narrowest[i]), s, text, sizeof(text)) ||
		    !slice_cut(slice_str(text), ' ', &selector, &value))
			continue;
		slice_copy(pool, cap, slice_take(&value, ' '));
		return true;
	}
	return false;
}

int rules_check_key(struct slice key)
{
	struct selector selector;
	uint64_t campaign;

	if (slice_strip(&key, SLICE("life/campaign/")))
		return slice_u64(key, UINT64_MAX, &campaign) < 0 ? E_SYNTAX : 0;
	if (slice_strip(&key, SLICE("hold/")) || slice_strip(&key, SLICE("cancel/")))
		return selector_parse(key, &selector);
	if (slice_strip(&key, SLICE("move/")))
		return may_move(key) ? 0 : E_SYNTAX;
	return E_SYNTAX;
}

bool rules_set(struct rules *r, struct slice key, struct slice value)
{
	bool look = false;

	pthread_rwlock_wrlock(&r->lock);
	if (slice_strip(&key, SLICE("hold/")))
		look = set_rule(r, RULE_HOLD, key, value);
	else if (slice_strip(&key, SLICE("cancel/")))
		look = set_rule(r, RULE_CANCEL, key, value);
	else if (slice_strip(&key, SLICE("move/")))
		look = may_move(key) && set_rule(r, RULE_MOVE, key, value);
	else if (slice_strip(&key, SLICE("life/campaign/")))
		look = set_life(r, key, value);
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
