/* control/http/ids, page_cursor, control/auth/token: ids, tokens, cursors: what leaves the process
 * and comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "base/random.h"
#include "control/auth/token.h"
#include "control/http/page_cursor.h"
#include "control/http/ids.h"

static const uint8_t key[32] = { 1, 2, 3 };
static const uint64_t samples[] = {
	0, 1, 2, 3, 1000, 0x7fffffff, 0x100000000, INT64_MAX, UINT64_MAX
};

static void an_id_comes_back_as_its_number(void **state)
{
	char text[ID_OUT_MAX];
	uint64_t back;

	(void)state;
	for (int kind = 0; kind < ID_KINDS; kind++)
		for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
			back = ~samples[i];
			assert_int_equal(
			    ids_in(kind, slice_str(ids_out(kind, samples[i], text)), &back), 0);
			assert_true(back == samples[i]);
		}
}

static void an_id_of_one_kind_is_unknown_as_another(void **state)
{
	char text[ID_OUT_MAX];
	uint64_t back;

	(void)state;
	assert_int_equal(ids_in(ID_LIST, slice_str(ids_out(ID_CAMPAIGN, 7, text)), &back),
			 E_UNKNOWN);
}

static void the_same_letters_name_another_number_in_another_kind(void **state)
{
	char letters[ID_LETTERS + 1];
	uint64_t back = 7;

	(void)state;
	assert_int_equal(
	    ids_from_letters(ID_LIST, slice_str(ids_letters(ID_CAMPAIGN, 7, letters)), &back), 0);
	assert_true(back != 7);
}

static void neighbours_do_not_look_alike(void **state)
{
	char a[ID_LETTERS + 1], b[ID_LETTERS + 1];
	int same = 0;

	(void)state;
	for (uint64_t i = 0; i < 64; i++) {
		(void)ids_letters(ID_CONTACT, i, a);
		(void)ids_letters(ID_CONTACT, i + 1, b);
		for (int k = 0; k < ID_LETTERS; k++)
			same += a[k] == b[k];
	}
	/* 64 * 13 letters of 32: 26 equal ones expected, 83 would be one in ten. */
	assert_in_range(same, 0, 83);
}

static void letters_that_are_not_canonical_are_unknown(void **state)
{
	static const char *const bad[] = { "",
					   "cmp_",
					   "cmp_aaaaaaaaaaaa",
					   "cmp_aaaaaaaaaaaaaa",
					   "cmp_Aaaaaaaaaaaaa",
					   "cmp_0aaaaaaaaaaaa",
					   "cmp_qaaaaaaaaaaaa",
					   "cmp-aaaaaaaaaaaaa",
					   "aaaaaaaaaaaaa" };
	uint64_t back;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(ids_in(ID_CAMPAIGN, slice_str(bad[i]), &back), E_UNKNOWN);
	assert_int_equal(ids_in(ID_CAMPAIGN, slice_of("cmp_aaaaaaaaaaaa\0", 17), &back), E_UNKNOWN);
}

static void a_token_says_where_it_belongs(void **state)
{
	char secret[TOKEN_SECRET_LEN + 1], text[TOKEN_MAX];
	struct token t;

	(void)state;
	token_secret(secret);
	assert_int_equal(strlen(secret), TOKEN_SECRET_LEN);
	assert_int_equal(token_parse(slice_str(token_format(ID_KEY, 12, 345, secret, text)), &t),
			 0);
	assert_int_equal(t.kind, ID_KEY);
	assert_int_equal(t.org, 12);
	assert_true(t.id == 345);
	assert_true(slice_eq(t.secret, slice_str(secret)));
}

static void a_token_with_one_byte_less_or_more_is_refused(void **state)
{
	char secret[TOKEN_SECRET_LEN + 1], text[TOKEN_MAX];
	struct token t;

	(void)state;
	token_secret(secret);
	(void)token_format(ID_SESSION, 12, 345, secret, text);
	size_t n = strlen(text);
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(token_parse(slice_of(text, cut), &t), E_SYNTAX);
	text[n] = 'x';
	assert_int_equal(token_parse(slice_of(text, n + 1), &t), E_SYNTAX);
}

