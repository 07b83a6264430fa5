/* spool/books.h - one row for each number of the books: its name, what it says, where it stands.
 * Whoever shows the books (reports, proofs, metrics) walks these rows and lists none by hand.
 * Owns:   nothing; the rows are the program's. */
#pragma once
#include "spool/spool.h"

struct books_row {
	const char *name;
	const char *type; /* "counter" or "gauge" */
	const char *help;
	size_t offset; /* of an uint64_t in struct books */
	bool flag;     /* it is 0 or 1 */
};
enum {
	BOOKS_TOTALS = 19
}; /* the first rows: what became of the recipients, and what came back; an audit has them too */

const struct books_row *books_row(unsigned i); /* NULL past the last */
uint64_t books_value(const struct books *k, const struct books_row *row);
/* Is everything that was accepted either ended or queued? */
bool books_balance(const struct books *k);
