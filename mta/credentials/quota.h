/* mta/credentials/quota.h - how many messages a credential took in the last hour and the last day:
 * what this window has, and of the window before the part that is not older than its length.
 * Owns:    quota_new() gives the first reference; the last quota_unref() frees it.
 * Threads: any; a short lock. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

struct quota_limits {
	uint64_t hour, day; /* messages; 0: no limit */
};
struct quota_window {
	int64_t begin_ms;
	uint64_t now, before;
};
struct quota {
	_Atomic unsigned refs;
	pthread_mutex_t lock;
	struct quota_window hour, day;
};

struct quota *quota_new(void);
struct quota *quota_ref(struct quota *q);
struct quota *quota_unref(struct quota *q); /* takes NULL, gives NULL */
/* 0: one more message may come; else milliseconds until that may be so.  count: it has come. */
int64_t quota_ask(struct quota *q, const struct quota_limits *l, int64_t now_ms, bool count);
/* The windows as they are; and put back, where they can be of this time. */
void quota_windows(struct quota *q, struct quota_window *ret_hour, struct quota_window *ret_day);
void quota_restore(struct quota *q, const struct quota_window *hour, const struct quota_window *day,
		   int64_t now_ms);
/* Messages of the last hour and the last day, as the limits count them. */
struct quota_limits quota_used(struct quota *q, int64_t now_ms);
