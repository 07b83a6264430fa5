/* mta/queue/queue.h - the recipients of one lane, from a durable job until somebody delivers them:
 * loaded, waiting for their route, ready, deferred, held, ended when they expire.
 *
 * A recipient's state is the list it is on, and one function moves it: queue_move().  Whoever takes
 * recipients off a list asks for the next one that still lives: queue_next().
 *
 * Higher rooms give the queue two small tables.  struct queue_ways is the site room's: where a due
 * recipient goes.  struct queue_ends is the deliver room's: a decision becomes a record.
 * Owns:    recipients, domains, flows and what is decoded.  Those who gave the tables outlive the
 *          queue.
 * Blocks:  on the spool's files while loading.
 * Threads: the lane's, except queue_job_added() and the sums, which any thread may call. */
#pragma once
#include "mta/core/chore.h"
#include "mta/core/part.h"
#include "mta/egress/egress.h"
#include "mta/queue/chunks.h"
#include "mta/queue/contents.h"
#include "mta/queue/decision.h"
#include "mta/queue/fair.h"
#include "mta/queue/load.h"
#include "mta/queue/options.h"
#include "mta/queue/streams.h"
#include "mta/queue/sweep.h"
#include "mta/queue/times.h"
#include "mta/queue/wheel.h"
#include "mta/rules/rules.h"
#include "mta/tenants/tenancy.h"

struct queue_counters {
	counter queued_routing, queued_ready, queued_deferred, queued_held, in_flight;
	counter loaded_jobs, loaded_rcpts, domains, start_jobs_left, looked;
};

/* Where due recipients go.  A domain is the first member of a struct of `domain_size` bytes. */
struct queue_ways {
	size_t domain_size;
	void (*domain_begin)(struct queue_ways *w, struct domain *d);
	bool (*domain_busy)(const struct domain *d); /* it must not be forgotten now */
	void (*due)(struct queue_ways *w, struct domain *d, rcpt_ref ref); /* moves it on */
	void (*flows_changed)(struct queue_ways *w); /* some were held or released */
	/* Where the flow's mail to it goes (NULL: any), as far as it is known: names of the site
	 * and of its provider. */
	void (*place)(const struct domain *d, const struct flow *f, struct slice *ret_site,
		      struct slice *ret_provider);
};
/* What becomes of a decision: a record, and the recipient's next state. */
struct queue_ends {
	void (*decide)(struct queue_ends *e, rcpt_ref ref, const struct decision *d);
};

struct queue {
	struct lane *lane;
	struct engine *engine;
	struct spool *spool;
	struct loop *loop;
	struct rules *rules;
	struct tenancy *tenancy;
	struct egress *egress;
	const struct queue_options *options;
	struct queue_ways *ways;
	struct queue_ends *ends;
	bool stopping;
	struct times times; /* due_s and expires_s are seconds of it */

	struct slab slab;
	struct table domains, flows;
	struct streams streams;
	struct wheel wheel;
	struct timer tick;          /* the wheel's second */
	struct chore due;           /* what is due by then */
	struct fifo held, released; /* released: looked at again, a slice at a time */
	struct chore release;
	struct chunks chunks;
	struct contents contents;
	struct load load;
	struct sweep sweep;
	struct queue_counters counters;
};

extern const struct part queue_part;
struct queue *queue_of(struct lane *l);

/* ---- moving ------------------------------------------------------------------------------ */

struct queue_move {
	enum rcpt_state to;
	uint32_t due_s;    /* RCPT_DEFERRED */
	struct fair *fair; /* RCPT_READY: whose line; front: before the others */
	bool front;
};
/* The only way in which a recipient changes its state.  It must be on no list, unless it becomes
 * RCPT_DEAD: then it stays on its list until somebody takes it from there.  Counts follow.  False:
 * it joined a line that is held. */
