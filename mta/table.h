/* mta/table.h - the lane's tables of domains and flows, numbered so that a recipient can name them
 * in four bytes.
 *
 * domain: where a recipient's mail goes; route, counts, last answer.  A domain without recipients
 * is
 *         kept for a while (its route stays known), the longest unused go first.
 * flow:   who sent it: class, tenant, campaign and egress pool; see mta/fair.h.
 * Owns:   tables own their entries.  Limits: DOMAINS_IDLE_MAX domains and FLOWS_IDLE_MAX flows are
 *         kept without recipients. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "dns/route.h"
#include "mta/door/timer.h"
#include "mta/rcpt.h"

enum { DOMAINS_IDLE_MAX = 65536, FLOWS_IDLE_MAX = 1024, REPLY_KEPT = 160 };

struct site;
struct work;
struct domain {
	struct map_link link;
	struct list idle;   /* no recipients: on the table's list of such */
	struct list asking; /* waits for its turn to ask DNS */
	struct work *work;
	uint32_t index;
	uint32_t n[RCPT_STATES];
	uint32_t live; /* recipients that name it, dead ones included */
	struct fifo routing;
	struct site *site; /* NULL until known */
	struct route_query query;
	bool asked;               /* the question is out */
	bool draining;            /* its list is being finished in slices */
	enum route_status status; /* of the last answer */
	int64_t fresh_until_ms;   /* monotonic: ask again after this */
	int64_t stale_until_ms;   /* and no longer use it after this */
	int64_t not_before_ms;    /* monotonic: DNS trouble, ask later */
	uint8_t troubles;
	struct timer later;
	/* last answer that was no delivery */
	uint16_t code, dsn[3];
	uint8_t reply_n;
	char reply[REPLY_KEPT];
	int64_t reply_ms; /* wall clock */
	uint16_t name_n;
	char name[];
};

struct flow {
	struct map_link link;
	struct list idle;
	uint32_t index;
	uint8_t class, pool;
	bool held;
	uint16_t weight; /* the tenant's, see tenant.weight */
	uint64_t tenant, campaign;
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
