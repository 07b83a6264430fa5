/* control/contacts/import_row.h - one record of a CSV file into one row for COPY: which column is
 * which field, and whether the values fit.
 * Owns:    import_map_new() gives the caller the map; import_map_free() ends it. The types must
 *          outlive it.
 * Blocks:  never.
 * Limits:  SHEET_FIELDS_MAX columns. */
#pragma once
#include "control/contacts/sheet.h"
#include "control/contacts/values.h"

const char *import_problem_name(int problem);

struct import_map;
struct import_map *import_map_free(struct import_map *m);
DEFINE_OWNED(import_map)
/* Reads the header row.  mapping: an object from column title to field name ("" or null: left out);
 * titles it does not name are matched by themselves ("E-Mail" is email).  E_UNKNOWN: no column is
 * the address, or the mapping names no field; error (200 bytes) says which. */
int import_map_new(struct import_map **ret, const struct sheet_record *header,
		   const json_t *mapping, const struct contact_field_types *types,
		   char *error) MUST_CHECK;
/* Does a name stand for something a column may be mapped to? */
bool import_target_known(struct slice name, const struct contact_field_types *types);

/* Appends "line email email_norm hash first last fields" in COPY's text format, newline and all,
 * after `prefix`.  Returns IMPORT_OK or what is wrong with the record, then nothing is appended and
 * *ret_value is the value at fault. */
enum import_problem import_row_put(struct import_map *m, const struct sheet_record *r,
				   struct slice prefix, struct buf *out,
				   struct slice *ret_value) MUST_CHECK;
