/* mta/shadow/inside.h - between the reading of the log and its second life.
 * Names: shadow_, gather_, life_ */
#pragma once
#include "mta/shadow/shadow.h"
#include "mta/site/adapt.h"

enum { SHADOW_NONE = UINT32_MAX, SHADOW_SOURCES = 16 };

/* What was said to one recipient at one try, and what it means now. */
struct shadow_reply {
	int64_t at_ms;
	uint32_t next; /* of the same recipient */
	uint32_t for_s, named_s;
	uint16_t code;
	uint8_t kind;   /* as recorded */
	uint8_t action; /* enum judge_action_kind */
	uint8_t source; /* of its group's */
	uint8_t class;
};
struct shadow_rcpt {
	struct id128 job;
	uint32_t row, group;
	uint32_t first, last; /* replies */
	int64_t accepted_ms;
	uint32_t tries; /* in its second life */
};
/* A source at a group. */
struct shadow_source {
	char name[46];
	int64_t until_ms; /* suspended */
	unsigned strikes, times;
	struct adapt adapt;
	double next_ms; /* its pace */
};
struct shadow_busy {
	struct shadow_group facts;
	struct shape shape;
	struct shadow_source sources[SHADOW_SOURCES];
	unsigned n_sources;
	int64_t window_ms; /* of ten seconds, to find the best pace */
	uint64_t in_window, best_window;
};
struct shadow {
	const struct shapes *shapes;
	const struct judge *judge;
	int64_t from_ms;
	struct shadow_sums sums;
	struct shadow_reply *replies;
	struct shadow_rcpt *rcpts;
	uint32_t n_replies, cap_replies, n_rcpts, cap_rcpts;
	uint32_t *index, index_n; /* of rcpts, open addressing; a power of two */
	struct shadow_busy **groups;
	unsigned n_groups;
	uint32_t by_name[2 * SHADOW_GROUPS_MAX]; /* a group's number and 1; 0: none */
	struct shadow_change changes[SHADOW_CHANGES_MAX];
	unsigned n_changes;
	struct shadow_job *jobs;
	uint32_t n_jobs, cap_jobs;
};
struct shadow_job {
	struct id128 id;
	int64_t accepted_ms;
};
void life_run(struct shadow *s, uint32_t group, uint32_t *rcpts, uint32_t n);
