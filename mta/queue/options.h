/* mta/queue/options.h - options of the queue: shares of the turns, memory for decoded mail. */
#pragma once
#include "base/settings.h"

enum { WEIGHTS_MAX = 1024 };

struct tenant_weight {
	uint64_t tenant;
	uint16_t weight;
};
struct queue_options {
	int64_t transactional_share; /* percent */
	char *weight_list;
	int64_t cache_jobs, cache_contents;        /* bytes */
	struct tenant_weight weights[WEIGHTS_MAX]; /* by tenant */
	unsigned n_weights;
};
extern const struct option_set queue_option_set;
uint16_t queue_tenant_weight(const struct queue_options *o, uint64_t tenant); /* 1 unless given */
