/* mta/warmup/inside.h - what the files of this folder share; for them alone.
 * Names: warmup_, desk_, recent_ */
#pragma once
#include <pthread.h>

#include "base/list.h"
#include "base/map.h"
#include "mta/warmup/warmup.h"

/* A line of warmup.plans. */
struct warmup_line {
	struct ip source;
	char *provider, *text;
};
struct warmup_options {
	char *plan_list;
	struct warmup_line *lines;
	unsigned n_lines;
	int64_t sample, deferrals, blocks, bounces, complaints, release, reached;
};
/* "192.0.2.9 gmail <plan>"; the caller frees the texts.  E_SYNTAX. */
int warmup_line_read(struct slice s, struct warmup_line *ret) MUST_CHECK;
bool warmup_is_provider(struct slice s); /* a name, "other" or "*" */

/* A plan in force, or a pause. */
struct warmup_entry {
	struct list link;
	struct ip source;
	char *provider;
	char *text, *author; /* author NULL: of the configuration; of a pause its text */
	struct warmup_plan plan;
};
struct warmup_own {
	struct warmup_pair pair;
	struct map_link link;
	struct ip source;
	char *provider;
	const struct warmup_entry *entry, *pause; /* NULL: none */
	struct warmup_days days;
	int32_t date;                /* that `left` counts; 0: none yet */
	uint32_t number;             /* of the date, in `left` */
	bool warmed, dirty, failing; /* failing: the spool did not take its record */
	int64_t saved_ms, spent_ms;  /* wall clock; spent_ms 0: not today */
	uint64_t plan_hash;          /* of the text of its plan; 0: it had none so far */
	int32_t granting;            /* written, not yet durable */
	uint32_t granting_number;    /* the number of its date */
	bool waits;
	struct durable_wait wait;
};
struct warmup_recent;
struct warmup {
	struct engine *engine;
	pthread_mutex_t lock;
	_Atomic unsigned n_plans, generation;
	_Atomic bool asked;        /* a lane waits for the desk */
	struct list plans, pauses; /* orders and lines of the configuration; the latest last */
	unsigned n_orders;
	struct map pairs;
	struct warmup_pair surplus; /* of those that cannot be known: nothing may leave */
	struct warmup_bounds bounds;
	_Atomic(struct warmup_recent *) recent;
	struct warmup_desk *desk; /* NULL before and after it runs */
};

static inline struct warmup_own *warmup_own_of(struct warmup_pair *p)
{
	return container_of(p, struct warmup_own, pair);
}
static inline int32_t warmup_left(const struct warmup_pair *p)
{
	return (int32_t)(uint32_t)atomic_load(&p->left);
}

/* warmup.c, all with the lock */
struct warmup_day *warmup_today(struct warmup_own *o); /* NULL: the date has not begun */
bool warmup_is_limited(const struct warmup_own *o);
/* The lanes ask again for what they found. */
void warmup_news(struct warmup *w);
void warmup_read_lines(struct warmup *w); /* the options in force */
int warmup_open(struct engine *e, void **ret_shared) MUST_CHECK;
void warmup_close(void *shared);
struct warmup_own *warmup_own_get(struct warmup *w, const struct ip *source, struct slice provider);

/* desk.c, with the lock */
void desk_save(struct warmup_own *o); /* its day as a rule */
/* What lanes may do, after plan, pause or day changed. */
void desk_publish(struct warmup_own *o);
void desk_ask(struct warmup *w);  /* any thread, without the lock: a lane waits for it */
void desk_soon(struct warmup *w); /* it looks now; harmless on another thread than its own */

/* recent.c */
void recent_note(struct warmup *w, struct warmup_pair *p, struct id128 job, uint32_t row);
void recent_end(struct warmup *w);
