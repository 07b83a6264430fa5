/* tests/unit/dkim/key_test.c - keys, private and published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dkim/sign.h"

struct pair {
	struct buf pem, txt;
	struct sign_key *key;
};

static void make(struct pair *p, enum sign_type type)
{
	buf_init(&p->pem, 0);
	buf_init(&p->txt, 0);
	assert_int_equal(sign_key_generate(type, &p->pem, &p->txt), 0);
	assert_int_equal(
	    sign_key_load(&p->key, buf_data(&p->pem), SLICE("Shop.example"), SLICE("s1")), 0);
}

static void drop(struct pair *p)
{
	sign_key_free(p->key);
	buf_free(&p->pem);
	buf_free(&p->txt);
}

/* In text, '<' stands for the first ten characters of the key and '>' for the others. */
static int published(const struct pair *p, const char *text)
{
	const char *value = strstr(p->txt.p, "p=") + 2;
	size_t n = buf_len(&p->txt) - (size_t)(value - p->txt.p);
	struct buf txt;
	int r;

	buf_init(&txt, 0);
	for (; *text; text++)
		buf_put(&txt, *text == '<'   ? slice_of(value, 10)
			      : *text == '>' ? slice_of(value + 10, n - 10)
					     : slice_of(text, 1));
	r = sign_key_published(p->key, buf_data(&txt));
	assert_int_equal(sign_txt_published(buf_data(&p->txt), buf_data(&txt)), r);
	buf_free(&txt);
	return r;
}

static void a_generated_key_is_the_one_in_its_txt_value(void **state UNUSED)
{
	for (enum sign_type type = SIGN_RSA; type <= SIGN_ED25519; type++) {
		struct buf again;
		struct pair p;

		make(&p, type);
		buf_init(&again, 0);
		assert_int_equal(sign_key_type(p.key), type);
		assert_true(slice_eq(sign_key_domain(p.key), SLICE("Shop.example")));
		assert_true(slice_eq(sign_key_selector(p.key), SLICE("s1")));
		assert_int_equal(sign_key_txt(p.key, &again), 0);
		assert_true(slice_eq(buf_data(&again), buf_data(&p.txt)));
		assert_int_equal(sign_key_published(p.key, buf_data(&p.txt)), 0);
		buf_free(&again);
		drop(&p);
	}
}

static void spaces_order_and_unknown_tags_do_not_matter(void **state UNUSED)
{
	struct pair p;

	make(&p, SIGN_RSA);
	assert_int_equal(published(&p, "p=<>"), 0);
	assert_int_equal(published(&p, "v=DKIM1;p=<>;k=rsa;"), 0);
	assert_int_equal(
	    published(&p, " v = DKIM1 ; t=s; n=some note; x1=; p= < \r\n\t> ; k=rsa ; "), 0);
	assert_int_equal(published(&p, "v=DKIM1; h=sha1 : sha256; s=other:email; p=<>"), 0);
	drop(&p);
}

static void what_verifiers_would_not_use_is_not_published(void **state UNUSED)
{
	struct pair p;

	make(&p, SIGN_RSA);
	assert_int_equal(published(&p, "k=ed25519; p=<>"), E_CONFLICT);
	assert_int_equal(published(&p, "h=sha1; p=<>"), E_CONFLICT);
	assert_int_equal(published(&p, "s=other; p=<>"), E_CONFLICT);
	assert_int_equal(published(&p, "v=DKIM2; p=<>"), E_SYNTAX);
	assert_int_equal(published(&p, "k=rsa; v=DKIM1; p=<>"), E_SYNTAX);
	assert_int_equal(published(&p, "p=<>; p=AAAA"), E_SYNTAX);
	assert_int_equal(published(&p, "p=<*>"), E_SYNTAX);
	assert_int_equal(published(&p, "p=<>; no tag"), E_SYNTAX);
	drop(&p);
}

static void a_tag_that_occurs_twice_spoils_the_record(void **state UNUSED)
{
	struct pair p;

	make(&p, SIGN_ED25519);
	assert_int_equal(published(&p, "k=ed25519; p=<>; p=<>"), E_SYNTAX);
	assert_int_equal(published(&p, "k=ed25519; k=ed25519; p=<>"), E_SYNTAX);
	assert_int_equal(published(&p, "k=ed25519; t=y; p=<>; t=s"), E_SYNTAX);
	assert_int_equal(published(&p, "x1=; k=ed25519; p=<>; x1=2"), E_SYNTAX);
	assert_int_equal(published(&p, "x1=; k=ed25519; p=<>; X1=2"), 0);
	drop(&p);
}

