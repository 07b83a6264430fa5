/* control/contacts/import_row.h - one record of a file into one row for COPY, and what of it could
 * not be taken.
 *
 *   A record is refused without an address, or when it does not say whether its person wants mail.
 *   Any other value that does not fit is left out, and noted.
 *
 * Owns:    import_row_new() gives the caller the reader; the map must outlive it.
 * Blocks:  never.
 * Limits:  IMPORT_NOTES_MAX notes of a record are kept; all are counted. */
#pragma once
#include "base/buf.h"
#include "control/contacts/import_map.h"

const char *import_row_problem_name(int problem);

enum { IMPORT_NOTES_MAX = 32 };
struct import_note {
	enum import_problem problem;
	unsigned column;    /* from 0 */
	struct slice value; /* of the record */
};
struct import_row {
	const struct import_map *map;
	struct buf fields;                          /* JSON of the record at hand */
	struct buf address;                         /* its address, without what is not seen */
	struct import_note notes[IMPORT_NOTES_MAX]; /* values that were left out */
	unsigned n_notes, n_notes_seen;
	struct import_note fault; /* why the record was refused */
	int status;               /* enum contact_status; 0: the record does not say */
};
struct import_row *import_row_new(const struct import_map *map);
struct import_row *import_row_free(struct import_row *row);
DEFINE_OWNED(import_row)

/* Is there anything in the record that can be seen? */
bool import_row_is_blank(const struct sheet_record *r);
/* Appends "line email email_norm hash first last fields status" in COPY's text format, newline and
 * all, after `prefix`.  False: the record is refused, nothing is appended, row->fault says why. */
bool import_row_put(struct import_row *row, const struct sheet_record *r, struct slice prefix,
		    struct buf *out) MUST_CHECK;
