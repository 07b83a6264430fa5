/* spool/report.h - books and events as trees of values, in the same words from a running engine and
 * from the files alone.
 * Owns: nothing; texts are copied into the tree. */
#pragma once
#include "base/tree.h"
#include "spool/spool.h"

void report_totals(struct branch *b, const struct books *k); /* its first BOOKS_TOTALS rows */
void report_books(struct branch *b, const struct books *k);
/* Why spool_events() read nothing after `from`; gives the code for those who asked. */
int report_no_events(struct spool *sp, lsn_t from, int err, char *text, size_t cap);
void report_event(struct branch *b, const struct event *e);
