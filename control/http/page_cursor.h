/* control/http/page_cursor.h - the bytes of a page's cursor, apart from any request. */
#pragma once
#include "base/buf.h"

enum { CURSOR_TEXT_MAX = 511 };
int page_cursor_write(const uint8_t key[32], struct slice about, int64_t id, struct slice text,
		      struct buf *out) MUST_CHECK;
/* E_SYNTAX unless it was written with the same key and about. */
int page_cursor_read(const uint8_t key[32], struct slice about, struct slice cursor,
		     int64_t *ret_id, char *text, size_t text_size, size_t *ret_n) MUST_CHECK;
