/* schema/wire/fields.h - a msgpack array that mirrors a struct: one row of a table is one field, in
 * the order of the wire; private to schema/wire (link frames and events are such arrays).
 * Fails: get_fields gives E_SYNTAX for a value of another type or out of its field's range. */
#pragma once
#include "schema/wire/cursor.h"
#include "schema/wire/pack.h"
#include "schema/wire/rows.h"

enum field_kind { F_U8, F_U16, F_U32, F_U64, F_I64, F_INT, F_TEXT, F_BYTES, F_VALUE, F_EVENTS };
struct field {
	enum field_kind kind;
	size_t offset;
};

void put_fields(struct packer *p, const struct field *fields, unsigned n, const void *from);
int get_fields(struct cursor *c, const struct field *fields, unsigned n, struct wire_arena *arena,
	       void *to) MUST_CHECK;

/* The array of events inside EVENTS; link_event.c. */
void put_events(struct packer *p, const void *events);
int get_events(struct cursor *c, void *events) MUST_CHECK;
