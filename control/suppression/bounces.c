/* control/suppression/bounces.c - suppresses addresses that do not exist; their contacts say so. */
#include "control/db/column.h"
#include "control/suppression/address.h"
#include "control/suppression/background.h"
#include "control/suppression/statements.h"

enum bounce_column { B_ORG, B_HASH, B_EMAIL, B_CAMPAIGN, B_COLUMNS };
struct bounces {
	struct db_column columns[B_COLUMNS];
	struct db_column normal; /* the addresses as contacts have them in email_norm */
};

static void *bounces_open(const struct app *app UNUSED)
{
	struct bounces *b = must_alloc(sizeof(*b));

	db_columns_each(b->columns, B_COLUMNS, db_column_init);
	db_column_init(&b->normal);
	return b;
}

static void bounces_close(void *part)
{
	struct bounces *b = part;

	db_columns_each(b->columns, B_COLUMNS, db_column_free);
	db_column_free(&b->normal);
	free(b);
}

static void bounces_clear(void *part)
{
	struct bounces *b = part;

	db_columns_each(b->columns, B_COLUMNS, db_column_clear);
	db_column_clear(&b->normal);
}

static void bounces_take(void *part, const struct link_event *e, uint64_t campaign,
			 uint64_t seq UNUSED)
{
	struct db_column *columns = ((struct bounces *)part)->columns;
	struct suppress_address a;

	if (!subject_has_no_mailbox(e) || suppress_address_parse(e->rcpt, &a) < 0)
		return;
	db_column_u64(&columns[B_ORG], e->tenant);
	db_column_bytes(&columns[B_HASH], slice_of(a.hash, sizeof(a.hash)));
	db_column_text(&columns[B_EMAIL], mailbox_text(&a.box));
	db_column_text(&((struct bounces *)part)->normal, a.normal);
	if (campaign)
		db_column_u64(&columns[B_CAMPAIGN], campaign);
	else
		db_column_null(&columns[B_CAMPAIGN]);
}

static int bounces_write(void *part, struct db *db, int64_t engine UNUSED)
{
	struct bounces *b = part;

	int r;

	if (b->normal.n == 0)
		return 0;
	r = db_columns_run(db, sql_suppression_insert_bounced, b->columns, B_COLUMNS, NULL, 0);
	if (r >= 0)
		r = db_run(db, NULL, sql_suppression_contacts_bounced,
			   p_str(db_column_array(&b->columns[B_ORG])),
			   p_str(db_column_array(&b->normal)));
	return r;
}

const struct intake_part suppression_intake = {
	.open = bounces_open,
	.close = bounces_close,
	.clear = bounces_clear,
	.take = bounces_take,
	.write = bounces_write,
};
