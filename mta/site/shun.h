/* mta/site/shun.h - addresses that are no good for one site alone: the host works, but not as the
 * site's policy demands.  Other domains at the same address go on.
 * Owns:    a host's marks are its own; sites live as long as hosts do.
 * Threads: the lane's. */
#pragma once
#include "base/base.h"

struct site;
struct shun {
	struct shun *next;
	const struct site *site;
	int64_t until_ms; /* monotonic */
};
bool shun_holds(const struct shun *list, const struct site *s, int64_t now_ms);
void shun_set(struct shun **list, const struct site *s, int64_t until_ms);
/* It ends at `when_ms`, when it would have ended later. */
void shun_end_by(struct shun *list, const struct site *s, int64_t when_ms);
void shun_drop(struct shun **list);
