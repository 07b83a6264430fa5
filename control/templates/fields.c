/* control/templates/fields.c - an organisation's fields, as the template compiler takes them. */
#include "control/templates/fields.h"

static const char *const built_in[] = { "first_name", "last_name", "unsubscribe_url" };
_Static_assert(ARRAY_LEN(built_in) <= 8, "room beside the organisation's own");

int known_fields_load(struct known_fields *k, struct db *db, uint32_t org)
{
	unsigned n = 0;
	int r;

	*k = (struct known_fields){ 0 };
	r = db_run(db, &k->rows, "SELECT name FROM fields WHERE org_id = $1 ORDER BY id LIMIT $2",
		   p_int(org), p_int(KNOWN_FIELDS_MAX));
	if (r < 0)
		return r;
	for (; n < ARRAY_LEN(built_in); n++)
		k->fields[n].name = slice_str(built_in[n]);
	for (unsigned i = 0; i < db_rows(k->rows); i++)
		k->fields[n++].name = db_text(k->rows, i, 0);
	k->env = (struct template_env){ .fields = k->fields, .n_fields = n };
	return 0;
}

void known_fields_free(struct known_fields *k)
{
	db_result_free(k->rows);
	k->rows = NULL;
}
