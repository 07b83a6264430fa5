/* control/contacts/sheet.c - a record collected by libcsv, field by field. */
#include "control/contacts/sheet.h"

#include <csv.h>

#include "base/buf.h"

/* libcsv says when a field or record ends, but not where in the input.  So it is fed in pieces that
 * end at line ends, and the line number is known whenever it calls back. */
enum { PIECE_MAX = 16 * 1024 };

struct sheet {
	struct csv_parser csv;
	sheet_each each;
	void *arg;
	struct buf text; /* the fields of the record at hand, back to back */
	size_t ends[SHEET_FIELDS_MAX];
	struct slice fields[SHEET_FIELDS_MAX];
	char separator;
	unsigned n, n_seen;
	uint64_t line; /* of the piece being fed */
	uint64_t record_line;
	size_t record_bytes; /* fed since the record began */
	bool in_record;
	bool after_cr;
	unsigned bom; /* bytes of a byte order mark still possible at the start */
	int err;
};

static const char bom_bytes[3] = { (char)0xef, (char)0xbb, (char)0xbf };

static void on_field(void *bytes, size_t n, void *arg)
{
	struct sheet *s = arg;

	s->n_seen++;
	if (s->err < 0 || s->n == SHEET_FIELDS_MAX)
		return;
	s->err = buf_append(&s->text, slice_of(bytes, n));
	s->ends[s->n++] = buf_len(&s->text);
}

static void on_record(int terminator UNUSED, void *arg)
{
	struct sheet *s = arg;
	struct slice all = buf_data(&s->text);
	size_t at = 0;

	for (unsigned i = 0; i < s->n; i++) {
		s->fields[i] = slice_of(all.p + at, s->ends[i] - at);
		at = s->ends[i];
	}
	if (s->err >= 0)
		s->err = s->each(
		    s->arg, &(struct sheet_record){ s->record_line, s->n, s->n_seen, s->fields });
	s->n = s->n_seen = 0;
	s->record_bytes = 0;
	s->in_record = false;
	buf_clear(&s->text);
}

struct sheet *sheet_free(struct sheet *s)
{
	if (!s)
		return NULL;
	csv_free(&s->csv);
	buf_free(&s->text);
	free(s);
	return NULL;
}

int sheet_open(struct sheet **ret, char separator, sheet_each each, void *arg)
{
	OWNED(sheet) s = must_alloc(sizeof(*s));

	s->each = each;
	s->arg = arg;
	s->line = 1;
	s->separator = separator;
	buf_init(&s->text, 2 * SHEET_RECORD_MAX);
	if (csv_init(&s->csv, CSV_APPEND_NULL) != 0)
		return -ENOMEM;
	csv_set_delim(&s->csv, (unsigned char)separator);
	*ret = TAKE(s);
	return 0;
}

static bool ends_line(struct slice piece)
{
	return piece.p[piece.n - 1] == '\n' || piece.p[piece.n - 1] == '\r';
}

/* Only what libcsv passes over where no record has begun. */
static bool is_blank(const struct sheet *s, struct slice piece)
{
	for (size_t i = 0; i < piece.n; i++)
		if (!strchr(" \t\r\n", piece.p[i]) || !piece.p[i] || piece.p[i] == s->separator)
			return false;
	return true;
}

static int feed_piece(struct sheet *s, struct slice piece)
{
	if (!s->in_record && !is_blank(s, piece)) {
		s->in_record = true;
		s->record_line = s->line;
	}
	s->record_bytes = !s->in_record && ends_line(piece) ? 0 : s->record_bytes + piece.n;
	if (s->record_bytes > SHEET_RECORD_MAX)
		return s->err = E_LIMIT;
	if (csv_parse(&s->csv, piece.p, piece.n, on_field, on_record, s) != piece.n)
		return s->err = csv_error(&s->csv) == CSV_ENOMEM ? -ENOMEM : E_SYNTAX;
	return s->err < 0 ? s->err : 0;
}

/* The front of `in` up to and with its first line end, at most PIECE_MAX. */
static size_t piece_length(struct slice in)
{
	size_t max = MIN_OF(in.n, (size_t)PIECE_MAX);

	for (size_t i = 0; i < max; i++)
		if (in.p[i] == '\n' || in.p[i] == '\r')
			return i + 1;
	return max;
}

static void count_line(struct sheet *s, struct slice piece)
{
	char last = piece.p[piece.n - 1];
	bool second_half = s->after_cr && piece.n == 1; /* LF of a CRLF: counted with its CR */

	if (last == '\r' || (last == '\n' && !second_half))
		s->line++;
	s->after_cr = last == '\r';
}

int sheet_feed(struct sheet *s, struct slice in)
{
	if (s->err < 0)
		return s->err;
	while (in.n && s->bom < sizeof(bom_bytes)) {
		if (in.p[0] != bom_bytes[s->bom]) {
			struct slice taken = slice_of(bom_bytes, s->bom);
			s->bom = sizeof(bom_bytes);
			if (taken.n && feed_piece(s, taken) < 0) /* it was no mark after all */
				return s->err;
			break;
		}
		s->bom++;
		in = slice_skip(in, 1);
	}
	while (in.n) {
		size_t n = piece_length(in);

		if (feed_piece(s, slice_of(in.p, n)) < 0)
			return s->err;
		count_line(s, slice_of(in.p, n));
		in = slice_skip(in, n);
	}
	return 0;
}

int sheet_end(struct sheet *s)
{
	if (s->err < 0)
		return s->err;
	if (s->bom < sizeof(bom_bytes) && s->bom && feed_piece(s, slice_of(bom_bytes, s->bom)) < 0)
		return s->err;
	if (csv_set_opts(&s->csv, CSV_APPEND_NULL | CSV_STRICT | CSV_STRICT_FINI) < 0 ||
	    csv_fini(&s->csv, on_field, on_record, s) != 0)
		return s->err = E_SYNTAX;
	return s->err < 0 ? s->err : 0;
}

uint64_t sheet_line(const struct sheet *s)
{
	return s->in_record ? s->record_line : s->line;
}