static void only_the_right_secret_with_the_right_pepper_is_right(void **state)
{
	static const uint8_t other[32] = { 9 };
	uint8_t hash[TOKEN_HASH_LEN] = { 0 };
	struct slice stored = slice_of(hash, sizeof(hash));

	(void)state;
	token_hash(key, SLICE("secret"), hash);
	assert_true(token_right(key, SLICE("secret"), stored));
	assert_false(token_right(key, SLICE("Secret"), stored));
	assert_false(token_right(key, SLICE(""), stored));
	assert_false(token_right(other, SLICE("secret"), stored));
	assert_false(token_right(key, SLICE("secret"), slice_of(hash, sizeof(hash) - 1)));
	assert_false(token_right(key, SLICE("secret"), slice_of("", 0)));
}

static struct slice written(struct buf *out, const char *about, int64_t id, const char *text)
{
	buf_clear(out);
	assert_int_equal(page_cursor_write(key, slice_str(about), id, slice_str(text), out), 0);
	return buf_data(out);
}

static int read_back(const char *about, struct slice cursor, int64_t *id, char *text)
{
	size_t n = 0;
	int r = page_cursor_read(key, slice_str(about), cursor, id, text, 512, &n);

	return r < 0 ? r : (int)n;
}

static void a_cursor_comes_back_where_it_was_written(void **state)
{
	struct buf out = { 0 };
	char text[512];
	int64_t id = 0;

	(void)state;
	assert_int_equal(read_back("1\n/v1/lists\n",
				   written(&out, "1\n/v1/lists\n", -5, "a@b.example"), &id, text),
			 11);
	assert_true(id == -5);
	assert_string_equal(text, "a@b.example");
	buf_free(&out);
}

static void a_cursor_is_refused_elsewhere(void **state)
{
	struct buf out = { 0 };
	struct slice cursor = written(&out, "1\n/v1/lists\n", 5, "");
	char text[512];
	int64_t id;

	(void)state;
	assert_int_equal(read_back("2\n/v1/lists\n", cursor, &id, text), E_SYNTAX);
	assert_int_equal(read_back("1\n/v1/keys\n", cursor, &id, text), E_SYNTAX);
	buf_free(&out);
}

static void a_changed_cursor_is_refused(void **state)
{
	struct buf out = { 0 };
	struct slice cursor = written(&out, "x", 5, "text");
	char text[512];
	int64_t id;

	(void)state;
	for (size_t i = 0; i < cursor.n; i++) {
		char before = out.p[out.start + i];

		out.p[out.start + i] = before == 'A' ? 'B' : 'A';
		assert_int_equal(read_back("x", cursor, &id, text), E_SYNTAX);
		out.p[out.start + i] = before;
	}
	assert_int_equal(read_back("x", slice_of(cursor.p, cursor.n - 4), &id, text), E_SYNTAX);
	assert_int_equal(read_back("x", cursor, &id, text), 4);
	buf_free(&out);
}

static void a_cursor_does_not_show_its_number(void **state)
{
	struct buf a = { 0 }, b = { 0 };
	struct slice one = written(&a, "x", 1, ""), two = written(&b, "x", 2, "");
	size_t same = 0;

	(void)state;
	assert_int_equal(one.n, two.n);
	for (size_t i = 0; i < one.n; i++)
		same += one.p[i] == two.p[i];
	assert_in_range(same, 0, one.n / 4);
	buf_free(&a);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_comes_back_as_its_number),
		cmocka_unit_test(an_id_of_one_kind_is_unknown_as_another),
		cmocka_unit_test(the_same_letters_name_another_number_in_another_kind),
		cmocka_unit_test(neighbours_do_not_look_alike),
		cmocka_unit_test(letters_that_are_not_canonical_are_unknown),
		cmocka_unit_test(a_token_says_where_it_belongs),
		cmocka_unit_test(a_token_with_one_byte_less_or_more_is_refused),
		cmocka_unit_test(only_the_right_secret_with_the_right_pepper_is_right),
		cmocka_unit_test(a_cursor_comes_back_where_it_was_written),
		cmocka_unit_test(a_cursor_is_refused_elsewhere),
		cmocka_unit_test(a_changed_cursor_is_refused),
		cmocka_unit_test(a_cursor_does_not_show_its_number),
	};

	ids_init(key);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
