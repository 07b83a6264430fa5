/* control/federation/jws: what was signed with a key of the set opens; nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "base/encode.h"
#include "control/federation/jws.h"
#include "tests/unit/control/federation/tokens.h"

static const char *const good[] = { TOKEN_RS256, TOKEN_ES256, TOKEN_EDDSA };
static const char *const names[] = { "RS256", "ES256", "EdDSA" };

static json_t *keys_of(const char *text)
{
	json_t *keys = json_loads(text, 0, NULL);

	assert_non_null(keys);
	return keys;
}

static int opens(const char *token, const json_t *keys)
{
	json_t *payload = NULL;
	int r = jws_open(slice_str(token), keys, &payload);

	assert_true((r == 0) == (payload != NULL));
	json_decref(payload);
	return r;
}

/* header.payload.signature of these, each in clear. */
static int opens_made(const char *header, const char *payload, const char *sig, const json_t *keys)
{
	struct buf out = { 0 };
	int r = base64url_encode(&out, slice_str(header));

	assert_int_equal(r, 0);
	buf_put(&out, SLICE("."));
	assert_int_equal(base64url_encode(&out, slice_str(payload)), 0);
	buf_put(&out, SLICE("."));
	buf_put(&out, slice_str(sig));
	r = opens(buf_cstr(&out), keys);
	buf_free(&out);
	return r;
}

static void the_three_algorithms_open_what_their_keys_have_signed(void **state UNUSED)
{
	json_t *keys = keys_of(TOKEN_KEYS), *payload;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(jws_open(slice_str(good[i]), keys, &payload), 0);
		assert_string_equal(json_string_value(json_object_get(payload, "by")), names[i]);
		json_decref(payload);
	}
	json_decref(keys);
}

static void no_letter_can_be_changed_added_or_left_out(void **state UNUSED)
{
	json_t *keys = keys_of(TOKEN_KEYS);

	for (size_t t = 0; t < ARRAY_LEN(good); t++) {
		OWNED_MEM char *text = must_copy(slice_str(good[t]));
		size_t n = strlen(text);

		for (size_t i = 0; i < n; i++) {
			char was = text[i];

			text[i] = was == 'A' ? 'B' : 'A';
			assert_true(opens(text, keys) < 0);
			text[i] = was;
		}
		text[n - 1] = '\0';
		assert_true(opens(text, keys) < 0);
	}
	json_decref(keys);
}

static void the_key_says_which_algorithm_it_is_for(void **state UNUSED)
{
	json_t *keys = keys_of(TOKEN_KEYS);

	assert_int_equal(opens_made("{\"alg\":\"none\"}", "{}", "", keys), E_DENIED);
	assert_int_equal(opens_made("{\"alg\":\"None\"}", "{}", "", keys), E_DENIED);
	assert_int_equal(opens_made("{\"alg\":\"HS256\",\"kid\":\"r\"}", "{}", "AAAA", keys),
			 E_DENIED);
	assert_int_equal(opens_made("{\"alg\":\"ES256\",\"kid\":\"r\"}", "{}", "AAAA", keys),
			 E_UNKNOWN);
	assert_int_equal(opens_made("{\"alg\":\"RS256\",\"kid\":\"x\"}", "{}", "AAAA", keys),
			 E_UNKNOWN);
	assert_int_equal(
	    opens_made("{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[\"b64\"]}", "{}", "AAAA", keys),
	    E_DENIED);
	assert_int_equal(opens_made("{\"alg\":1}", "{}", "", keys), E_DENIED);
	assert_int_equal(opens_made("{}", "{}", "", keys), E_DENIED);
	json_decref(keys);
}

static void what_is_no_compact_object_is_refused(void **state UNUSED)
{
	static const char *const bad[] = { "",   "a",   "a.b",     "a.b.c",    "a.b.c.d",
					   "..", "...", "e30.e30", "W10.e30.", "e30=.e30." };
	json_t *keys = keys_of(TOKEN_KEYS);
	OWNED_MEM char *long_one = must_alloc(JWS_MAX + 2);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(opens(bad[i], keys), E_SYNTAX);
	assert_int_equal(opens_made("{\"alg\":\"RS256\",\"alg\":\"none\"}", "{}", "", keys),
			 E_SYNTAX);
	memset(long_one, 'a', JWS_MAX + 1);
	assert_int_equal(opens(long_one, keys), E_SYNTAX);
	json_decref(keys);
}

/* Gives the token of RS256 a set in which its key has another member. */
static int with_member(const char *member, json_t *value)
{
	json_t *keys = keys_of(TOKEN_KEYS);
	int r;

	(void)json_object_set_new(json_array_get(json_object_get(keys, "keys"), 0), member, value);
	r = opens(TOKEN_RS256, keys);
	json_decref(keys);
	return r;
}

static void keys_that_are_for_something_else_are_left_alone(void **state UNUSED)
{
	assert_int_equal(with_member("more", json_string("x")), 0);
	assert_int_equal(with_member("use", json_string("enc")), E_UNKNOWN);
	assert_int_equal(with_member("alg", json_string("RS512")), E_UNKNOWN);
	assert_int_equal(with_member("kty", json_string("oct")), E_UNKNOWN);
	assert_int_equal(with_member("n", json_string("AQAB")), E_DENIED); /* too short */
	assert_int_equal(with_member("e", json_string("AQ")), E_DENIED);
	assert_int_equal(with_member("n", json_null()), E_DENIED);
}

static void sets_that_are_none_hold_no_key(void **state UNUSED)
{
	static const char *const sets[] = { "{}", "{\"keys\":{}}", "{\"keys\":[]}",
					    "{\"keys\":[1,null,\"x\",[]]}" };

	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		json_t *keys = keys_of(sets[i]);

		assert_int_equal(opens(TOKEN_ES256, keys), E_UNKNOWN);
		json_decref(keys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_algorithms_open_what_their_keys_have_signed),
		cmocka_unit_test(no_letter_can_be_changed_added_or_left_out),
		cmocka_unit_test(the_key_says_which_algorithm_it_is_for),
		cmocka_unit_test(what_is_no_compact_object_is_refused),
		cmocka_unit_test(keys_that_are_for_something_else_are_left_alone),
		cmocka_unit_test(sets_that_are_none_hold_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
