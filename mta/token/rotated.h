/* mta/token/rotated.h - the refresh tokens that token endpoints gave instead of those the control
 * plane told (tenants' own routes, mta/route/fed.h): in a small file beside the log, because a
 * provider that gave another one takes the old one for stolen.
 *
 *	line = tenant SP id SP origin SP refresh-token LF       numbers in hex
 *
 * The origin is what the control plane told: where that is another one, the file's does not count.
 *
 * Guarantee: a token counts at once, and is on the disk when rotated_put() returns 0.  The file is
 *            the engine's alone (0600), and bytes are wiped where they are dropped.
 * Owns:    rotated_new() gives the caller the object; the folder stays the caller's.
 * Blocks:  rotated_put() and rotated_keep() on the disk; rotated_get() on a short lock.
 * Threads: any.
 * Fails:   rotated_put(): as beside_write(); the token is in memory then.
 * Limits:  ROTATED_FILE_MAX bytes are read; a token for each route that there is. */
#pragma once
#include "mta/route/fed.h"
#include "spool/disk.h"

#define ROTATED_FILE "tokens"
enum { ROTATED_FILE_MAX = 64 * 1024 * 1024 };

struct rotated;
/* *ret_lost: a file was there, and not all of it could be read. */
struct rotated *rotated_new(const struct disk *d, int dirfd, bool *ret_lost);
struct rotated *rotated_free(struct rotated *r); /* takes NULL, gives NULL */
/* Of what the control plane told of the route: its endpoint, client and refresh token. */
uint64_t rotated_origin(const char *url, struct slice client, struct slice refresh);
/* Appends; false: there is none. */
bool rotated_get(struct rotated *r, const struct smart_route *route, uint64_t origin,
		 struct buf *out);
int rotated_put(struct rotated *r, uint64_t tenant, uint64_t id, uint64_t origin,
		struct slice refresh) MUST_CHECK;
/* Forgets those whose routes are gone. */
int rotated_keep(struct rotated *r, const struct smart_fed *there) MUST_CHECK;
