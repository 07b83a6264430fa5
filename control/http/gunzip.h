/* control/http/gunzip.h - what a gzip stream holds (RFC 1952), several members one after another
 * too; zlib streams as well (RFC 1950).
 * Owns:   gunzip_open() gives the caller the reader; slices live until each() returns.
 * Blocks: never.
 * Fails:  E_SYNTAX for a stream that is damaged, cut short, or followed by anything but zeros;
 *         -ENOMEM; what each() returns below 0 ends the feed.
 * Limits: none on the size: each() counts. */
#pragma once
#include "base/base.h"

typedef int (*gunzip_each)(void *arg, struct slice plain);

struct gunzip;
struct gunzip *gunzip_free(struct gunzip *z);
DEFINE_OWNED(gunzip)
int gunzip_open(struct gunzip **ret, gunzip_each each, void *arg) MUST_CHECK;
int gunzip_feed(struct gunzip *z, struct slice piece) MUST_CHECK;
int gunzip_end(struct gunzip *z) MUST_CHECK;
