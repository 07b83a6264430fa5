/* tests/unit/message/program_test.c - programs: loading, expanding, refusing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "message/compose.h"
#include "message/ops.h"
#include "message/program.h"

static void compose(struct buf *bytes, const char *text)
{
	const struct compose_in in = {
		.from = SLICE("a@b.example"),
		.source = { SLICE("{{s}}"), SLICE(""), slice_str(text) },
		.list_unsubscribe = SLICE("{{u}}"),
		.env = { .any_field = true },
	};
	struct compose_error e;

	buf_init(bytes, 0);
	assert_int_equal(compose_campaign(&in, bytes, &e), 0);
}

static const struct expand_input nobody = { NULL, 0, SLICE("r@b.example"), SLICE("1@b.example"),
					    0 };

/* An exact copy, so that a sanitizer sees the first byte read past its end. */
static int load_copy(struct slice bytes, struct program **ret, char **copy)
{
	*copy = malloc(bytes.n ? bytes.n : 1);
	memcpy(*copy, bytes.p, bytes.n);
	return program_load(ret, slice_of(*copy, bytes.n));
}

static void a_program_cut_anywhere_is_corrupt(void **state)
{
	struct buf bytes;

	(void)state;
	compose(&bytes, "Hi {{a}} {{#l}}{{x.y}}{{/l}}");
	for (size_t n = 0; n < buf_len(&bytes); n++) {
		struct program *p = NULL;
		char *copy;
		assert_int_equal(load_copy(slice_of(buf_data(&bytes).p, n), &p, &copy), E_CORRUPT);
		assert_null(p);
		free(copy);
	}
	buf_put(&bytes, SLICE("x"));
	struct program *p = NULL;
	assert_int_equal(program_load(&p, buf_data(&bytes)), E_CORRUPT);
	buf_free(&bytes);
}

static void a_program_with_any_byte_changed_is_refused_or_harmless(void **state)
{
	static const unsigned char changes[] = { 0x00, 0x01, 0x0a, 0x0d, 0x7f, 0x80, 0xff };
	unsigned loaded = 0, refused = 0;
	struct buf bytes, out;

	(void)state;
	compose(&bytes, "Hi {{a}} {{#l}}{{x.y}}{{/l}}{{^l}}\n{{/l}}");
	buf_init(&out, 1 << 20);
	for (size_t at = 0; at < buf_len(&bytes); at++)
		for (size_t i = 0; i < sizeof(changes); i++) {
			char was = bytes.p[at], *copy;
			struct program *p = NULL;
			bytes.p[at] = (char)changes[i];
			if (load_copy(buf_data(&bytes), &p, &copy) == 0) {
				loaded++;
				(void)!program_expand(p, &nobody, &out);
				buf_clear(&out);
			} else {
				refused++;
			}
			p = program_free(p);
			free(copy);
			bytes.p[at] = was;
		}
	assert_true(loaded > 100 && refused > 1000);
	buf_free(&out);
	buf_free(&bytes);
}

/* Lists in lists: 40 values make 40^4 steps. */
static void a_program_that_would_run_for_long_ends_at_its_budget(void **state)
{
	enum { N = 40 };
	struct value leaf[N] = { 0 }, a[N], b[N], c[N], field;
	const struct expand_input in = { &field, 1, SLICE("r@b.example"), SLICE("1@x"), 0 };
	struct program *p;
	struct buf bytes, out;

	(void)state;
	for (int i = 0; i < N; i++) {
		leaf[i] = (struct value){ .type = VALUE_INT, .i = 1 };
		a[i] = (struct value){ .type = VALUE_LIST, .count = N, .items = leaf };
		b[i] = (struct value){ .type = VALUE_LIST, .count = N, .items = a };
		c[i] = (struct value){ .type = VALUE_LIST, .count = N, .items = b };
	}
	field = (struct value){ .type = VALUE_LIST, .count = N, .items = c };
	buf_init(&bytes, 0);
	const struct compose_in campaign = {
		.from = SLICE("a@b.example"),
		.source = { SLICE(""), SLICE(""),
			    SLICE("{{#l}}{{#.}}{{#.}}{{#.}}{{.}}{{/.}}{{/.}}{{/.}}{{/l}}") },
		.env = { .any_field = true },
	};
	struct compose_error e;
	assert_int_equal(compose_campaign(&campaign, &bytes, &e), 0);
	assert_int_equal(program_load(&p, buf_data(&bytes)), 0);
	buf_init(&out, 0);
	buf_put(&out, SLICE("before"));
	assert_int_equal(program_expand(p, &in, &out), E_LIMIT);
	assert_true(slice_eq(buf_data(&out), SLICE("before")));
	p = program_free(p);
	buf_free(&out);
	buf_free(&bytes);
}

