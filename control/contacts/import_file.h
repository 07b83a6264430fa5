/* control/contacts/import_file.h - a file as people have it, read as UTF-8 from its start to its
 * end.
 * Owns:   import_file_open() gives the caller the file; pieces live until the next call.
 * Blocks: on the disk; opening reads the whole file where only its end says the character set.
 * Fails:  -errno; E_SYNTAX for what is no text. */
#pragma once
#include "control/contacts/charset.h"

struct import_file;
struct import_file *import_file_free(struct import_file *f);
DEFINE_OWNED(import_file)

int import_file_open(struct import_file **ret, const char *path) MUST_CHECK;
enum charset import_file_charset(const struct import_file *f);
/* 1 and the next piece, 0 at the end. */
int import_file_next(struct import_file *f, struct slice *ret) MUST_CHECK;
/* From the start again. */
int import_file_rewind(struct import_file *f) MUST_CHECK;
