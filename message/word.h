/* message/word.h - text in headers: folded at spaces, or as encoded-words when it is not plain
 * ASCII (RFC 2047), so that lines stay within 78 bytes.
 * Guarantee: what is written holds no CR or LF but those of "CRLF space" folds, never a line of
 * white space alone, and only printable ASCII.  Text that looks like an encoded-word is encoded, so
 * that no reader decodes it to something else. */
#pragma once
#include "base/buf.h"

/* Room that word_write may need. */
#define WORD_BOUND(n) (5 * (n) + 128)

/* Copies text without control characters (line ends and tabs become spaces) and with U+FFFD for
 * bytes that are no UTF-8.  dst holds 3 * text.n bytes.  Returns the length. */
size_t word_clean(char *dst, struct slice text);
/* Writes clean text; col bytes are on the line already.  dst holds WORD_BOUND(text.n). */
size_t word_write(char *dst, struct slice clean, unsigned col);
/* The same always as encoded-words; *col is kept. */
size_t word_write_encoded(char *dst, struct slice clean, unsigned *col);
/* Is it printable ASCII that nobody would take for an encoded-word? */
bool word_is_plain(struct slice clean);
/* Cleans and appends. */
int word_put(struct slice text, unsigned col, struct buf *out) MUST_CHECK;
