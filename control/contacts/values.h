/* control/contacts/values.h - an organisation's own fields of contacts: their types, and values
 * that fit them.
 * Owns:   contact_field_types_load() gives the caller the types.
 * Blocks: on the database, in the organisation's open transaction.
 * Limits: FIELDS_PER_ORG_MAX definitions, FIELD_TEXT_MAX bytes per text value. */
#pragma once
#include <jansson.h>

#include "control/contacts/codes.h"
#include "control/db/db.h"

enum { FIELDS_PER_ORG_MAX = 200, FIELD_TEXT_MAX = 4096 };

const char *contact_field_type_name(int type);   /* "" for none */
int contact_field_type_parse(struct slice name); /* 0 for none */

struct contact_field_types;
struct contact_field_types *contact_field_types_free(struct contact_field_types *t);
DEFINE_OWNED(contact_field_types)
int contact_field_types_load(struct contact_field_types **ret, struct db *db,
			     uint32_t org) MUST_CHECK;
/* 0: no such field. */
enum contact_field_type contact_field_types_find(const struct contact_field_types *t,
						 struct slice name);

/* Does a JSON value fit?  null always does: it removes the value. */
bool contact_field_value_fits(enum contact_field_type type, const json_t *value);
/* The value that a cell of a CSV file stands for, as JSON text appended to out; E_SYNTAX when it
 * does not fit.  Booleans: true false yes no 1 0.  Dates: 2026-11-20, with or without a time. */
int contact_field_value_from_text(enum contact_field_type type, struct slice text,
				  struct buf *out) MUST_CHECK;
/* Appends a JSON string; E_SYNTAX for text that is not UTF-8 or holds NUL. */
int contact_field_put_text(struct buf *out, struct slice text) MUST_CHECK;
