/* mta/load.c - durable jobs become recipients: those that were there at the start in slices between
 * deliveries, new ones as they are announced.
 *
 * A lane takes the rows whose domains hash to it.  The lane that is told of a new job (JOB_NEW)
 * tells the others that own rows of it (JOB_ROWS). */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "mta/work_int.h"

enum { SLICE_US = 5000, AGAIN_MS = 1, OVERDUE_SPREAD_S = 30 };

struct loader {
	struct work *w;
	struct chunk *k;
	struct flow *flow;
	uint32_t expires_s, now_s;
	bool check;      /* rows may have records already */
	uint64_t others; /* bits of lanes that own rows */
};

static struct slice domain_of(struct slice address)
{
	const char *at = memrchr(address.p, '@', address.n);

	return at ? slice_of(at + 1, address.n - (size_t)(at + 1 - address.p)) : slice_of("", 0);
}

static void load_row(struct loader *ld, uint32_t row, struct slice domain, uint64_t hash)
{
	struct work *w = ld->w;
	uint16_t attempts = 0;
	int64_t next_ms = 0;
	struct rcpt *r;
	rcpt_ref ref;

	if (ld->check && !spool_row_live(w->spool, ld->k->job, row, &attempts, &next_ms))
		return;
	ref = rcpt_new(&w->slab);
	r = rcpt_at(&w->slab, ref);
	r->job = ld->k->job;
	r->row = (uint16_t)row;
	r->attempts = attempts;
	r->domain = work_domain(w, domain, hash)->index;
	r->flow = ld->flow->index;
	ld->flow->live++;
	domain_at(&w->domains, r->domain)->n[RCPT_FREE]++; /* rcpt_become takes it from there */
	ld->flow->n[RCPT_FREE]++;
	rcpt_set_expiry(&w->slab, ref, ld->expires_s);
	if (!attempts)
		work_queue(w, ref);
	else if (next_ms / 1000 > ld->now_s)
		work_defer(w, ref, (uint32_t)(next_ms / 1000));
	else /* due while we were away: not all at once */
		work_defer(w, ref, ld->now_s + 1 + random_below(OVERDUE_SPREAD_S));
	count_add(&w->m->loaded_rcpts, 1);
}

static void load_rows(struct loader *ld)
{
	struct work *w = ld->w;
	unsigned lanes = engine_lanes(w->engine);

	for (uint32_t i = 0; i < ld->k->info.rows; i++) {
		struct slice domain = domain_of(wire_rows_address(ld->k->rows, i));
		uint64_t hash = hash_keyed_nocase(domain);
		unsigned lane = lanes == 1 ? 0 : (unsigned)((hash >> 32) % lanes);
		if (lane == w->lane->index)
			load_row(ld, i, domain, hash);
		else
			ld->others |= 1ULL << lane;
	}
}

static void load_job(struct work *w, job_no job, bool check, uint32_t tag, uint64_t *ret_others)
{
	struct loader ld = { .w = w, .now_s = wall_s(), .check = check };
	struct wire_job_meta *meta;
	int r;

	if (!check)
		shelf_chunk_forget(&w->shelf, job); /* the number may have been another job's */
	r = shelf_chunk(&w->shelf, job, &ld.k);
	if (r == E_UNKNOWN)
		return;
	if (r < 0) {
		log_error("job.unreadable", kv_int("job", job), kv_err("reason", r));
		return;
	}
	if (!check || start_job_tag(ld.k->info.id) == tag) {
		meta = &ld.k->meta;
		ld.flow = work_flow(w, ld.k->info.class, ld.k->info.tenant, ld.k->info.campaign,
				    work_pool_index(w, meta->pool));
		ld.expires_s = (uint32_t)MIN_OF(MAX_OF(ld.k->info.expires_ms / 1000, (int64_t)0),
						(int64_t)UINT32_MAX - 1);
		load_rows(&ld);
		work_flow_loaded(w, ld.flow);
		count_add(&w->m->loaded_jobs, 1);
	}
	shelf_chunk_unref(&w->shelf, ld.k);
	if (ret_others)
		*ret_others = ld.others;
}

static void load_given(struct work *w, struct given_job g)
{
	uint64_t others = 0;

	load_job(w, g.job, false, 0, &others);
	for (unsigned i = 0; g.how == JOB_NEW && others; i++, others >>= 1)
		if (others & 1)
			lane_give_job(engine_lane(w->engine, i),
				      (struct given_job){ g.job, JOB_ROWS });
}

/* New mail first, then what was there at the start. True when there is more. */
static bool load_slice(struct work *w)
{
	int64_t end = clock_mono_us() + SLICE_US;
	const struct start_jobs *start = engine_start_jobs(w->engine);

	for (;;) {
		if (w->next_job == w->n_jobs) {
			w->next_job = 0;
			w->n_jobs = lane_take_jobs(w->lane, &w->jobs, &w->cap_jobs);
		}
		if (w->next_job < w->n_jobs) {
			load_given(w, w->jobs[w->next_job++]);
		} else if (w->next_start < start->n) {
			load_job(w, start->all[w->next_start].job, true,
				 start->all[w->next_start].tag, NULL);
			w->next_start++;
			count_sub(&w->m->start_jobs_left, 1);
		} else {
			return false;
		}
		if (clock_mono_us() >= end)
			return true;
	}
}

static void on_load(struct timer *t)
{
	struct work *w = container_of(t, struct work, load);

	if (!w->stopping && load_slice(w))
		timer_set(w->loop->timers, t, AGAIN_MS);
}

void load_look(struct work *w)
{
	if (!timer_running(&w->load))
		on_load(&w->load);
}

void load_init(struct work *w)
{
	count_add(&w->m->start_jobs_left, engine_start_jobs(w->engine)->n);
	timer_init(&w->load, on_load);
	timer_set(w->loop->timers, &w->load, 0);
}
