/* control/contacts/import_read.c - from the pieces of a file to its records. */
#include "control/contacts/import_read.h"

#include "control/contacts/import_row.h"

struct import_reader *import_reader_free(struct import_reader *r)
{
	if (!r)
		return NULL;
	import_file_free(r->file);
	sheet_free(r->sheet);
	import_map_free(r->map);
	free(r);
	return NULL;
}

int import_reader_open(struct import_reader **ret, const char *path,
		       const struct import_rules *rules)
{
	OWNED(import_reader) reader = must_alloc(sizeof(*reader));
	struct slice head;
	int r = import_file_open(&reader->file, path);

	reader->rules = rules;
	if (r >= 0)
		r = import_file_next(reader->file, &head);
	if (r <= 0)
		return r < 0 ? r : E_EOF;
	reader->separator =
	    separator_find(head, head.n < SHEET_RECORD_MAX, import_map_title_known, (void *)rules);
	r = import_file_rewind(reader->file);
	if (r < 0)
		return r;
	*ret = TAKE(reader);
	return 0;
}

static int on_record(void *arg, const struct sheet_record *record)
{
	struct import_reader *r = arg;
	bool said = r->n_records++ == 0 && r->separator.line;

	if (said || import_row_is_blank(record))
		return 0;
	if (r->map)
		return r->each(r->arg, record);
	r->map = import_map_new(record, r->rules);
	return 0;
}

static int feed_all(struct import_reader *r, import_turn turn)
{
	struct slice piece;
	int n;

	while ((n = import_file_next(r->file, &piece)) > 0) {
		n = sheet_feed(r->sheet, piece);
		if (n >= 0 && turn)
			n = turn(r->arg);
		if (n < 0)
			return n;
	}
	return n < 0 ? n : sheet_end(r->sheet);
}

int import_reader_run(struct import_reader *r, import_each each, import_turn turn, void *arg)
{
	int n = sheet_open(&r->sheet, r->separator.sign, on_record, r);

	r->each = each;
	r->arg = arg;
	if (n >= 0)
		n = feed_all(r, turn);
	return n >= 0 && !r->map ? E_EOF : n;
}
