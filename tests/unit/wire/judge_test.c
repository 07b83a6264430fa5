/* msgpack-c judges our decoder: over a seeded walk of bytes, what one reads the other reads, to the
 * same length; what we write, it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <msgpack.h>

#include "schema/wire/rows.h"

static uint64_t seed = 7;
static unsigned chance(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % n;
}

static bool same(const msgpack_object *o, const struct value *v);

static bool same_list(const msgpack_object *o, const struct value *v)
{
	if (v->type != VALUE_LIST || v->count != o->via.array.size)
		return false;
	for (uint32_t i = 0; i < v->count; i++)
		if (!same(&o->via.array.ptr[i], &v->items[i]))
			return false;
	return true;
}

static bool same_map(const msgpack_object *o, const struct value *v)
{
	if (v->type != VALUE_MAP || v->count != o->via.map.size)
		return false;
	for (uint32_t i = 0; i < v->count; i++) {
		struct value name = { .type = VALUE_STRING, .s = v->members[i].name };
		if (!same(&o->via.map.ptr[i].key, &name) ||
		    !same(&o->via.map.ptr[i].val, &v->members[i].value))
			return false;
	}
	return true;
}

static bool same(const msgpack_object *o, const struct value *v)
{
	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
		return v->type == VALUE_NULL;
	case MSGPACK_OBJECT_BOOLEAN:
		return v->type == VALUE_BOOL && v->b == o->via.boolean;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		return v->type == VALUE_INT && v->i == (int64_t)o->via.u64;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return v->type == VALUE_INT && v->i == o->via.i64;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return v->type == VALUE_REAL && memcmp(&v->d, &o->via.f64, 8) == 0;
	case MSGPACK_OBJECT_STR:
	case MSGPACK_OBJECT_BIN:
		return v->type == VALUE_STRING &&
		       slice_eq(v->s, slice_of(o->via.str.ptr, o->via.str.size));
	case MSGPACK_OBJECT_ARRAY:
		return same_list(o, v);
	case MSGPACK_OBJECT_MAP:
		return same_map(o, v);
	default:
		return false;
	}
}

/* Bytes that are often msgpack: headers are favoured, counts are small. */
static size_t make(uint8_t *p, size_t cap)
{
	static const uint8_t heads[] = { 0xc0, 0xc2, 0xc3, 0xc4, 0xca, 0xcb, 0xcc, 0xcd,
					 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3, 0xd9, 0xda,
					 0xdc, 0xde, 0x92, 0x81, 0xa1, 0x00 };
	size_t n = 1 + chance((unsigned)cap - 1);

	for (size_t i = 0; i < n; i++)
		p[i] = chance(3) ? heads[chance(ARRAY_LEN(heads))]
				 : (uint8_t)chance(chance(4) ? 4 : 256);
	return n;
}

static void what_we_read_msgpack_c_reads_the_same(void **state)
{
	unsigned read_by_both = 0;
	uint8_t bytes[24];

	(void)state;
	for (int i = 0; i < 400000; i++) {
		OWNED(wire_arena) arena = wire_arena_new();
		size_t n = make(bytes, sizeof(bytes)), off = 0;
		struct slice in = slice_of(bytes, n);
		msgpack_unpacked u;
		struct value v;

		if (wire_value_get(arena, &in, &v) < 0)
			continue;
		msgpack_unpacked_init(&u);
		assert_int_equal(msgpack_unpack_next(&u, (const char *)bytes, n, &off),
				 MSGPACK_UNPACK_SUCCESS);
		assert_int_equal(off, n - in.n);
		assert_true(same(&u.data, &v));
		msgpack_unpacked_destroy(&u);
		read_by_both++;
	}
	assert_true(read_by_both > 10000);
	print_message("%u values read alike\n", read_by_both);
}

static void every_format_of_the_specification_is_read(void **state)
{
	static const struct {
		struct slice bytes;
		int64_t i;
	} numbers[] = {
		{ SLICE("\x7f"), 127 },
		{ SLICE("\xff"), -1 },
		{ SLICE("\xe0"), -32 },
		{ SLICE("\xcc\xff"), 255 },
		{ SLICE("\xcd\xff\xff"), 65535 },
		{ SLICE("\xce\xff\xff\xff\xff"), 4294967295 },
		{ SLICE("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX },
		{ SLICE("\xd0\x80"), -128 },
		{ SLICE("\xd1\x80\x00"), -32768 },
		{ SLICE("\xd2\x80\x00\x00\x00"), INT32_MIN },
		{ SLICE("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), INT64_MIN },
		{ SLICE("\xd3\x00\x00\x00\x00\x00\x00\x00\x05"), 5 },
		{ SLICE("\xcc\x00"), 0 },
	};
	static const struct slice strings[] = {
		SLICE("\xa1x"),
		SLICE("\xd9\x01x"),
		SLICE("\xda\x00\x01x"),
		SLICE("\xdb\x00\x00\x00\x01x"),
		SLICE("\xc4\x01x"),
		SLICE("\xc5\x00\x01x"),
		SLICE("\xc6\x00\x00\x00\x01x"),
	};
	OWNED(wire_arena) arena = wire_arena_new();
	struct value v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct slice in = numbers[i].bytes;
		assert_int_equal(wire_value_get(arena, &in, &v), 0);
		assert_true(v.type == VALUE_INT && v.i == numbers[i].i && in.n == 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		struct slice in = strings[i];
		assert_int_equal(wire_value_get(arena, &in, &v), 0);
		assert_true(v.type == VALUE_STRING && slice_eq(v.s, SLICE("x")) && in.n == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_read_msgpack_c_reads_the_same),
		cmocka_unit_test(every_format_of_the_specification_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
