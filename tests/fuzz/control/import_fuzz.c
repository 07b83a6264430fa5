/* Laws: the first record of the input is a header, the others are rows.  A row that is taken
 * appends one line of COPY with ten fields, whatever its cells hold; one that is refused appends
 * nothing and says why; every value that was left out names a column of the record. */
#include "base/buf.h"
#include "control/contacts/import_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct state {
	struct import_map *map;
	struct import_row *row;
	struct buf out;
};

static void check_line(struct slice line)
{
	unsigned tabs = 0;

	for (size_t i = 0; i < line.n; i++) {
		tabs += line.p[i] == '\t';
		if (line.p[i] == '\n' && i + 1 != line.n)
			abort();
	}
	if (tabs != 9 || line.p[line.n - 1] != '\n')
		abort();
}

static int each(void *arg, const struct sheet_record *r)
{
	static const struct import_rules rules;
	struct state *s = arg;

	if (!s->map) {
		s->map = import_map_new(r, &rules);
		s->row = import_row_new(s->map);
		return s->map->fault.code[0] ? E_EOF : 0;
	}
	buf_clear(&s->out);
	if (import_row_put(s->row, r, SLICE("1\t2\t"), &s->out))
		check_line(buf_data(&s->out));
	else if (buf_len(&s->out) || !*import_row_problem_name(s->row->fault.problem))
		abort();
	for (unsigned i = 0; i < s->row->n_notes; i++)
		if (s->row->notes[i].column > r->n || !s->row->notes[i].problem)
			abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWNED(sheet) sheet = NULL;
	struct state s = { 0 };
	int r = sheet_open(&sheet, ',', each, &s);

	buf_init(&s.out, 0);
	if (r >= 0)
		r = sheet_feed(sheet, slice_of(data, size));
	if (r >= 0)
		r = sheet_end(sheet);
	(void)r;
	import_row_free(s.row);
	import_map_free(s.map);
	buf_free(&s.out);
	return 0;
}
