/* control/contacts/latin.h - does 8-bit text read as windows-1252, or is it in another set?
 *
 *   Western words have their accented letters one by one among ASCII letters, and signs between
 *   words.  Other sets read as windows-1252 have runs of accented letters (Cyrillic, Greek, EUC,
 *   GBK), or signs and capitals within words (Shift JIS, the sets of DOS and of old Macs), or bytes
 *   that windows-1252 does not assign.
 *
 * Guarantee: how the text is cut does not matter.
 * Limits:    a guess.  Sets that differ in a few letters only (ISO 8859-15) are not told apart. */
#pragma once
#include "base/base.h"

struct latin_scan {
	unsigned char before, last; /* of last it is not known yet what follows */
	unsigned run;               /* accented letters in a row so far */
	uint64_t high;              /* bytes above ASCII; no-break spaces do not count */
	uint64_t in_runs, misfits;
	bool shifts; /* ISO 2022 */
};
/* Pieces from the start; zeroed before the first. */
void latin_scan(struct latin_scan *s, struct slice piece);
/* After the last: is it likely? */
bool latin_scan_end(struct latin_scan *s);
