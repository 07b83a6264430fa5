/* mta/site/kin.c - do several sites of a provider say the same, and what follows for the others. */
#include "mta/site/kin.h"

#include "base/clock.h"

struct kin_told {
	const struct site_limits *site;
	int64_t ms; /* of its latest trouble; monotonic */
};
struct kin {
	struct kin_told told[KIN_SITES];
	unsigned n_told;
	struct steer *met[KIN_SITES]; /* of sites, the latest first */
	unsigned n_met;
	unsigned share; /* of trouble among the latest answers of all sites, in 65536ths */
	int64_t agreed_until_ms;
	/* Refusals of what was in flight at the latest one that counted are no news. */
	unsigned in_flight;
	unsigned run; /* troubles since the latest delivery */
	int64_t counted_ms;
	int64_t grown_ms; /* by time */
};

void kin_free(struct kin *k)
{
	free(k);
}

/* ---- a source at a provider ---------------------------------------------------------------- */

struct adapt_bounds kin_bounds(const struct pool *p)
{
	const int64_t *v = p->shape.v;

	return (struct adapt_bounds){
		.start = (unsigned)v[SHAPE_CONNECTIONS_START],
		.floor = (unsigned)v[SHAPE_ADAPTIVE_FLOOR],
		.most = (unsigned)v[SHAPE_PROVIDER_CONNECTIONS],
		.rate_floor = v[SHAPE_ADAPTIVE_RATE],
		.rate_most = v[SHAPE_PROVIDER_RATE],
	};
}

/* With the lock.  What was kept over a restart is agreed on for a while. */
static struct kin *kin_of(struct steer *s)
{
	if (!s->kin) {
		s->kin = must_alloc(sizeof(*s->kin));
		if (adapt_holds_back(&s->adapt))
			s->kin->agreed_until_ms = clock_mono_ms() + KIN_LASTS_MS;
	}
	return s->kin;
}

struct steer *kin_turn(struct pool *p, unsigned turn)
{
	struct turn *t = &p->turns.at[turn];
	struct adapt_bounds b;

	if (!p->site->provider || !p->shape.v[SHAPE_ADAPTIVE] ||
	    !p->shape.v[SHAPE_PROVIDER_ADAPTIVE])
		return NULL;
	if (!t->kin) {
		b = kin_bounds(p);
		t->kin = steer_get(limits_source(p->site->provider, &t->source->ip), &b, NULL);
	}
	return t->kin;
}

void kin_forget(struct pool *p)
{
	for (unsigned i = 0; i < p->turns.n; i++)
		p->turns.at[i].kin = NULL;
}

/* ---- what its sites have learned ----------------------------------------------------------- */

void kin_met(struct steer *kin, struct steer *site)
{
	struct kin *k;
	unsigned i = 0;

	if (!kin)
		return;
	pthread_mutex_lock(&kin->lock);
	k = kin_of(kin);
	while (i < k->n_met && k->met[i] != site)
		i++;
	if (i == k->n_met && k->n_met < KIN_SITES)
		k->n_met++;
	i = MIN_OF(i, (unsigned)KIN_SITES - 1);
	memmove(k->met + 1, k->met, i * sizeof(*k->met));
	k->met[0] = site;
	pthread_mutex_unlock(&kin->lock);
}

static int smaller_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The value below which are `part` quarters of them. */
static int64_t quarter(int64_t *at, unsigned n, unsigned part)
{
	qsort(at, n, sizeof(*at), smaller_first);
	return at[MIN_OF(n * part / 4, n - 1)];
}

struct kin_sample {
	int64_t windows[KIN_SITES], held[KIN_SITES], rates[KIN_SITES];
	unsigned n, n_held, n_rates;
};

/* With the lock.  Of its sites only what is atomic is read. */
static void sample(const struct kin *k, struct kin_sample *ret)
{
	*ret = (struct kin_sample){ .n = 0 };
	for (unsigned i = 0; i < k->n_met; i++) {
		const struct steer *s = k->met[i];
		int64_t window = atomic_load(&s->window), rate = atomic_load(&s->rate);

		ret->windows[ret->n++] = window;
		if (atomic_load(&s->troubled))
			ret->held[ret->n_held++] = window;
		if (rate)
			ret->rates[ret->n_rates++] = rate;
	}
}

static bool are_many(unsigned n, unsigned of)
{
	return n > KIN_OTHERS && n * 2 >= of;
}

void kin_start(struct steer *kin, const struct adapt_bounds *b, struct adapt *a)
{
	struct kin_sample s;
	int64_t window;

	pthread_mutex_lock(&kin->lock);
	sample(kin_of(kin), &s);
	pthread_mutex_unlock(&kin->lock);
	if (are_many(s.n_held, s.n)) {
		window = quarter(s.held, s.n_held, 2);
		a->window = (unsigned)MIN_OF(MAX_OF(window, (int64_t)b->floor), (int64_t)b->most);
		a->threshold = a->window;
	} else if (s.n > KIN_OTHERS) {
		window = quarter(s.windows, s.n, 1);
		a->window = (unsigned)MIN_OF(MAX_OF(window, (int64_t)a->window), (int64_t)b->most);
	}
	if (are_many(s.n_rates, s.n))
		a->rate = a->rate_known = quarter(s.rates, s.n_rates, 2);
}

/* ---- do they agree? ------------------------------------------------------------------------ */

static unsigned others(const struct kin *k, const struct site_limits *site, int64_t since_ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < k->n_told; i++)
		n += k->told[i].site != site && k->told[i].ms >= since_ms;
	return n;
}

