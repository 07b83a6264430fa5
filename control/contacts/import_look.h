/* control/contacts/import_look.h - the look at an uploaded file before it is taken: whether its
 * columns are understood, and if not, what they are called and which mapping would do.
 * Owns:   import_look_clear() gives back what import_look() made.
 * Blocks: on the disk; reads the whole file once, and the front of it once more. */
#pragma once
#include "control/contacts/import_map.h"

struct import_look {
	struct import_fault fault; /* code "": the file can be imported */
	json_t *titles;            /* array; NULL when there is no header line */
	json_t *mapping;           /* object: a suggestion; NULL with titles */
	json_t *report;            /* object: what the import says of the file */
};
/* Below 0 the disk failed; what is wrong with the file is the fault. */
int import_look(const char *path, const struct import_rules *rules,
		struct import_look *ret) MUST_CHECK;
void import_look_clear(struct import_look *l);
