/* control/http/form.h - bodies of type application/x-www-form-urlencoded (RFC 6749 appendix B).
 * Owns:   values lie in the form itself.
 * Fails:  E_SYNTAX for a broken escape, NUL, what is not UTF-8, and a name that is there twice
 *         (RFC 6749 section 3.2); E_LIMIT past a bound.
 * Limits: 16 fields; 8 KiB, which is more than any of ours needs. */
#pragma once
#include "base/base.h"

enum { FORM_FIELDS_MAX = 16, FORM_BYTES_MAX = 8192 };
struct http_form {
	struct {
		struct slice name, value;
	} fields[FORM_FIELDS_MAX];
	unsigned n;
	size_t used;
	char bytes[FORM_BYTES_MAX];
};
int http_form_read(struct http_form *form, struct slice body) MUST_CHECK;
/* Empty when there is none; a field without a value counts as absent (RFC 6749 section 3.2). */
struct slice http_form_value(const struct http_form *form, const char *name);
/* One text of this encoding, into the room that the form has left. */
int http_form_decode(struct http_form *form, struct slice in, struct slice *ret) MUST_CHECK;
