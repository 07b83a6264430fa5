/* mta/reports/reading.h - mail that came back is given to the reader, and what it says to the log.
 * It runs on the front desk.
 *
 * Guarantee: a mail is read until its last fact is in the log.  When the reader dies, the mails
 *            that it held are given to a new one, one at a time; one that kills it alone, or is
 *            not answered within reports.reader_timeout, is kept as "other" and named in the log.
 * Threads: reading_more() any. */
#pragma once
#include "mta/core/part.h"

extern const struct part reading_part;
/* There is mail that nobody has read. */
void reading_more(struct engine *e);
