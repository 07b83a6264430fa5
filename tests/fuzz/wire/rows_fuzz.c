/* Law: rows that open can be put again, and what is put opens to the same bytes; no prefix of good
 * rows is good for the same count.  The first byte of the input is the count. */
#include "base/base.h"
#include "schema/wire/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_all(struct wire_rows *rows, uint32_t n, struct buf *out)
{
	for (uint32_t i = 0; i < n; i++) {
		struct wire_row row;
		int r = wire_rows_get(rows, i, &row);
		assert(r == 0);
		assert(slice_eq(row.address, wire_rows_address(rows, i)));
		r = wire_row_put(out, row.address, row.ref, row.fields, row.n_fields);
		assert(r == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWNED(wire_rows) rows = NULL;
	OWNED(wire_rows) again = NULL;
	OWNED(wire_rows) cut = NULL;
	struct buf one = { 0 }, two = { 0 };
	int r;

	if (size < 1 || wire_rows_open(&rows, slice_of(data + 1, size - 1), data[0]) < 0)
		return 0;
	put_all(rows, data[0], &one);
	r = wire_rows_open(&again, buf_data(&one), data[0]);
	assert(r == 0);
	put_all(again, data[0], &two);
	assert(slice_eq(buf_data(&one), buf_data(&two)));
	if (size > 1)
		assert(wire_rows_open(&cut, slice_of(data + 1, size - 2), data[0]) < 0);
	buf_free(&one);
	buf_free(&two);
	return 0;
}
