/* spool/folder.h - the folder of a spool as readers see it: its segments in the order of the log.
 * Owns:   folder_list() and folder_open() fill a folder, folder_free() ends it; folder_enter()
 *         opens a file, folder_leave() closes it.
 * Fails:  -errno; folder_open(): -ENOENT, or E_CORRUPT when the segments of a spool are gone;
 *         folder_enter(): E_CORRUPT, E_VERSION for a bad header.
 * Limits: the list is that of the moment; a segment removed since then gives -ENOENT. */
#pragma once
#include "spool/disk.h"
#include "spool/durable.h"
#include "spool/format.h"
#include "spool/scan.h"

#define SPARE_NAME "spare" /* the next segment, not named yet: it holds no promise */
enum { SEGMENT_NAME = 24 };

struct folder {
	const struct disk *disk;
	int dirfd;
	lsn_t *starts; /* ascending */
	size_t n, cap;
	bool spare;
	struct durable_mark mark; /* read before the names were: the log reaches at least this */
};
void folder_segment_name(lsn_t start, char *buf); /* buf holds SEGMENT_NAME bytes */

int folder_list(struct folder *f, const struct disk *disk, int dirfd) MUST_CHECK;
int folder_open(struct folder *f, const struct disk *disk, const char *path) MUST_CHECK;
void folder_free(struct folder *f); /* closes dirfd: for folder_open */
/* A scan of segment i that stands at its first record.  Its limit is where the next segment begins;
 * the newest one's is the end of its file. */
int folder_enter(const struct folder *f, size_t i, struct segment_header *h,
		 struct scan *s) MUST_CHECK;
void folder_leave(struct scan *s);
/* How many bytes the log, which ends at `end`, lacks of what was durable. */
static inline uint64_t folder_lacks(const struct durable_mark *mark, struct id128 spool, lsn_t end)
{
	return id_eq(mark->spool, spool) && mark->lsn > end ? mark->lsn - end : 0;
}
