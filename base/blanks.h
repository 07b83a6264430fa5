/* base/blanks.h - signs that nobody sees: blanks, controls and marks without a width,
 * as spreadsheets and web pages leave them around and inside values.
 * Owns:   nothing; the slices are parts of what was given.
 * Limits: bytes that are no UTF-8 are no blanks. */
#pragma once
#include "base/buf.h"

/* Without what is not seen at either end: Unicode's White_Space, C0 and C1 controls but NUL, soft
 * hyphens, zero-width and direction marks, byte order marks. */
struct slice blanks_trim(struct slice s);
/* Without White_Space, zero-width spaces, word joiners and byte order marks at either end.  Marks
 * that shape their neighbours stay: joiners, selectors of emoji. */
struct slice blanks_strip(struct slice s);
/* Is this one well-formed character a mark without a width? */
bool blanks_is_mark(struct slice s);
/* Appends the text without the marks that have no width, wherever they stand; blanks stay. */
int blanks_drop_marks(struct slice s, struct buf *out) MUST_CHECK;
