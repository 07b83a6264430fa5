/* control/contacts/separator.h - which sign parts the fields of a file: comma, semicolon, tab or
 * bar.
 *
 *   A first line "sep=x" says it, as spreadsheets understand it.  Else it is the sign by which most
 *   titles of the first record are known, then the one that gives every record as many fields as
 *   the first has; a comma when nothing speaks for another.
 *
 * Blocks: never. */
#pragma once
#include "base/base.h"

struct separator {
	char sign;
	bool line; /* the first line says so, and is no record */
};
/* Does anybody know a column of this title? */
typedef bool (*separator_known)(void *arg, struct slice title);
/* head is the front of the file, as UTF-8; whole: there is no more of it. */
struct separator separator_find(struct slice head, bool whole, separator_known known, void *arg);
