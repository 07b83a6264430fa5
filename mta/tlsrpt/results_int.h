/* mta/tlsrpt/results_int.h - what is in the results; for the files of this folder alone.  Whoever
 * looks holds the lock. */
#pragma once
#include <pthread.h>

#include "base/list.h"
#include "base/map.h"
#include "mta/tlsrpt/results.h"

enum { RESULTS_REASON_MAX = 200, DAY_MS = 86400 * 1000 };

struct tally_failure {
	struct list link;
	enum results_kind kind;
	uint64_t n;
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	char *mx, *reason; /* all four are empty where there was no room for details */
};
struct tally_policy {
	struct list link;
	enum results_policy policy;
	uint64_t success, failure;
	char *text; /* its lines as RFC 8460 has them: policy-string; LF between them */
	char *mx;   /* likewise: mx-host */
	struct list failures;
	unsigned n_failures;
};
struct tally {
	int64_t day;
	uint64_t nonce; /* of its report */
	struct list policies;
	unsigned n_policies;
	int64_t next_ms; /* wall clock: when it is reported, or tried again */
	unsigned tries;
	bool in_hand;
};
/* Where a report went. */
struct tally_told {
	char where[REPORTING_SHOWN_MAX], what[RESULTS_WHAT_MAX];
	int64_t at_ms;
	bool done;
};
struct tally_domain {
	struct map_link link;
	struct list all;
	struct tally *today, *due;
	int64_t told_day; /* of what was told */
	unsigned n_told;
	struct tally_told *told; /* REPORTING_URIS_MAX, once something was */
	char name[];
};
struct results {
	pthread_mutex_t lock;
	struct map map;
	struct list all;
	unsigned n_rows;
	bool dirty, lost;
	const struct disk *disk;
	int dirfd;
};

struct tally_domain *results_find(struct results *r, struct slice name);
struct tally_domain *results_add(struct results *r, struct slice name); /* NULL: no room */
struct tally *results_tally(int64_t day);
struct tally *results_drop(struct results *r, struct tally *t); /* takes NULL, gives NULL */
struct tally_policy *results_policy(struct tally *t, enum results_policy p, struct slice text,
				    struct slice mx);
void results_count(struct results *r, struct tally_policy *p, const struct tally_failure *f,
		   struct slice mx, struct slice reason);
struct tally_told *results_told_row(struct tally_domain *d, const char *where);

/* store.c: the file as text, both ways. */
void results_write(const struct results *r, struct buf *out);
void results_read(struct results *r, struct slice text); /* sets lost */
