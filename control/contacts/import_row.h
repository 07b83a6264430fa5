/* control/contacts/import_row.h - makes a row for COPY from a record of a CSV file: which column is
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
/* Reads the header row.  mapping: an object from column titles to field names ("" or null leaves
 * the column out).  Titles that it does not name are matched by themselves ("E-Mail" is email).
 * E_UNKNOWN: no column, or more than one, is the address, or the mapping names an unknown field;
 * error (200 bytes) says which. */
int import_map_new(struct import_map **ret, const struct sheet_record *header,
		   const json_t *mapping, const struct contact_field_types *types,
		   char *error) MUST_CHECK;
/* May a column be mapped to this name? */
bool import_target_known(struct slice name, const struct contact_field_types *types);

/* Appends `prefix` and "line email email_norm hash first last fields" in COPY's text format, with
 * the newline.  Returns IMPORT_OK, or what is wrong with the record: then nothing is appended and
 * *ret_value is the value at fault. */
enum import_problem import_row_put(struct import_map *m, const struct sheet_record *r,
				   struct slice prefix, struct buf *out,
				   struct slice *ret_value) MUST_CHECK;
