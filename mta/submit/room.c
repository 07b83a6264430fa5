/* mta/submit/room.c - room in the queues of tenants. */
#include "mta/submit/room.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"

static struct slice full(struct submit_lane *on, uint64_t tenant)
{
	int64_t most = tenancy_limits(on->tenancy, tenant).v[TENANT_QUEUE];
	int n;

	count_add(&on->counters.queue_full, 1);
	log_info("submission.queue-full", kv_int("tenant", (int64_t)tenant));
	n = snprintf(on->reply, sizeof(on->reply),
		     "452 4.3.1 no room in your queue, which holds %" PRId64
		     " recipients, try again later\r\n",
		     most);
	return slice_of(on->reply, (size_t)n);
}

struct slice submit_room_ask(struct submit_lane *on, uint64_t tenant)
{
	return tenancy_is_full(on->tenancy, tenant) ? full(on, tenant) : SMTPD_GO_ON;
}

struct slice submit_room_take(struct submit_lane *on, uint64_t tenant, uint32_t rcpts)
{
	return tenancy_admit(on->tenancy, tenant, rcpts) ? SMTPD_GO_ON : full(on, tenant);
}

void submit_room_give_back(struct submit_lane *on, uint64_t tenant, uint32_t rcpts)
{
	tenancy_give_back(on->tenancy, tenant, rcpts);
}
