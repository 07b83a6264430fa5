/* spool/report.h - books and events as trees of values, in the same words from a running engine and
 * from the files alone.
 * Owns: nothing; texts are copied into the tree. */
#pragma once
#include "base/tree.h"
#include "spool/spool.h"

void report_totals(struct branch *b, const struct books *k); /* its first BOOKS_TOTALS rows */
void report_books(struct branch *b, const struct books *k);
void report_event(struct branch *b, const struct event *e);
