/* mta/core/slots.h - bounded counts that lanes share: connections of a site, of a source.
 * Threads: any; the counts are atomic.
 * Fails:   never; a slot is taken or it is not. */
#pragma once
#include <stdatomic.h>

#include "base/base.h"

typedef _Atomic int slot_count;

/* Takes a slot if fewer than max are taken. */
static inline bool slots_take(slot_count *s, int64_t max)
{
	int n = atomic_load_explicit(s, memory_order_relaxed);

	while (n < max)
		if (atomic_compare_exchange_weak_explicit(s, &n, n + 1, memory_order_relaxed,
							  memory_order_relaxed))
			return true;
	return false;
}
static inline void slots_give(slot_count *s)
{
	atomic_fetch_sub_explicit(s, 1, memory_order_relaxed);
}
