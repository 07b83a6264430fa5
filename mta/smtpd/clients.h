/* mta/smtpd/clients.h - how many sessions a service has, in total and per address.  It counts for
 * the whole process, because the kernel spreads the connections of one client over the lanes.
 * Owns:    an entry per address, until the last session of that address leaves.
 * Blocks:  on its lock, for a moment.
 * Threads: any. */
#pragma once
#include <pthread.h>

#include "base/address.h"
#include "base/map.h"

struct smtpd_clients { /* one static object per service; starts as SMTPD_CLIENTS_INIT */
	pthread_mutex_t lock;
	struct map by_ip;
	int64_t all;
};
#define SMTPD_CLIENTS_INIT                                                                         \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER                                                  \
	}

/* False: there are `max` sessions already, or `max_client` of this address. */
bool smtpd_clients_enter(struct smtpd_clients *c, const struct ip *ip, int64_t max,
			 int64_t max_client);
void smtpd_clients_leave(struct smtpd_clients *c, const struct ip *ip);
