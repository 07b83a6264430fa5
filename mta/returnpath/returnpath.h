/* mta/returnpath/returnpath.h - the return path of each recipient: the options, the keys and what a
 * lane needs to write and to read the addresses (verp.h says what is in them).
 *
 * Owns:    the part owns the keys; old ones are kept until the engine ends, so that a lane never
 *          holds what is gone.
 * Blocks:  returnpath_open at the start, and the front desk once an hour, on the folder of keys.
 * Threads: what takes a struct returnpath: any. */
#pragma once
#include "message/mailbox.h"
#include "mta/core/part.h"
#include "mta/returnpath/verp.h"

enum { RETURN_HOSTS_MAX = 64 };
struct returnpath_options {
	char *hosts, *keys;
	int64_t life; /* milliseconds */
	bool rewrite, unsubscribe;
	/* made from the rows */
	struct slice host[RETURN_HOSTS_MAX]; /* as written; they point into `hosts` */
	unsigned n_hosts;
};
extern const struct option_set returnpath_option_set;
extern const struct part returnpath_part;

struct returnpath;
struct returnpath *returnpath_of(struct engine *e);

/* Is mail for this host ours when it comes back? */
bool returnpath_has_host(const struct returnpath_options *o, struct slice host);
/* The host that stands for return paths of nobody in particular; empty: there is none. */
struct slice returnpath_first_host(const struct returnpath_options *o);

/* An address: verp_write() and "@host".  The length; 0: there are no keys, or it does not fit. */
enum { RETURNPATH_MAX = VERP_LOCAL_MAX + 1 + 255 };
size_t returnpath_write(struct returnpath *rp, const struct verp *t, struct slice host,
			char ret[RETURNPATH_MAX]);
/* E_DENIED: as verp_read(), and also where rp is NULL. */
int returnpath_read(struct returnpath *rp, struct slice local, struct slice host,
		    struct verp *ret) MUST_CHECK;
/* The last day on which a token that is made now is good. */
uint16_t returnpath_last_day(const struct returnpath_options *o);
