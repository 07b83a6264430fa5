/* message/word.h - text in headers, in lines of at most 78 bytes: folded at spaces, or written as
 * encoded-words (RFC 2047) when it is not plain ASCII.
 * Guarantee: only printable ASCII is written.  CR and LF occur only in folds, as "CRLF space", and
 * no line is white space alone.  Text that looks like an encoded-word is encoded, so that no reader
 * decodes it to something else. */
#pragma once
#include "base/buf.h"

/* Room that word_write may need. */
#define WORD_BOUND(n) (5 * (n) + 128)

/* Copies text without control characters (line ends and tabs become spaces) and with U+FFFD for
 * bytes that are no UTF-8.  dst holds 3 * text.n bytes.  Returns the length. */
size_t word_clean(char *dst, struct slice text);
/* Writes clean text; the line already holds col bytes.  dst holds WORD_BOUND(clean.n) bytes. */
size_t word_write(char *dst, struct slice clean, unsigned col);
/* The same, always as encoded-words; *col is kept up to date. */
size_t word_write_encoded(char *dst, struct slice clean, unsigned *col);
/* Is it printable ASCII that nobody would take for an encoded-word? */
bool word_is_plain(struct slice clean);
/* Cleans and appends. */
int word_put(struct slice text, unsigned col, struct buf *out) MUST_CHECK;
