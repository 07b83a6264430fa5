/* base/file.h - whole small files: configuration, keys.  Spool bytes go through spool/disk.h.
 * Blocks: on the disk. */
#pragma once
#include "base/buf.h"

/* Appends the file's bytes to out; E_LIMIT past max. */
int file_read(const char *path, size_t max, struct buf *out) MUST_CHECK;
/* Writes all of it, even when write(2) takes a part or is interrupted.  -errno. */
int file_write_all(int fd, struct slice bytes) MUST_CHECK;
/* Writes path.tmp, syncs it, renames it over path and syncs the folder.  After success the new
 * bytes survive a loss of power; after a failure the old ones are whole.  mode as in open(2). */
int file_write_atomic(const char *path, struct slice bytes, unsigned mode) MUST_CHECK;
/* Makes a folder and its parents, as far as they are missing. */
int file_make_dirs(const char *path, unsigned mode) MUST_CHECK;
