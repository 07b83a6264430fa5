/* mta/queue/table.h - the lane's tables of domains and flows, numbered so that a recipient can name
 * them in four bytes.
 *
 * A domain says where a recipient's mail goes: counts, the last answer.  The site room keeps its
 * part of it (mta/site/way.h) around this struct.  A domain without recipients is kept for a while,
 * so that its route stays known; those unused for longest go first.
 * A flow says who sent it: class, tenant, campaign, stream and egress pool; see mta/queue/fair.h.
 * Owns:   tables own their entries.
 * Limits: DOMAINS_IDLE_MAX domains and FLOWS_IDLE_MAX flows are kept without recipients. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "mta/queue/rcpt.h"
#include "schema/wire/status.h"

enum { DOMAINS_IDLE_MAX = 65536, FLOWS_IDLE_MAX = 1024, REPLY_KEPT = 160 };

struct queue;
struct tenant;
struct domain {
	struct map_link link;
	struct list idle; /* on the table's list of those without recipients */
	struct queue *queue;
	uint32_t index;
	uint32_t n[RCPT_STATES];
	uint32_t live; /* recipients that name it, dead ones included */
	struct fifo routing;
	/* Last answer that was no delivery. */
	struct status status;
	uint16_t code;
	uint8_t reply_n;
	char reply[REPLY_KEPT];
	int64_t reply_ms; /* wall clock; 0: none yet */
	uint16_t name_n;
	char *name; /* lower case; behind the struct */
};
static inline struct slice domain_name(const struct domain *d)
{
	return slice_of(d->name, d->name_n);
}

struct flow {
	struct map_link link;
	struct list idle;
	uint32_t index;
	uint8_t class;
	bool held;
	bool named;       /* its jobs name the pool */
	bool engaged;     /* its recipients read our mail: first from a new source */
	uint16_t pool;    /* its own, as mta/egress/egress.h numbers them */
	uint16_t to_pool; /* the one that it leaves from: an order may have moved it */
	uint16_t weight;  /* the tenant's, see tenant.weight */
	uint16_t turns;   /* the campaign's weight among those of the tenant */
	uint16_t stream;  /* as mta/queue/streams.h numbers them */
	uint64_t tenant, campaign;
	struct tenant *counted; /* where its recipients are counted; NULL: nowhere */
	uint32_t n[RCPT_STATES];
	uint32_t live;
};

struct table {
	struct map map;
	void **by_index;
	uint32_t n, cap, first_free;
	uint32_t *free_next; /* of unused numbers */
	struct list idle;    /* longest unused first */
	uint32_t n_idle;
};
void table_init(struct table *t);
uint32_t table_number(struct table *t, void *entry);
void table_forget(struct table *t, uint32_t index);
static inline struct domain *domain_at(const struct table *t, uint32_t i)
{
	return t->by_index[i];
}
static inline struct flow *flow_at(const struct table *t, uint32_t i)
{
	return t->by_index[i];
}
