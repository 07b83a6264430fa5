/* mta/site/failures.h - transcripts of sessions that failed, kept for a while without asking: of
 * transactions that left somebody without a delivery, and of connections that ended in trouble.
 *
 * Owns:    copies; the oldest make room.
 * Threads: the lane's.
 * Limits:  transcript.bytes in all, shared out to the lanes; FAILURES_PER_S of them in a second;
 *          FAILURE_ROWS recipients of a transaction are named. */
#pragma once
#include "base/settings.h"
#include "mta/site/channel.h"

enum { FAILURES_PER_S = 50, FAILURE_ROWS = 50 };

struct failure_options {
	int64_t keep, bytes;
};
extern const struct option_set failure_option_set;

struct failure {
	struct list link;
	int64_t at_ms; /* wall clock */
	const struct site *site;
	struct id128 job; /* of the transaction; rows 0: there was none */
	unsigned n_rows;
	uint32_t rows[FAILURE_ROWS];
	char ip[IP_TEXT_MAX], source[IP_TEXT_MAX], host[128], tls[96];
	struct session_times times;
	bool cut;
	uint16_t opening_n, n;
	char bytes[]; /* opening, then recent */
};
struct failures {
	const struct failure_options *options;
	struct list all; /* oldest first */
	size_t bytes, most;
	int64_t second;
	unsigned in_second;
};
struct failures *failures_new(void);
struct failures *failures_free(struct failures *f);
void failures_reload(struct failures *f, const struct settings *all, unsigned lanes);
/* Keeps what the channel's session said and heard.  job may be NULL, then there are no rows. */
void failures_keep(struct channel *ch, const struct id128 *job, const uint32_t *rows, unsigned n);
/* From the latest on; those that are too old are not given.  Start with NULL. */
const struct failure *failures_next(const struct failures *f, const struct failure *after);
