/* Law: bytes that load as a program expand within their budget, to the same bytes each time. */
#include "message/program.h"

static int expand(const struct program *p, struct buf *out)
{
	static const struct value items[] = { { .type = VALUE_INT, .i = 1 },
					      { .type = VALUE_BOOL, .b = true } };
	static const struct value_member members[] = { { { "x", 1 },
							 { .type = VALUE_REAL, .d = 0.5 } } };
	const struct value fields[] = {
		{ .type = VALUE_STRING, .s = SLICE("a\r\n\xff<") },
		{ .type = VALUE_LIST, .count = 2, .items = items },
		{ .type = VALUE_MAP, .count = 1, .members = members },
	};
	const struct expand_input in = { fields, 3, SLICE("r@b.example"), SLICE("1@b.example"), 0 };

	buf_init(out, 1 << 20);
	return program_expand(p, &in, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWNED(program) p = NULL;
	struct buf once, again;

	if (program_load(&p, slice_of(data, size)) < 0)
		return 0;
	assert(expand(p, &once) == expand(p, &again));
	assert(slice_eq(buf_data(&once), buf_data(&again)));
	for (unsigned i = 0; i < program_field_count(p); i++)
		(void)program_field_name(p, i);
	buf_free(&once);
	buf_free(&again);
	return 0;
}
