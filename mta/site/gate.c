/* mta/site/gate.c - lines of those whose tenant may send no more for now. */
#include "mta/site/gate.h"

#include "base/clock.h"
#include "base/hash.h"

enum { BULK_EVERY = 10 }; /* so many openings, one of them is for bulk mail */

struct gate {
	struct map_link link; /* sites.gates */
	struct sites *sites;
	struct lid lid;
	struct list waiting[FAIR_CLASSES];
	unsigned opened; /* those for transactional mail, while bulk mail waited */
	struct timer timer;
};

int64_t lid_wait_us(const struct lid *l, int64_t now_us)
{
	switch (l->kind) {
	case LID_CONNECTIONS:
		return atomic_load_explicit(&l->at->connections, memory_order_relaxed) < l->value
			   ? 0
			   : GATE_LOOK_MS * 1000;
	case LID_MESSAGES:
		return limits_wait(&l->at->messages.pace, l->value, now_us);
	case LID_BYTES:
		break;
	}
	return limits_wait(&l->at->bytes.pace, l->value, now_us);
}

/* ---- gates ------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct tenant_limits *at)
{
	return hash_mix((uint64_t)(uintptr_t)at);
}

static struct gate *find(const struct sites *s, const struct tenant_limits *at, enum lid_kind kind)
{
	for (struct map_link *l = map_find(&s->gates, hash_of(at)); l; l = map_find_next(l)) {
		struct gate *g = container_of(l, struct gate, link);
		if (g->lid.at == at && g->lid.kind == kind)
			return g;
	}
	return NULL;
}

static void gate_free(struct gate *g)
{
	timer_stop(g->sites->loop->timers, &g->timer);
	map_remove(&g->sites->gates, &g->link);
	free(g);
}

void gates_end(struct sites *s)
{
	struct map_link *l;

	while ((l = map_any(&s->gates)) != NULL)
		gate_free(container_of(l, struct gate, link));
	map_free(&s->gates);
}

/* ---- opening ----------------------------------------------------------------------------- */

static struct list *whose_turn(struct gate *g)
{
	struct list *bulk = &g->waiting[CLASS_BULK], *first = &g->waiting[CLASS_TRANSACTIONAL];

	if (list_empty(first) || list_empty(bulk))
		return list_empty(first) ? bulk : first;
	g->opened = (g->opened + 1) % BULK_EVERY;
	return g->opened ? first : bulk;
}

static bool is_empty(const struct gate *g)
{
	return list_empty(&g->waiting[CLASS_BULK]) && list_empty(&g->waiting[CLASS_TRANSACTIONAL]);
}

/* Until the next one in line may have its turn, even if this one made nothing of it. */
static int64_t step_us(const struct gate *g)
{
	return g->lid.kind == LID_MESSAGES ? limits_step(g->lid.value) : 0;
}

static void look(struct gate *g)
{
	int64_t wait_us = lid_wait_us(&g->lid, clock_mono_us());
	struct fair *f = wait_us ? NULL : fair_open_first(whose_turn(g));

	if (f) {
		pool_pump_soon(container_of(f, struct pool, fair));
		wait_us = step_us(g);
	}
	if (is_empty(g))
		gate_free(g);
	else
		timer_set(g->sites->loop->timers, &g->timer, wait_us / 1000 + 1);
}

static void on_timer(struct timer *t)
{
	look(container_of(t, struct gate, timer));
}

static struct gate *gate_new(struct sites *s, const struct lid *l)
{
	struct gate *g = must_alloc(sizeof(*g));

	g->sites = s;
	list_init(&g->waiting[CLASS_BULK]);
	list_init(&g->waiting[CLASS_TRANSACTIONAL]);
	timer_init(&g->timer, on_timer);
	g->lid = *l;
	map_insert(&s->gates, &g->link, hash_of(l->at));
	return g;
}

void gate_shut(struct pool *p, const struct flow *flow, const struct lid *l)
{
	struct gate *g = find(p->sites, l->at, l->kind);
	bool bulk = flow->class != CLASS_TRANSACTIONAL, begins;

	if (!g)
		g = gate_new(p->sites, l);
	begins = is_empty(g) || g->lid.value != l->value;
	g->lid = *l;
	fair_shut_at(&p->fair, flow, &g->waiting[bulk ? CLASS_BULK : CLASS_TRANSACTIONAL]);
	if (begins)
		timer_set(p->sites->loop->timers, &g->timer,
			  lid_wait_us(l, clock_mono_us()) / 1000 + 1);
}

void gate_look(struct sites *s, const struct tenant_limits *at)
{
	struct gate *g = s->gates.count ? find(s, at, LID_CONNECTIONS) : NULL;

	if (g && !s->freeing)
		look(g);
}
