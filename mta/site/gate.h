/* mta/site/gate.h - where a tenant's mail waits that a limit of the tenant's own stops: one gate
 * per limit, at which all pools of the lane stand in line that have mail of it.
 *
 * While it waits, fair queueing does not see it, and it is in nobody's way.  When the limit lets
 * one more go, the first in line is opened, and it stands at the end of the line when it is
 * stopped again.  Of two classes the transactional one goes first, nine times of ten.
 * Guarantee: what waits costs nothing until its gate's time has come; then one pool is looked at.
 * Owns:    a gate lives while somebody waits at it; the lane owns it.
 * Threads: the lane's; the limit is shared by the lanes.
 * Limits:  a place that another lane gives back is noticed within GATE_LOOK_MS. */
#pragma once
#include "mta/site/pool.h"

enum { GATE_LOOK_MS = 20 };

enum lid_kind { LID_CONNECTIONS, LID_MESSAGES, LID_BYTES };
/* One limit of a tenant. */
struct lid {
	enum lid_kind kind;
	int64_t value;            /* connections, or so many per day */
	struct tenant_limits *at; /* where it is counted */
	struct site_limits *where;
	uint16_t from;  /* the rule of a shape; SHAPE_RULES_MAX: the limits of the tenant */
	bool of_source; /* over one source alone: another may take the mail */
};
/* Until it lets one more go, in microseconds; 0: now. */
int64_t lid_wait_us(const struct lid *l, int64_t now_us);
/* What the pool has of this flow's tenant and class waits there. */
void gate_shut(struct pool *p, const struct flow *flow, const struct lid *l);
/* A place was given back. */
void gate_look(struct sites *s, const struct tenant_limits *at);
void gates_end(struct sites *s); /* after the pools */