bool queue_move(struct queue *q, rcpt_ref ref, struct queue_move m);
void queue_end(struct queue *q, rcpt_ref ref); /* finished and on no list: frees it */
/* It is due now: it goes to where the mail of its domain goes. */
void queue_due(struct queue *q, rcpt_ref ref);
void queue_defer(struct queue *q, rcpt_ref ref, uint32_t due_s);
void queue_wheel_again(struct queue *q); /* due times on the wheel were changed */

/* Something that gives recipients one by one; a member of whatever knows where they come from. */
struct rcpt_source {
	rcpt_ref (*next)(struct rcpt_source *s); /* RCPT_NONE: no more */
	unsigned looks;                          /* how many may be taken, dead ones too */
};
/* The next that still lives, or RCPT_NONE: none, or `looks` is used up.  Frees dead ones on the
 * way. */
rcpt_ref queue_next(struct queue *q, struct rcpt_source *s);
struct fifo_source {
	struct rcpt_source source;
	const struct slab *slab;
	struct fifo *fifo;
};
struct fifo_source queue_fifo_source(struct queue *q, struct fifo *f, unsigned looks);

/* ---- domains and flows ------------------------------------------------------------------- */

static inline struct rcpt *queue_rcpt(const struct queue *q, rcpt_ref ref)
{
	return rcpt_at(&q->slab, ref);
}
static inline struct domain *queue_domain_of(const struct queue *q, const struct rcpt *r)
{
	return domain_at(&q->domains, r->domain);
}
static inline struct flow *queue_flow_of(const struct queue *q, const struct rcpt *r)
{
	return flow_at(&q->flows, r->flow);
}
static inline struct slice queue_stream_of(const struct queue *q, const struct flow *f)
{
	return streams_name(&q->streams, f->stream);
}
/* The recipient that is about to name it keeps it off the idle list. */
struct domain *queue_domain(struct queue *q, struct slice name, uint64_t hash);
struct domain *queue_find_domain(struct queue *q, struct slice name); /* NULL: not here */
/* The flow of like's class, tenant, campaign, stream and pool. */
struct flow *queue_flow(struct queue *q, const struct flow *like);
void queue_flow_loaded(struct queue *q, struct flow *f); /* after queue_flow() and recipients */
void queue_note_reply(struct domain *d, uint16_t code, struct status status, struct slice text);

/* ---- rules ------------------------------------------------------------------------------- */

/* Is it to end at once?  `why`, of RULE_TEXT_MAX, gets the order, or the text of its bounce. */
bool queue_ends_now(struct queue *q, const struct rcpt *r, bool *ret_bounce, char *why);
/* The pool that it leaves from.  Most often its flow says so. */
unsigned queue_pool_of(struct queue *q, const struct rcpt *r);
/* An order moves some of a flow, but not all of it. */
bool queue_moves_finely(const struct queue *q);
/* So many were looked at in one slice of a chore, for a question or an order. */
static inline void queue_looked(struct queue *q, unsigned n)
{
	count_add(&q->counters.looked, n);
}

/* ---- any thread -------------------------------------------------------------------------- */

/* A job became durable: its rows go to the lanes that own their domains. */
void queue_job_added(struct engine *e, job_no job);
uint64_t queue_known(struct engine *e); /* recipients in the queues of all lanes */
/* Jobs from before the start that lanes have not read yet.  Each lane reads all of them. */
uint64_t queue_loading(struct engine *e);

/* ---- time, the lane's -------------------------------------------------------------------- */

void queue_look_at_clock(struct queue *q); /* before stored times are read or written */
static inline uint32_t queue_now_s(const struct queue *q)
{
	return (uint32_t)(times_now_ms(&q->times) / 1000);
}
/* due_s or expires_s as the wall clock has it. */
static inline int64_t queue_wall_ms(const struct queue *q, uint32_t s)
{
	return times_to_wall_ms(&q->times, (int64_t)s * 1000);
}
