/* mta/site/sorting.h - orders that move some of a flow to another pool, and routes of smart hosts
 * that end or become others: those that wait in a pool are looked at in slices, and leave it when
 * they belong elsewhere.  Who is not looked at yet is sorted out when its turn comes.
 * Threads: the lane's. */
#pragma once
#include "mta/site/pool.h"

void sorting_init(struct pool *p);
void sorting_end(struct pool *p);
void sorting_rules_changed(struct pool *p);
