/* dns/resolver.c - takes queries, joins equal ones to one question, gives answers from the loop. */
#include "dns/resolver.h"

#include "base/clock.h"
#include "base/hash.h"
#include "dns/name.h"
#include "dns/question.h"

enum { PENDING_MAX = 4096, TRIES_MAX = 16 };

static struct question *question_free(struct question *q)
{
	question_drop_socket(q);
	free(q);
	return NULL;
}

void resolver_kick(struct resolver *r)
{
	if (!ev_is_pending(&r->delivery))
		ev_feed_event(r->loop, &r->delivery, EV_CUSTOM);
}

static void start_waiting(struct resolver *r)
{
	while (r->n_active < r->o.pending && !list_empty(&r->waiting)) {
		struct question *q = list_first(&r->waiting, struct question, list);

		list_remove(&q->list);
		list_push(&r->active, &q->list);
		r->n_waiting--;
		r->n_active++;
		question_start(q);
	}
}

static void free_all(struct list *questions)
{
	struct list *l;

	while ((l = list_pop(questions)))
		question_free(container_of(l, struct question, list));
}

static void give(struct dns_query *q)
{
	struct answer *w = q->state;
	struct dns_answer a = w->a;
	int64_t left_ms = w->expires_ms - clock_mono_ms();

	q->state = NULL;
	a.ttl_s = left_ms <= 0 ? 0 : MIN_OF(a.ttl_s, (uint32_t)((left_ms + 999) / 1000));
	q->done(q, &a); /* q may be gone now */
	answer_unref(w);
}

/* Only those that are ready now: an asker that asks again and again must not hold up the loop. */
static void on_delivery(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct resolver *r = container_of(timer, struct resolver, delivery);
	struct list now, *l;

	list_init(&now);
	while ((l = list_pop(&r->ready)))
		list_push(&now, l);
	while ((l = list_pop(&now)))
		give(container_of(l, struct dns_query, link));
	free_all(&r->finished);
	start_waiting(r);
	if (!list_empty(&r->ready) || !list_empty(&r->finished))
		resolver_kick(r);
}

static void check_options(struct resolver_options *o)
{
	struct resolver_options d;

	resolver_options_default(&d);
	if (o->timeout_ms == 0)
		o->timeout_ms = d.timeout_ms;
	if (o->tries == 0)
		o->tries = d.tries;
	if (o->pending == 0)
		o->pending = d.pending;
	o->tries = MIN_OF(o->tries, (uint32_t)TRIES_MAX);
	o->pending = MIN_OF(o->pending, (uint32_t)PENDING_MAX);
	if (o->ttl_max_s == 0)
		o->ttl_max_s = d.ttl_max_s;
	if (o->negative_ttl_max_s == 0)
		o->negative_ttl_max_s = d.negative_ttl_max_s;
}

int resolver_new(struct resolver **ret, struct ev_loop *loop, const struct resolver_options *o)
{
	struct resolver_options copy = *o;
	struct resolver *r;
	int err;

	if (copy.n_servers == 0) {
		err = resolver_options_system(&copy, "/etc/resolv.conf");
		if (err < 0)
			return err;
	}
	if (copy.n_servers > DNS_SERVERS_MAX)
		return E_LIMIT;
	check_options(&copy);
	r = must_alloc(sizeof(*r));
	r->loop = loop;
	r->o = copy;
	cache_init(&r->cache, copy.cache_entries);
	map_init(&r->questions);
	list_init(&r->waiting);
	list_init(&r->active);
	list_init(&r->finished);
	list_init(&r->ready);
	ev_timer_init(&r->delivery, on_delivery, 0., 0.);
	*ret = r;
	return 0;
}

static void forget_asker(struct list *l)
{
	struct dns_query *q = container_of(l, struct dns_query, link);

	if (q->state)
		answer_unref(TAKE(q->state));
}

static void forget_askers(struct list *askers)
{
	struct list *l;

	while ((l = list_pop(askers)))
		forget_asker(l);
}

struct resolver *resolver_free(struct resolver *r)
{
	struct question *q;

	if (!r)
		return NULL;
	(void)ev_clear_pending(r->loop, &r->delivery);
	list_each(&r->active, q, struct question, list)
		forget_askers(&q->askers);
	list_each(&r->waiting, q, struct question, list)
		forget_askers(&q->askers);
	forget_askers(&r->ready);
	free_all(&r->active);
	free_all(&r->waiting);
	free_all(&r->finished);
	map_free(&r->questions);
	cache_free(&r->cache);
	free(r);
	return NULL;
}

static uint64_t question_hash(struct slice name, enum dns_type type)
{
	return hash_mix(hash_keyed(name) ^ (uint64_t)type);
}

static struct question *find_question(struct resolver *r, struct slice name, enum dns_type type)
{
	struct map_link *l = map_find(&r->questions, question_hash(name, type));

	for (; l; l = map_find_next(l)) {
		struct question *q = container_of(l, struct question, link);
		if (q->type == type && slice_eq(slice_str(q->name), name))
			return q;
	}
	return NULL;
}

static struct question *question_new(struct resolver *r, struct slice name, enum dns_type type)
{
	struct question *q = must_alloc(sizeof(*q));

	q->r = r;
	q->type = type;
	q->fd = -1;
	q->ttl_s = UINT32_MAX;
	q->authentic = true;
	list_init(&q->askers);
	(void)slice_copy(q->name, sizeof(q->name), name);
	(void)slice_copy(q->alias, sizeof(q->alias), name);
	map_insert(&r->questions, &q->link, question_hash(name, type));
	list_push(&r->waiting, &q->list);
	r->n_waiting++;
	return q;
}

int resolver_ask(struct resolver *r, struct dns_query *query, struct slice name, enum dns_type type)
{
	char clean[DNS_NAME_MAX];
	struct question *q;
	struct answer *w;
	int n = name_clean(name, clean);

	assert(list_empty(&query->link));
	if (n < 0)
		return n;
	name = slice_of(clean, (size_t)n);
	r->stats.asked++;
	w = cache_find(&r->cache, name, type, clock_mono_ms());
	if (w) {
		r->stats.cache_hits++;
		query->state = answer_ref(w);
		list_push(&r->ready, &query->link);
		resolver_kick(r);
		return 0;
	}
	q = find_question(r, name, type);
	if (!q)
		q = question_new(r, name, type);
	query->state = NULL;
	list_push(&q->askers, &query->link);
	start_waiting(r);
	return 0;
}

/* The question goes on without askers: the cache gets its answer. */
void resolver_cancel(struct resolver *r UNUSED, struct dns_query *q)
{
	list_remove(&q->link);
	if (q->state)
		answer_unref(TAKE(q->state));
}

void resolver_flush(struct resolver *r, struct slice name)
{
	char clean[DNS_NAME_MAX];
	int n = name.n ? name_clean(name, clean) : 0;

	if (n >= 0)
		cache_flush(&r->cache, slice_of(clean, (size_t)n));
}

void resolver_stats(const struct resolver *r, struct resolver_stats *ret)
{
	*ret = r->stats;
	ret->pending = r->n_active + r->n_waiting;
	ret->cached = r->cache.map.count;
}