static void note_told(struct kin *k, const struct site_limits *site, int64_t now)
{
	unsigned oldest = 0, i = 0;

	while (i < k->n_told && k->told[i].site != site) {
		oldest = k->told[i].ms < k->told[oldest].ms ? i : oldest;
		i++;
	}
	if (i == k->n_told)
		i = k->n_told < KIN_SITES ? k->n_told++ : oldest;
	k->told[i] = (struct kin_told){ site, now };
}

enum { ROUND_MS = 5 * 1000, KIN_RUN = 8 };

static bool agree(struct kin *k, const struct site_limits *site, int64_t now)
{
	k->share += (65536 - k->share) / 64;
	note_told(k, site, now);
	if (k->share >= KIN_SHARE && others(k, site, now - KIN_AGREE_MS) >= KIN_OTHERS)
		k->agreed_until_ms = now + KIN_LASTS_MS;
	return now < k->agreed_until_ms && others(k, site, now - KIN_STAYS_MS);
}

/* With the lock.  Nothing else for KIN_RUN of them is a wall, in flight or not. */
static bool is_old_news(struct kin *k, struct adapt *a, const struct channel *ch, int64_t now)
{
	if (++k->run >= KIN_RUN) {
		a->run = ADAPT_WALL_RUN;
		return false;
	}
	if (k->in_flight && now - k->counted_ms < ROUND_MS) {
		k->in_flight--;
		return true;
	}
	k->in_flight = (unsigned)MAX_OF(atomic_load(&ch->standing->connections) - 1, 0);
	k->counted_ms = now;
	return false;
}

enum kin_answer kin_takes(const struct channel *ch)
{
	enum kin_answer answer = KIN_NOT_OURS;
	int64_t now = clock_mono_ms();
	struct steer *kin = ch->kin;
	struct kin *k;

	if (!kin)
		return KIN_NOT_OURS;
	pthread_mutex_lock(&kin->lock);
	k = kin_of(kin);
	if (agree(k, ch->pool->site->shared, now)) {
		kin->adapt.share = MAX_OF(kin->adapt.share, k->share);
		if (adapt_closed(&kin->adapt, now) || is_old_news(k, &kin->adapt, ch, now))
			answer = KIN_KNOWN;
		else if (atomic_fetch_add(&ch->steer->spared, 1) < KIN_SPARED)
			answer = KIN_OURS;
	}
	pthread_mutex_unlock(&kin->lock);
	return answer;
}

static void calm(struct kin *k, unsigned n)
{
	for (unsigned i = 0; k->share && i < MIN_OF(n, 256u); i++)
		k->share -= (k->share + 63) / 64;
}

/* It was held back, and for long nothing of it was needed. */
static bool is_over(const struct adapt *a, int64_t now)
{
	return adapt_holds_back(a) && !a->rate && !a->closed_until_ms &&
	       now - a->cut_ms > KIN_LASTS_MS;
}

void kin_delivered(const struct channel *ch, unsigned n, bool pressed)
{
	struct steer *kin = ch->kin;
	struct adapt_bounds b = kin_bounds(ch->pool);
	int64_t now = clock_mono_ms();

	pthread_mutex_lock(&kin->lock);
	calm(kin_of(kin), n);
	kin->kin->run = 0;
	adapt_good(&kin->adapt, &b, n, pressed, now);
	if (is_over(&kin->adapt, now))
		adapt_begin(&kin->adapt, &b, now);
	if (kin->adapt.threshold == UINT32_MAX && kin->adapt.window >= KIN_GROWN)
		kin->adapt.window = b.most;
	if (adapt_holds_back(&kin->adapt) || atomic_load(&kin->troubled) ||
	    kin->adapt.window != atomic_load(&kin->window))
		steer_publish(kin, &b);
	pthread_mutex_unlock(&kin->lock);
}

/* ---- its connections ----------------------------------------------------------------------- */

/* Nobody refuses, and nobody takes anything either: hosts that are dead do not keep the others from
 * beginning. */
static void grow_by_time(const struct channel *ch)
{
	struct steer *kin = ch->kin;
	struct adapt_bounds b = kin_bounds(ch->pool);
	int64_t now = clock_mono_ms();
	struct kin *k;

	pthread_mutex_lock(&kin->lock);
	k = kin_of(kin);
	if (!adapt_holds_back(&kin->adapt) && kin->adapt.window < b.most &&
	    now - k->grown_ms >= KIN_GROWS_MS) {
		k->grown_ms = now;
		kin->adapt.window++;
		steer_publish(kin, &b);
	}
	pthread_mutex_unlock(&kin->lock);
}

static int64_t seats_of(const struct steer *kin, bool transactional)
{
	if (transactional && !atomic_load_explicit(&kin->troubled, memory_order_relaxed))
		return INT32_MAX;
	return limits_slots(atomic_load_explicit(&kin->window, memory_order_relaxed),
			    transactional);
}

bool kin_sit(struct channel *ch, bool transactional)
{
	if (!ch->kin)
		return true;
	if (!slots_take(&ch->standing->connections, seats_of(ch->kin, transactional))) {
		grow_by_time(ch);
		return false;
	}
	ch->kin_seat = ch->standing;
	return true;
}

void kin_rise(struct channel *ch)
{
	if (ch->kin_seat)
		slots_give(&ch->kin_seat->connections);
	ch->kin_seat = NULL;
}

enum { TURN_OF_KIN = 20 }; /* messages of a connection while others wait for its place */

bool kin_must_give(const struct channel *ch, bool idle)
{
	if (!ch->kin_seat || !ch->kin || (!idle && ch->taken < TURN_OF_KIN))
		return false;
	return atomic_load_explicit(&ch->kin_seat->connections, memory_order_relaxed) >=
	       (int)MIN_OF(atomic_load_explicit(&ch->kin->window, memory_order_relaxed),
			   (unsigned)INT32_MAX);
}