static void an_expansion_past_the_callers_cap_leaves_its_buffer(void **state)
{
	struct program *p;
	struct buf bytes, out;

	(void)state;
	compose(&bytes, "Hi {{a}}");
	assert_int_equal(program_load(&p, buf_data(&bytes)), 0);
	buf_init(&out, 100);
	buf_put(&out, SLICE("before"));
	assert_int_equal(program_expand(p, &nobody, &out), E_LIMIT);
	assert_true(slice_eq(buf_data(&out), SLICE("before")));
	buf_free(&out);
	buf_init(&out, 100000);
	assert_int_equal(program_expand(p, &nobody, &out), 0);
	p = program_free(p);
	buf_free(&out);
	buf_free(&bytes);
}

/* The op bytes of {kind, escape, ref, n_path, field, a, b}, alone in a program with two fields. */
static int load_ops(const struct op *ops, uint32_t n, struct slice pool, struct program **ret,
		    struct buf *b)
{
	buf_init(b, 0);
	buf_putf(b, "PPG1");
	const uint32_t head[] = { 1u << 17, 0, 0, n, (uint32_t)pool.n }; /* flags 0, fields 2 */
	for (size_t i = 0; i < ARRAY_LEN(head); i++)
		for (int k = 0; k < 32; k += 8)
			buf_put(b, slice_of(&(char){ (char)(head[i] >> k & 0xff) }, 1));
	buf_put(b, SLICE("\x01\0a\x01\0b"));
	for (uint32_t i = 0; i < n; i++) {
		const struct op *o = &ops[i];
		const char first[] = { (char)o->kind,
				       (char)o->escape,
				       (char)o->ref,
				       (char)o->n_path,
				       (char)(o->field & 0xff),
				       (char)(o->field >> 8),
				       0,
				       0 };
		buf_put(b, slice_of(first, 8));
		for (int k = 0; k < 64; k += 8)
			buf_put(b, slice_of(
				       &(char){ (char)((o->a | (uint64_t)o->b << 32) >> k & 0xff) },
				       1));
	}
	buf_put(b, pool);
	return program_load(ret, buf_data(b));
}

