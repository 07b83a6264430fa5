/* mta/metrics/names.h - what the numbers are called as metrics: postern_<what>_<unit>, with
 * _total behind a counter, in seconds and bytes (https://prometheus.io/docs/practices/naming).
 * Most of them are called as their part calls them.
 * Owns:   nothing; the rows are the program's. */
#pragma once
#include "base/base.h"

struct metric_name {
	const char *ours;   /* in struct counter_row, struct books_row */
	const char *metric; /* without "postern_" and "_total" */
	const char *labels; /* one pair, or NULL */
	double unit;        /* of what is counted; 0: 1 */
	const char *help;   /* NULL: the part's */
};
/* NULL: it is called as its part calls it. */
const struct metric_name *metric_name(const char *ours);
