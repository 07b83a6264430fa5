/* base/file.h - whole small files: configuration, keys.  Spool bytes go through spool/disk.h.
 * Blocks: on the disk.  */
#pragma once
#include "base/buf.h"

/* Appends the file's bytes to out; E_LIMIT past max. */
int file_read(const char *path, size_t max, struct buf *out) MUST_CHECK;
/* All of it, however often write(2) takes only a part or is interrupted.  -errno. */
int file_write_all(int fd, struct slice bytes) MUST_CHECK;
/* Writes path.tmp, syncs it, renames it over path and syncs the folder: after success the new
 * bytes survive power loss, after failure the old ones are whole.  mode as in open(2). */
int file_write_atomic(const char *path, struct slice bytes, unsigned mode) MUST_CHECK;
/* Makes a folder and its missing parents; existing ones are fine. */
int file_make_dirs(const char *path, unsigned mode) MUST_CHECK;
