/* mta/rules/rules.c - standing orders in memory: a map behind a lock. */
#include "mta/rules/rules.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "base/map.h"

struct rule {
	struct map_link link;
	enum rule_kind kind;
	struct selector selector; /* its domain points into text */
	char *text;               /* "selector: reason" */
};

struct rules {
	pthread_rwlock_t lock;
	struct map rules;
	unsigned counts[RULE_KINDS][SELECT_RCPT + 1];
	_Atomic unsigned selects[RULE_KINDS];
};

struct rules *rules_new(void)
{
	struct rules *r = must_alloc(sizeof(*r));

	pthread_rwlock_init(&r->lock, NULL);
	map_init(&r->rules);
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
	map_free(&r->rules);
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

/* ---- keys -------------------------------------------------------------------------------- */

int rules_check_key(struct slice key)
{
	struct selector selector;

	if (slice_strip(&key, SLICE("hold/")) || slice_strip(&key, SLICE("cancel/")))
		return selector_parse(key, &selector);
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
