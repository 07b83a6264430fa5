/* tests/unit/dkim/key_test.c - keys, private and published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

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

static void a_record_of_too_many_tags_or_bytes_is_none(void **state UNUSED)
{
	static char record[9000];
	struct pair p;
	struct buf b;

	make(&p, SIGN_ED25519);
	buf_init(&b, 0);
	for (int tags = 31; tags <= 32; tags++) { /* with those of the key */
		buf_clear(&b);
		buf_put(&b, buf_data(&p.txt));
		for (int i = 3; i < tags; i++)
			buf_putf(&b, "; n_%d=x", i);
		assert_int_equal(sign_key_published(p.key, buf_data(&b)), 0);
	}
	buf_put(&b, SLICE("; one=more"));
	assert_int_equal(sign_key_published(p.key, buf_data(&b)), E_SYNTAX);
	memset(record, ' ', sizeof(record));
	memcpy(record, p.txt.p, buf_len(&p.txt));
	assert_int_equal(sign_key_published(p.key, slice_of(record, 8192)), 0);
	assert_int_equal(sign_key_published(p.key, slice_of(record, 8193)), E_SYNTAX);
	buf_free(&b);
	drop(&p);
}

static void a_tag_is_named_by_a_letter_first(void **state UNUSED)
{
	struct pair p;

	make(&p, SIGN_RSA);
	assert_int_equal(published(&p, "a1_=x; Z=y; p=<>"), 0);
	assert_int_equal(published(&p, "1a=x; p=<>"), E_SYNTAX);
	assert_int_equal(published(&p, "_a=x; p=<>"), E_SYNTAX);
	assert_int_equal(published(&p, "a-b=x; p=<>"), E_SYNTAX);
	assert_int_equal(published(&p, "=x; p=<>"), E_SYNTAX);
	assert_int_equal(published(&p, "[=x; p=<>"), E_SYNTAX);
	assert_int_equal(published(&p, ";p=<>"), E_SYNTAX);
	assert_int_equal(published(&p, "a=x;; p=<>"), E_SYNTAX);
	assert_int_equal(published(&p, "p=<>; \t"), 0);
	drop(&p);
}

static void names_of_a_key_are_those_that_dns_may_have(void **state UNUSED)
{
	static const char *const good[] = { "a", "A-b_c.9z", "xn--a.example" };
	static const char *const bad[] = { ".a",  "a.",  "a..b", "a b", "a/b",     "a:b",
					   "a@b", "a[b", "a`b",  "a{b", "\xc3\xa9" };
	char name[254];
	struct pair p;

	make(&p, SIGN_ED25519);
	for (unsigned i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		bool ok = i < ARRAY_LEN(good);
		struct slice s = slice_str(ok ? good[i] : bad[i - ARRAY_LEN(good)]);
		struct sign_key *key = NULL;
		assert_int_equal(sign_key_load(&key, buf_data(&p.pem), s, SLICE("s")),
				 ok ? 0 : E_CRYPTO);
		key = sign_key_free(key);
		assert_int_equal(sign_key_load(&key, buf_data(&p.pem), SLICE("a"), s),
				 ok ? 0 : E_CRYPTO);
		key = sign_key_free(key);
	}
	memset(name, 'n', sizeof(name));
	struct sign_key *key = NULL;
	assert_int_equal(sign_key_load(&key, buf_data(&p.pem), slice_of(name, 254), SLICE("s")),
			 E_CRYPTO);
	assert_int_equal(sign_key_load(&key, buf_data(&p.pem), slice_of(name, 253), SLICE("s")), 0);
	key = sign_key_free(key);
	assert_null(sign_key_free(NULL));
	drop(&p);
}

static void keys_of_another_kind_and_locked_ones_are_unusable(void **state UNUSED)
{
	EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
		 *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	static char large[(64 << 10) + 1];
	struct sign_key *key = NULL;

	for (int locked = 0; locked < 2; locked++) {
		BIO *bio = BIO_new(BIO_s_mem());
		char *p;
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, locked ? ed : ec,
							       locked ? EVP_aes_128_cbc() : NULL,
							       "secret", 6, NULL, NULL),
				 1);
		struct slice pem = { NULL, (size_t)BIO_get_mem_data(bio, &p) };
		pem.p = p;
		assert_int_equal(sign_key_load(&key, pem, SLICE("a.example"), SLICE("s")),
				 E_CRYPTO);
		(void)BIO_free(bio);
	}
	memset(large, '\n', sizeof(large));
	assert_int_equal(
	    sign_key_load(&key, slice_of(large, sizeof(large)), SLICE("a.example"), SLICE("s")),
	    E_CRYPTO);
	assert_null(key);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ed);
}

static void a_key_without_room_is_not_given(void **state UNUSED)
{
	struct buf pem, txt;
	struct pair p;

	buf_init(&txt, 0);
	buf_init(&pem, 20);
	assert_int_equal(sign_key_generate(SIGN_ED25519, &pem, &txt), E_LIMIT);
	buf_free(&pem);
	buf_free(&txt);
	make(&p, SIGN_ED25519);
	for (size_t max = 1; max < buf_len(&p.txt); max += 9) {
		buf_init(&txt, max);
		assert_int_equal(sign_key_txt(p.key, &txt), E_LIMIT);
		buf_free(&txt);
	}
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
		cmocka_unit_test(a_record_of_too_many_tags_or_bytes_is_none),
		cmocka_unit_test(a_tag_is_named_by_a_letter_first),
		cmocka_unit_test(names_of_a_key_are_those_that_dns_may_have),
		cmocka_unit_test(keys_of_another_kind_and_locked_ones_are_unusable),
		cmocka_unit_test(a_key_without_room_is_not_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
