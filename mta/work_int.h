/* mta/work_int.h - the inside of a delivering lane, for the files that are its parts:
 *	load.c (jobs to recipients), sweep.c (expiry, cancels), site.c (routes, sites, hosts),
 *	pool.c (who goes next), channel.c (connections), deliver.c (transactions), shelf.c.
 * Threads: the lane's. */
#pragma once
#include "mta/shelf.h"
#include "mta/config.h"
#include "mta/engine_run.h"
#include "mta/lane.h"
#include "mta/limits.h"
#include "mta/standing.h"
#include "mta/table.h"
#include "mta/wheel.h"
#include "mta/work.h"

enum { POOLS_MAX = 255, ROUTES_ASKED_MAX = 256 };

struct work {
	struct lane *lane;
	struct engine *engine;
	struct spool *spool;
	struct loop *loop;
	struct metrics *m;
	struct rules *rules;
	struct limits *limits;
	const struct mta_config *config; /* newest; reload changes it */
	struct resolver *resolver;
	struct route_options route_options;
	struct tls_context *tls;
	bool stopping, freeing;

	struct slab slab;
	struct table domains, flows;
	struct wheel wheel;
	struct fifo held;
	char *pool_names[POOLS_MAX];
	unsigned n_pools;

	struct map sites, hosts;
	uint32_t n_hosts;
	struct list asking; /* domains in line for DNS */
	unsigned n_asked;
	unsigned n_channels;
	struct list hungry; /* channels that could take more, when the turn's time was over */
	struct turn_end feed;
	int64_t turn_ms, turn_start_us; /* the turn we are in, and when delivering began in it */

	struct shelf shelf;
	struct list spare_one, spare_many; /* deliveries at rest */
	struct list late;                  /* outcomes the spool could not take yet */
	struct timer late_timer;
	struct timer tick; /* the wheel's second */
	bool tick_on;

	/* load.c */
	struct given_job *jobs;
	size_t n_jobs, cap_jobs, next_job;
	size_t next_start; /* in engine_start_jobs */
	struct timer load;
	/* sweep.c */
	struct timer sweep;
	size_t sweep_at;   /* slab chunk; SIZE_MAX: no sweep is under way */
	uint32_t sweep_in; /* place in it */
	bool sweep_cancels, sweep_again;
};

/* work.c */
void rcpt_become(struct work *w, rcpt_ref ref, enum rcpt_state state); /* keeps the counts */
void rcpt_end(struct work *w, rcpt_ref ref); /* finished, on no list: frees it */
struct domain *work_domain(struct work *w, struct slice name, uint64_t hash);
struct flow *work_flow(struct work *w, uint8_t class, uint64_t tenant, uint64_t campaign,
		       unsigned pool);
void work_flow_loaded(struct work *w, struct flow *f); /* after work_flow() and its recipients */
unsigned work_pool_index(struct work *w, struct slice name);
void work_queue(struct work *w,
		rcpt_ref ref); /* due: to its pool's line, or to wait for its route */
void work_defer(struct work *w, rcpt_ref ref, uint32_t due_s); /* to the wheel */
void work_wheel_again(struct work *w);                   /* due times on the wheel were changed */
int64_t work_retry_s(struct work *w, unsigned attempts); /* with jitter */
void work_fatal(struct work *w, int err); /* the spool can take no more: end the process */
void domain_note_reply(struct domain *d, uint16_t code, struct status s, struct slice text);

/* load.c */
void load_init(struct work *w);
void load_look(struct work *w);
/* sweep.c */
void sweep_init(struct work *w);
void sweep_start(struct work *w, bool cancels);
/* Does a cancel order name it?  why gets the order. */
bool sweep_cancelled(struct work *w, const struct rcpt *r, char *why, size_t cap);
#include "base/clock.h"
static inline uint32_t wall_s(void)
{
	return (uint32_t)(clock_wall_ms() / 1000);
}
