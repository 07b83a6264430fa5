/* mta/metrics/gather.c - asking the lanes. */
#include "mta/metrics/gather.h"

#include "mta/site/pool.h"
#include "mta/site/way.h"

/* The first row is that of the others. */
static struct gather_row *row_of(struct gather_row *rows, unsigned *n,
				 const struct site_limits *provider)
{
	for (unsigned i = 0; i < *n; i++)
		if (rows[i].provider == provider)
			return &rows[i];
	if (*n == GATHER_ROWS_MAX)
		return &rows[0];
	rows[*n] = (struct gather_row){ .provider = provider };
	return &rows[(*n)++];
}

static void look_at_domains(struct gather_part *p, const struct queue *q)
{
	for (uint32_t i = 0; i < q->domains.n; i++) {
		const struct domain *d = domain_at(&q->domains, i);
		const struct site *site;
		struct gather_row *row;

		if (!d || !d->live)
			continue;
		site = way_of(d)->site;
		row = row_of(p->rows, &p->n, site ? site->provider : NULL);
		for (unsigned s = 0; s < RCPT_STATES; s++)
			row->waiting[s] += d->n[s];
	}
}

static void look_at_site(struct gather_part *p, const struct site *site, int64_t now)
{
	struct gather_row *row = row_of(p->rows, &p->n, site->provider);
	const struct pool *pool;

	row->pauses += site->backoff_until_ms > now;
	list_each(&site->pools, pool, struct pool, link) {
		row->connections += pool->n_channels;
		row->pauses += pool->paused_until_ms > now;
	}
}

static void on_front(struct note *n, struct lane *front)
{
	struct gather *g = container_of(n, struct gather_part, note)->whole;

	(void)front;
	if (--g->left == 0)
		g->done(g);
}

static void on_lane(struct note *n, struct lane *l)
{
	struct gather_part *p = container_of(n, struct gather_part, note);
	struct sites *s = sites_of(l);
	struct map_link *at;
	size_t pos = 0;

	p->n = 0;
	(void)row_of(p->rows, &p->n, NULL);
	look_at_domains(p, queue_of(l));
	for (at = map_next(&s->map, &pos, NULL); at; at = map_next(&s->map, &pos, at))
		look_at_site(p, container_of(at, struct site, link), sites_now(s));
	n->run = on_front;
	lane_post(engine_front(lane_engine(l)), n);
}

void gather_begin(struct gather *g)
{
	unsigned n = engine_lanes(g->engine);

	if (!g->parts)
		g->parts = must_alloc(n * sizeof(*g->parts));
	g->left = n;
	for (unsigned i = 0; i < n; i++) {
		g->parts[i].whole = g;
		g->parts[i].note.run = on_lane;
		lane_post(engine_lane(g->engine, i), &g->parts[i].note);
	}
}

void gather_end(struct gather *g)
{
	free(g->parts);
	g->parts = NULL;
}

unsigned gather_sum(const struct gather *g, struct gather_row *ret)
{
	unsigned n = 0;

	(void)row_of(ret, &n, NULL);
	for (unsigned i = 0; g->parts && i < engine_lanes(g->engine); i++)
		for (unsigned k = 0; k < g->parts[i].n; k++) {
			const struct gather_row *from = &g->parts[i].rows[k];
			struct gather_row *to = row_of(ret, &n, from->provider);
			for (unsigned s = 0; s < RCPT_STATES; s++)
				to->waiting[s] += from->waiting[s];
			to->connections += from->connections;
			to->pauses += from->pauses;
		}
	return n;
}
