/* schema/wire/fields.h - a msgpack array that mirrors a struct; private to schema/wire.  One row of
 * a table is one field, in the order of the wire.  Link frames and events are such arrays.
 * Fails: fields_get() gives E_SYNTAX for a value of another type or out of the
 *        range of its field. */
#pragma once
#include "schema/wire/cursor.h"
#include "schema/wire/pack.h"
#include "schema/wire/value.h"

enum field_kind { F_U8, F_U16, F_U32, F_U64, F_I64, F_INT, F_TEXT, F_BYTES, F_VALUE, F_EVENTS };
struct field {
	enum field_kind kind;
	size_t offset;
};

void fields_put(struct packer *p, const struct field *fields, unsigned n, const void *from);
int fields_get(struct cursor *c, const struct field *fields, unsigned n, struct wire_arena *arena,
	       void *to) MUST_CHECK;
