/* control/campaigns/recipe.h - what all recipients of a campaign share: the composed program, its
 * meta, and which of a contact's values go into which slot.
 *
 * Owns:      recipe_load() gives the caller the recipe.
 * Blocks:    on the database, as cp_api, in the organisation's open transaction.
 * Fails:     E_UNKNOWN: no such campaign, or its template, sender or domain is not fit to send.
 *            E_SYNTAX: the template no longer compiles.  ret_error says which.
 * Guarantee: the recipe of a campaign and a template version has the same bytes while neither the
 *            program nor the sender changes.  The engine knows them by their digest. */
#pragma once
#include "base/buf.h"
#include "control/db/db.h"
#include "control/domains/options.h"
#include "control/tracking/ticket.h"
#include "message/program.h"

enum recipe_field { FIELD_FIRST_NAME, FIELD_LAST_NAME, FIELD_UNSUBSCRIBE, FIELD_OWN };

struct recipe {
	uint32_t org;
	uint64_t campaign, version; /* version of the template */
	struct buf bytes;           /* the program */
	struct program *program;    /* a view of bytes, for its field names */
	struct buf content_meta, job_meta;
	int64_t accepted_ms, expires_ms;
	bool own_fields;                    /* some slot is one of the organisation's fields */
	uint8_t fields[PROGRAM_FIELDS_MAX]; /* enum recipe_field */
};
struct recipe *recipe_free(struct recipe *r);
DEFINE_OWNED(recipe)

enum { RECIPE_ERROR_MAX = 320 };
/* What the operator's options say about mail. */
struct recipe_terms {
	struct slice pool; /* the engine's egress pool for its jobs; empty: the engine's default */
	char return_path[RETURN_PATH_MAX]; /* the operator's own; empty: there is none */
};
void recipe_terms_of(struct recipe_terms *ret, const struct app *app);
int recipe_load(struct recipe **ret, struct db *db, uint32_t org, uint64_t campaign,
		const struct recipe_terms *terms, char ret_error[RECIPE_ERROR_MAX]) MUST_CHECK;
