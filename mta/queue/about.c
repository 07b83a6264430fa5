/* mta/queue/about.c - facts about recipients, gathered where they are. */
#include "mta/queue/about.h"

#include "base/clock.h"

static bool leaves_from(const struct subject *s, const struct ip *source)
{
	const struct queue *q = s->arg;
	unsigned pool = egress_pool(q->egress, s->pool);
	const struct source *member;

	for (unsigned i = 0; (member = egress_source(q->egress, pool, i)) != NULL; i++)
		if (ip_eq(&member->ip, source))
			return true;
	return false;
}

void about_pool(struct about *a, const char *name)
{
	a->s.pool = slice_str(name);
	a->s.leaves_from = leaves_from;
	a->s.arg = a->queue;
	a->s.knows |= SELECTS(SELECT_POOL) | SELECTS(SELECT_SOURCE);
}

static void add_flow(struct about *a, const struct flow *f, unsigned keys)
{
	a->s.tenant = f->tenant;
	a->s.campaign = f->campaign;
	a->s.stream = queue_stream_of(a->queue, f);
	a->s.knows |= SELECTS_FLOW;
	if (keys & (SELECTS(SELECT_POOL) | SELECTS(SELECT_SOURCE)))
		about_pool(a, egress_pool_name(a->queue->egress, f->to_pool));
}

void about_flow(struct about *a, struct queue *q, const struct flow *f)
{
	*a = (struct about){ .queue = q };
	add_flow(a, f, SELECTS_ALL);
}

static void add_domain(struct about *a, const struct domain *d, const struct flow *f, unsigned keys)
{
	a->s.domain = domain_name(d);
	a->s.knows |= SELECTS(SELECT_DOMAIN);
	if (keys & SELECTS(SELECT_REPLY)) {
		a->s.reply = slice_of(d->reply, d->reply_n);
		a->s.knows |= SELECTS(SELECT_REPLY);
	}
	if (keys & (SELECTS(SELECT_PROVIDER) | SELECTS(SELECT_SITE))) {
		a->queue->ways->place(d, f, &a->s.site, &a->s.provider);
		a->s.knows |= SELECTS(SELECT_PROVIDER) | SELECTS(SELECT_SITE);
	}
}

void about_domain(struct about *a, struct queue *q, const struct domain *d, const struct flow *f)
{
	*a = (struct about){ .queue = q };
	add_domain(a, d, f, SELECTS_ALL);
}

static void add_rcpt(struct about *a, const struct rcpt *r, unsigned keys)
{
	const struct flow *f = queue_flow_of(a->queue, r);

	add_flow(a, f, keys);
	add_domain(a, queue_domain_of(a->queue, r), f, keys);
	a->s.row = r->row;
	a->s.attempts = r->attempts;
	a->s.class = r->class ? r->class - 1U : UINT32_MAX;
	a->s.knows |= SELECTS(SELECT_ATTEMPTS) | SELECTS(SELECT_CLASS);
}

static void add_job(struct about *a, const struct job_info *info)
{
	a->s.job = info->id;
	a->s.age_ms = clock_wall_ms() - info->accepted_ms;
	a->s.knows |= SELECTS_JOB;
}

static void add_rows(struct about *a, const struct chunk *k, uint32_t row)
{
	a->s.sender = k->meta.mail_from;
	a->s.recipient = wire_rows_address(k->rows, row);
	a->s.knows |= SELECTS_ROWS;
}

void about_chunk(struct about *a, struct queue *q, const struct rcpt *r, const struct chunk *k,
		 unsigned keys)
{
	*a = (struct about){ .queue = q };
	add_rcpt(a, r, keys);
	add_job(a, &k->info);
	add_rows(a, k, r->row);
}

void about_rcpt(struct about *a, struct queue *q, const struct rcpt *r, unsigned keys)
{
	struct job_info info;

	*a = (struct about){ .queue = q };
	add_rcpt(a, r, keys);
	if ((keys & SELECTS_ROWS) && chunks_get(&q->chunks, r->job, &a->chunk) < 0)
		a->chunk = NULL;
	if (a->chunk) {
		add_job(a, &a->chunk->info);
		add_rows(a, a->chunk, r->row);
	} else if ((keys & SELECTS_JOB) && spool_job_info(q->spool, r->job, &info) == 0) {
		add_job(a, &info);
	}
}

void about_end(struct about *a)
{
	chunks_unref(&a->queue->chunks, a->chunk);
	a->chunk = NULL;
}
