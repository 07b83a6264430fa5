/* control/contacts/import_map.h - which column of a file is which member of a contact.
 *
 *   A column goes where the mapping says.  One that the mapping does not name goes by its title: to
 *   a member that every contact has, to the organisation's own field of that name, or to what
 *   control/contacts/title.h knows.  The mapping goes before titles, and "" leaves a column out.
 *
 * Owns:   import_map_new() gives the caller the map; import_map_free() ends it.
 * Blocks: never.
 * Fails:  never; a header that cannot be used leaves its reason in the map's fault.
 * Limits: SHEET_FIELDS_MAX columns. */
#pragma once
#include "control/contacts/sheet.h"
#include "control/contacts/title.h"
#include "control/contacts/values.h"

struct import_rules {
	const json_t
	    *mapping; /* an object from column title to field name ("" or null: left out) */
	const struct contact_field_types *types;
};
struct import_fault {
	char code[32]; /* "": none */
	char text[400];
};
enum { FIELD_NAME_MAX = 64 };
struct import_column {
	char *title; /* "" for none; without blanks at the ends */
	char squeezed[TITLE_FOLDED_MAX];
	enum title_target target;
	enum contact_field_type type; /* for TITLE_FIELD */
	char name[FIELD_NAME_MAX];    /* for TITLE_FIELD */
	bool given;                   /* the mapping names it */
	bool sound;                   /* the title is UTF-8 without NUL */
};
struct import_map {
	unsigned n;
	struct import_column *columns;
	struct import_fault fault;
};
struct import_map *import_map_free(struct import_map *m);
DEFINE_OWNED(import_map)

struct import_map *import_map_new(const struct sheet_record *header,
				  const struct import_rules *rules);
/* Does a name stand for something a column may be mapped to? */
bool import_map_target_known(struct slice name, const struct contact_field_types *types);
/* Is a title known, or named by the mapping?  A separator_known; arg is a struct import_rules. */
bool import_map_title_known(void *arg, struct slice title);
/* "email", "first_name", ..., "fields.city"; "" for a column that is not used. */
void import_map_target_name(const struct import_column *c, char out[FIELD_NAME_MAX + 8]);
/* The title as JSON, or "column 3" where it has none that can be written. */
json_t *import_map_title(const struct import_map *m, unsigned i);