static void ops_that_do_not_fit_together_are_corrupt(void **state)
{
	static const struct {
		struct op ops[4];
		uint32_t n;
		struct slice pool;
	} rows[] = {
		{ { { .kind = OP_LITERAL, .b = 2 } }, 1, { "ab", 2 } }, /* no RETURN */
		{ { { .kind = OP_LITERAL, .b = 3 }, { .kind = OP_RETURN } }, 2, { "ab", 2 } },
		{ { { .kind = OP_LITERAL, .b = 1 }, { .kind = OP_RETURN } },
		  2,
		  { "ab", 2 } }, /* pool left */
		{ { { .kind = OP_LITERAL, .a = 1, .b = 1 }, { .kind = OP_RETURN } },
		  2,
		  { "ab", 2 } },
		{ { { .kind = OP_LITERAL, .b = 2 }, { .kind = OP_RETURN } }, 2, { "a\n", 2 } },
		{ { { .kind = OP_LITERAL, .b = 2 }, { .kind = OP_RETURN } }, 2, { "a\r", 2 } },
		{ { { .kind = OP_LITERAL, .b = 2 }, { .kind = OP_RETURN } }, 2, { "a\0", 2 } },
		{ { { .kind = OP_LITERAL, .b = 2 }, { .kind = OP_RETURN } }, 2, { "\xc3\xb6", 2 } },
		{ { { .kind = OP_SECTION, .ref = REF_TOP, .a = 1 }, { .kind = OP_RETURN } },
		  2,
		  { "", 0 } },
		{ { { .kind = OP_END }, { .kind = OP_RETURN } }, 2, { "", 0 } },
		{ { { .kind = OP_SECTION, .ref = REF_TOP, .a = 2 },
		    { .kind = OP_END },
		    { .kind = OP_RETURN } },
		  3,
		  { "", 0 } },
		{ { { .kind = OP_BODY }, { .kind = OP_GROUP_END }, { .kind = OP_RETURN } },
		  3,
		  { "", 0 } },
		{ { { .kind = OP_CALL, .a = 0 }, { .kind = OP_RETURN } }, 2, { "", 0 } },
		{ { { .kind = OP_CALL, .a = 1 }, { .kind = OP_RETURN } }, 2, { "", 0 } },
		{ { { .kind = OP_CALL, .a = 2 }, { .kind = OP_RETURN } }, 2, { "", 0 } },
		{ { { .kind = OP_SLOT, .ref = REF_FIELD, .field = 2 }, { .kind = OP_RETURN } },
		  2,
		  { "", 0 } },
		{ { { .kind = OP_SLOT, .ref = REF_STACK }, { .kind = OP_RETURN } }, 2, { "", 0 } },
		{ { { .kind = OP_SLOT, .ref = REF_TOP, .escape = 99 }, { .kind = OP_RETURN } },
		  2,
		  { "", 0 } },
		{ { { .kind = OP_SLOT, .ref = REF_FIELD, .n_path = 1 }, { .kind = OP_RETURN } },
		  2,
		  { "", 0 } },
		{ { { .kind = OP_ENGINE, .a = 99 }, { .kind = OP_RETURN } }, 2, { "", 0 } },
		{ { { .kind = 0 }, { .kind = OP_RETURN } }, 2, { "", 0 } },
		{ { { .kind = 200 }, { .kind = OP_RETURN } }, 2, { "", 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct program *p = NULL;
		struct buf b;
		if (load_ops(rows[i].ops, rows[i].n, rows[i].pool, &p, &b) != E_CORRUPT)
			fail_msg("row %zu was loaded", i);
		buf_free(&b);
	}
}

static void a_routine_that_calls_itself_ends(void **state)
{
	static const struct op ops[] = { { .kind = OP_CALL, .a = 2 },
					 { .kind = OP_RETURN },
					 { .kind = OP_CALL, .a = 2 },
					 { .kind = OP_RETURN } };
	struct program *p = NULL;
	struct buf b, out;

	(void)state;
	assert_int_equal(load_ops(ops, 4, SLICE(""), &p, &b), 0);
	buf_init(&out, 0);
	assert_int_equal(program_expand(p, &nobody, &out), E_LIMIT);
	p = program_free(p);
	buf_free(&out);
	buf_free(&b);
}

static void a_text_slot_in_a_bare_header_line_is_corrupt(void **state)
{
	static const struct op ops[] = { { .kind = OP_SLOT, .ref = REF_TOP },
					 { .kind = OP_RETURN } };
	struct program *p = NULL;
	struct buf b, out;

	(void)state;
	assert_int_equal(load_ops(ops, 2, SLICE(""), &p, &b), 0);
	buf_init(&out, 0);
	assert_int_equal(program_expand(p, &nobody, &out), E_CORRUPT);
	p = program_free(p);
	buf_free(&out);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_cut_anywhere_is_corrupt),
		cmocka_unit_test(a_program_with_any_byte_changed_is_refused_or_harmless),
		cmocka_unit_test(a_program_that_would_run_for_long_ends_at_its_budget),
		cmocka_unit_test(an_expansion_past_the_callers_cap_leaves_its_buffer),
		cmocka_unit_test(ops_that_do_not_fit_together_are_corrupt),
		cmocka_unit_test(a_routine_that_calls_itself_ends),
		cmocka_unit_test(a_text_slot_in_a_bare_header_line_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