static void another_key_a_revoked_one_and_no_key_are_told_apart(void **state UNUSED)
{
	struct pair p, other, ed;

	make(&p, SIGN_RSA);
	make(&other, SIGN_RSA);
	make(&ed, SIGN_ED25519);
	assert_int_equal(sign_key_published(p.key, buf_data(&other.txt)), E_CONFLICT);
	assert_int_equal(sign_key_published(p.key, buf_data(&ed.txt)), E_CONFLICT);
	assert_int_equal(sign_key_published(p.key, SLICE("v=DKIM1; k=rsa; p=")), E_DENIED);
	assert_int_equal(sign_key_published(p.key, SLICE("v=DKIM1; k=rsa; p= ; t=y")), E_DENIED);
	assert_int_equal(sign_key_published(p.key, SLICE("v=DKIM1; k=rsa")), E_SYNTAX);
	assert_int_equal(sign_key_published(p.key, SLICE("")), E_SYNTAX);
	assert_int_equal(sign_key_published(p.key, SLICE("v=spf1 -all")), E_SYNTAX);
	assert_int_equal(sign_key_published(p.key, SLICE("v=DKIM1; p=AAAA")), E_CONFLICT);
	drop(&p);
	drop(&other);
	drop(&ed);
}

static void keys_that_cannot_sign_are_refused(void **state UNUSED)
{
	static const char encrypted[] =
	    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	    "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBBWY2o0sTYzW4bqEvMG\n"
	    "-----END ENCRYPTED PRIVATE KEY-----\n";
	static const char public_only[] =
	    "-----BEGIN PUBLIC KEY-----\n"
	    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
	    "-----END PUBLIC KEY-----\n";
	/* A 512-bit RSA key. */
	static const char small[] =
	    "-----BEGIN RSA PRIVATE KEY-----\n"
	    "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n"
	    "KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQJAIJLixBy2qpFoS4DSmoEm\n"
	    "o3qGy0t6z09AIJtH+5OeRV1be+N4cDYJKffGzDa88vQENZiRm0GRq6a+HPGQMd2k\n"
	    "TQIhAKMSvzIBnni7ot/OSie2TmJLY4SwTQAevXysE2RbFDYdAiEBCUEaRQnMnbp7\n"
	    "9mxDXDf6AU0cN/RPBjb9qSHDcWZHGzUCIG2Es59z8ugGrDY+pxLQnwfotadxd+Uy\n"
	    "v/Ow5T0q5gIJAiEAyS4RaI9YG8EWx/2w0T67ZUVAw8eOMB6BIUg0Xcu+3okCIBOs\n"
	    "/5OiPgoTdSy7bcF9IGpSE8ZgGKzgYQVZeN97YE00\n"
	    "-----END RSA PRIVATE KEY-----\n";
	static const char *const bad[] = { "", "no key", encrypted, public_only, small };
	struct sign_key *key = NULL;
	struct pair p;

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
		    sign_key_load(&key, slice_str(bad[i]), SLICE("a.example"), SLICE("s")),
		    E_CRYPTO);
	make(&p, SIGN_ED25519);
	assert_int_equal(sign_key_load(&key, buf_data(&p.pem), SLICE("a;b"), SLICE("s")), E_CRYPTO);
	assert_int_equal(
	    sign_key_load(&key, buf_data(&p.pem), SLICE("a.example"), SLICE("s\r\nX: y")),
	    E_CRYPTO);
	assert_int_equal(sign_key_load(&key, buf_data(&p.pem), SLICE("a.example"), SLICE("")),
			 E_CRYPTO);
	assert_null(key);
	drop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_generated_key_is_the_one_in_its_txt_value),
		cmocka_unit_test(spaces_order_and_unknown_tags_do_not_matter),
		cmocka_unit_test(what_verifiers_would_not_use_is_not_published),
		cmocka_unit_test(a_tag_that_occurs_twice_spoils_the_record),
		cmocka_unit_test(another_key_a_revoked_one_and_no_key_are_told_apart),
		cmocka_unit_test(keys_that_cannot_sign_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
