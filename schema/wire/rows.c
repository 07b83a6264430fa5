/* schema/wire/rows.c - recipients of a job.  Opening is one walk that checks everything and keeps
 * eight bytes per row; the fields of a row become values when it is asked for. */
#include "schema/wire/cursor.h"
#include "schema/wire/pack.h"
#include "schema/wire/rows.h"

struct place {
	uint32_t address_at;
	uint16_t address_n, n_fields;
};
struct wire_rows {
	struct slice data;
	uint32_t n;
	struct wire_arena *arena;    /* made when the first row is asked for */
	const struct value **fields; /* likewise; NULL entries are not decoded yet */
	struct place places[];
};
_Static_assert(WIRE_STRING_MAX <= UINT16_MAX, "place keeps lengths in 16 bits");

int wire_row_put(struct buf *out, struct slice address, uint64_t ref, const struct value *fields,
		 unsigned n_fields)
{
	struct packer p;

	if (n_fields > WIRE_FIELDS_MAX || address.n > WIRE_STRING_MAX)
		return E_LIMIT;
	pack_begin(&p, out);
	pack_array(&p, 2 + n_fields);
	pack_str(&p, address);
	pack_u64(&p, ref);
	for (unsigned i = 0; i < n_fields; i++) {
		if (fields[i].type == VALUE_STRING && fields[i].s.n > WIRE_STRING_MAX)
			pack_fail(&p, E_LIMIT);
		pack_value(&p, &fields[i]);
	}
	return pack_end(&p);
}

struct wire_rows *wire_rows_free(struct wire_rows *rows)
{
	if (!rows)
		return NULL;
	wire_arena_free(rows->arena);
	free(rows->fields);
	free(rows);
	return NULL;
}

static int walk_row(struct cursor *c, struct slice data, struct place *ret)
{
	struct slice address;
	uint64_t ref;
	uint32_t n;
	int r = cursor_list(c, &n);

	if (r < 0)
		return r;
	if (n < 2)
		return E_SYNTAX;
	if (n - 2 > WIRE_FIELDS_MAX)
		return E_LIMIT;
	r = cursor_str(c, &address);
	if (r >= 0)
		r = cursor_u64(c, UINT64_MAX, &ref);
	if (r < 0)
		return r;
	for (uint32_t i = 2; i < n; i++) {
		r = cursor_skip(c);
		if (r < 0)
			return r;
	}
	*ret = (struct place){ .address_at = (uint32_t)(address.p - data.p),
			       .address_n = (uint16_t)address.n,
			       .n_fields = (uint16_t)(n - 2) };
	return 0;
}

int wire_rows_open(struct wire_rows **ret, struct slice data, uint32_t expected_rows)
{
	OWNED(wire_rows) rows = NULL;
	struct cursor c = cursor_of(data);

	c.max_str = WIRE_STRING_MAX;
	if (expected_rows > WIRE_ROWS_MAX || data.n > UINT32_MAX)
		return E_LIMIT;
	/* A row takes at least three bytes, so what was sent bounds what is allocated. */
	if (expected_rows > data.n / 3)
		return E_SYNTAX;
	rows = malloc(sizeof(*rows) + expected_rows * sizeof(rows->places[0]));
	if (!rows)
		return -ENOMEM;
	*rows = (struct wire_rows){ .data = data, .n = expected_rows };
	for (uint32_t i = 0; i < expected_rows; i++) {
		int r = walk_row(&c, data, &rows->places[i]);
		if (r < 0)
			return r;
	}
	if (cursor_left(&c))
		return E_SYNTAX;
	*ret = TAKE(rows);
	return 0;
}

struct slice wire_rows_address(const struct wire_rows *rows, uint32_t i)
{
	assert(i < rows->n);
	return slice_of(rows->data.p + rows->places[i].address_at, rows->places[i].address_n);
}

unsigned wire_rows_n_fields(const struct wire_rows *rows, uint32_t i)
{
	assert(i < rows->n);
	return rows->places[i].n_fields;
}

/* All fields of a row as one list; their bytes were checked when the rows were opened. */
static int decode_fields(struct wire_rows *rows, struct slice in, unsigned n,
			 const struct value **ret)
{
	struct value *fields;

	if (!rows->arena)
		rows->arena = wire_arena_new();
	fields = wire_arena_take(rows->arena, n * sizeof(*fields));
	if (!fields)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		int r = wire_value_get(rows->arena, &in, &fields[i]);
		if (r < 0)
			return r;
	}
	*ret = fields;
	return 0;
}

int wire_rows_get(struct wire_rows *rows, uint32_t i, struct wire_row *ret)
{
	struct slice address = wire_rows_address(rows, i);
	const char *end = rows->data.p + rows->data.n, *after = address.p + address.n;
	struct cursor c = cursor_of(slice_of(after, (size_t)(end - after)));
	struct wire_row row = { .address = address, .n_fields = rows->places[i].n_fields };
	int r = cursor_u64(&c, UINT64_MAX, &row.ref);

	if (r < 0)
		return r;
	if (row.n_fields && !rows->fields) {
		rows->fields = calloc(rows->n, sizeof(rows->fields[0]));
		if (!rows->fields)
			return -ENOMEM;
	}
	if (row.n_fields && !rows->fields[i]) {
		r = decode_fields(rows, slice_of(c.p, cursor_left(&c)), row.n_fields,
				  &rows->fields[i]);
		if (r < 0)
			return r;
	}
	row.fields = row.n_fields ? rows->fields[i] : NULL;
	*ret = row;
	return 0;
}
