/* control/templates/fields.h - the names that a template may use: the fields of every contact,
 * those that the organisation defined, and the unsubscribe link.
 * Owns:   known_fields_load() fills the caller's struct; known_fields_free() empties it.
 * Blocks: on the database, in the organisation's open transaction.
 * Limits: KNOWN_FIELDS_MAX definitions; the API refuses more. */
#pragma once
#include "control/db/db.h"
#include "message/template.h"

enum { KNOWN_FIELDS_MAX = 200 };

struct known_fields {
	struct db_result *rows; /* the names point into it */
	struct template_field fields[KNOWN_FIELDS_MAX + 8];
	struct template_env env;
};
int known_fields_load(struct known_fields *k, struct db *db, uint32_t org) MUST_CHECK;
void known_fields_free(struct known_fields *k);
