/* control/contacts/import_read.h - the records of a file whose character set, separator and header
 * line are found first.  The look at an upload and the import itself both read this way, so that
 * what the look accepts is what is imported.
 * Owns:   import_reader_open() gives the caller the reader; path and rules must outlive it.
 * Blocks: on the disk.
 * Fails:  as control/contacts/import_file.h and sheet.h; E_EOF when the file holds no header
 *         line. */
#pragma once
#include "control/contacts/import_file.h"
#include "control/contacts/import_map.h"
#include "control/contacts/separator.h"

/* Below 0 ends the reading. */
typedef int (*import_each)(void *arg, const struct sheet_record *r);
typedef int (*import_turn)(void *arg); /* between pieces */

struct import_reader {
	struct import_file *file;
	struct sheet *sheet;
	struct separator separator;
	const struct import_rules *rules;
	struct import_map *map; /* once the header line was read */
	import_each each;
	void *arg;
	unsigned n_records; /* before the header line */
};
struct import_reader *import_reader_free(struct import_reader *r);
DEFINE_OWNED(import_reader)

int import_reader_open(struct import_reader **ret, const char *path,
		       const struct import_rules *rules) MUST_CHECK;
/* Gives each record after the header line that is not blank, also when the map has a fault. */
int import_reader_run(struct import_reader *r, import_each each, import_turn turn,
		      void *arg) MUST_CHECK;
