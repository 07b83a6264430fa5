/* tests/unit/dkim/sign_test.c - signatures, held against libopendkim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dkim/sign.h"
#include "tests/unit/dkim/corpus.h"

enum { NOW = 1795192358, RSA = 0, ED = 1 };
static struct sign_key *keys[2];

static struct sign_key *make_key(enum sign_type type, const char *selector)
{
	struct buf pem, txt;
	struct sign_key *key;

	buf_init(&pem, 0);
	buf_init(&txt, 0);
	assert_int_equal(sign_key_generate(type, &pem, &txt), 0);
	assert_int_equal(
	    sign_key_load(&key, buf_data(&pem), SLICE("shop.example"), slice_str(selector)), 0);
	buf_free(&pem);
	buf_free(&txt);
	return key;
}

static int make_keys(void **state UNUSED)
{
	keys[RSA] = make_key(SIGN_RSA, "r2026");
	keys[ED] = make_key(SIGN_ED25519, "e2026");
	return 0;
}

static int free_keys(void **state UNUSED)
{
	sign_key_free(keys[RSA]);
	sign_key_free(keys[ED]);
	return 0;
}

static void join(struct buf *out, struct slice header, struct slice body)
{
	buf_clear(out);
	buf_put(out, header);
	buf_put(out, SLICE("\r\n"));
	buf_put(out, body);
}

/* The law: same outcome, same bytes. */
static void assert_judged_alike(struct sign_key *const *with, unsigned n, struct slice message)
{
	struct buf hot, judge;
	int r;

	buf_init(&hot, 0);
	buf_init(&judge, 0);
	r = sign_message(with, n, message, NOW, &hot);
	assert_int_equal(sign_judge(with, n, message, NOW, &judge), r);
	assert_int_equal(buf_len(&hot), buf_len(&judge));
	if (r == 0)
		assert_memory_equal(hot.p, judge.p, buf_len(&hot));
	else
		assert_int_equal(buf_len(&hot), 0);
	buf_free(&hot);
	buf_free(&judge);
}

static void hot_path_equals_the_judge_over_the_corpus(void **state UNUSED)
{
	struct buf m;

	buf_init(&m, 0);
	for (unsigned h = 0; h < corpus_n_headers; h++) {
		for (unsigned b = 0; b < corpus_n_bodies; b++) {
			join(&m, corpus_headers[h], corpus_bodies[b]);
			assert_judged_alike(&keys[ED], 1, buf_data(&m));
			if (b < 3)
				assert_judged_alike(keys, 2, buf_data(&m));
		}
	}
	buf_free(&m);
}

static void hot_path_equals_the_judge_over_a_thousand_random_messages(void **state UNUSED)
{
	uint64_t seed = 20261120;
	struct buf m;

	buf_init(&m, 0);
	for (int i = 0; i < 1000; i++) {
		buf_clear(&m);
		corpus_random(&seed, &m);
		assert_judged_alike(&keys[ED], 1, buf_data(&m));
	}
	buf_free(&m);
}

static void hot_path_equals_the_judge_for_selectors_and_domains_of_every_length(void **state UNUSED)
{
	struct buf pem, txt, name;
	struct sign_key *key;

	buf_init(&pem, 0);
	buf_init(&txt, 0);
	buf_init(&name, 0);
	assert_int_equal(sign_key_generate(SIGN_ED25519, &pem, &txt), 0);
	for (unsigned n = 1; n < 120; n++) {
		buf_put(&name, n % 9 == 8 ? SLICE(".") : SLICE("x"));
		if (n % 9 == 8)
			continue;
		assert_int_equal(sign_key_load(&key, buf_data(&pem), buf_data(&name), SLICE("s")),
				 0);
		assert_judged_alike(&key, 1, SLICE("From: a@b.example\r\n\r\nx\r\n"));
		sign_key_free(key);
		assert_int_equal(
		    sign_key_load(&key, buf_data(&pem), SLICE("b.example"), buf_data(&name)), 0);
		assert_judged_alike(&key, 1, SLICE("From: a@b.example\r\n\r\nx\r\n"));
		sign_key_free(key);
	}
	buf_free(&name);
	buf_free(&pem);
	buf_free(&txt);
}

static void put_fields(struct buf *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_putf(m, "Content-Transfer-Encoding: %u\r\n", i);
}

static void
as_many_signed_fields_as_allowed_are_judged_alike_and_one_more_is_refused(void **state UNUSED)
{
	struct buf m, out;

	buf_init(&m, 0);
	buf_init(&out, 0);
	put_fields(&m, 127);
	buf_put(&m, SLICE("From: a@shop.example\r\n"));
	assert_judged_alike(keys, 2, buf_data(&m));
	assert_int_equal(sign_message(keys, 2, buf_data(&m), NOW, &out), 0);
	put_fields(&m, 1);
	buf_clear(&out);
	assert_int_equal(sign_message(keys, 2, buf_data(&m), NOW, &out), E_LIMIT);
	assert_int_equal(sign_judge(keys, 2, buf_data(&m), NOW, &out), E_LIMIT);
	assert_int_equal(buf_len(&out), 0);
	buf_free(&m);
	buf_free(&out);
}

static void every_signed_message_of_the_corpus_verifies(void **state UNUSED)
{
	struct buf m, signed_m;

	buf_init(&m, 0);
	buf_init(&signed_m, 0);
	for (unsigned h = 0; h < corpus_n_headers; h++) {
		for (unsigned b = 0; b < corpus_n_bodies; b += 4) {
			join(&m, corpus_headers[h], corpus_bodies[b]);
			buf_clear(&signed_m);
			assert_int_equal(
			    sign_message(keys, 2, buf_data(&m), NOW - 400000000, &signed_m), 0);
			buf_put(&signed_m, buf_data(&m));
			assert_int_equal(sign_verify(keys, 2, buf_data(&signed_m)), 0);
		}
	}
	buf_free(&m);
	buf_free(&signed_m);
}

static struct slice MESSAGE(void) {
	return SLICE("From: a@shop.example\r\nTo: b@b.example\r\nSubject: hello there\r\n"
		     "List-Unsubscribe: <https://u.example/1>\r\n"
		     "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nbody text\r\n");
}

static void
sign_into(struct buf *out, struct slice m)
{
	buf_clear(out);
	assert_int_equal(sign_message(keys, 2, m, 1600000000, out), 0);
}

/* Signs, lets spoil() change the message behind the signatures, and verifies. */
static int verify_spoiled(struct slice prefix, const char *from, const char *to)
{
	struct buf m;
	char *at;
	int r;

	buf_init(&m, 0);
	sign_into(&m, MESSAGE());
	buf_put(&m, prefix);
	buf_put(&m, MESSAGE());
	if (from) {
		at = memmem(m.p, buf_len(&m), from, strlen(from));
		assert_non_null(at);
		memcpy(at, to, strlen(to));
	}
	r = sign_verify(keys, 2, buf_data(&m));
	buf_free(&m);
	return r;
}

static void a_changed_message_does_not_verify(void **state UNUSED)
{
	assert_int_equal(verify_spoiled(SLICE(""), NULL, NULL), 0);
	assert_int_equal(verify_spoiled(SLICE(""), "body", "Body"), E_CRYPTO);
	assert_int_equal(verify_spoiled(SLICE(""), "hello", "jello"), E_CRYPTO);
	assert_int_equal(verify_spoiled(SLICE(""), "u.example/1", "u.example/2"), E_CRYPTO);
	assert_int_equal(verify_spoiled(SLICE(""), "=One-Click", "=One-Clack"), E_CRYPTO);
	assert_int_equal(verify_spoiled(SLICE(""), "t=16", "t=15"), E_CRYPTO);
}

static void adding_a_field_that_is_oversigned_breaks_the_signature(void **state UNUSED)
{
	assert_int_equal(verify_spoiled(SLICE("X-Other: fine\r\n"), NULL, NULL), 0);
	assert_int_equal(verify_spoiled(SLICE("Subject: another\r\n"), NULL, NULL), E_CRYPTO);
	assert_int_equal(verify_spoiled(SLICE("Reply-To: e@evil.example\r\n"), NULL, NULL),
			 E_CRYPTO);
	assert_int_equal(verify_spoiled(SLICE("From: e@evil.example\r\n"), NULL, NULL), E_SYNTAX);
}

static void one_missing_signature_fails_the_verification_of_both_keys(void **state UNUSED)
{
	struct buf m;

	buf_init(&m, 0);
	assert_int_equal(sign_message(keys, 1, MESSAGE(), 1600000000, &m), 0);
	buf_put(&m, MESSAGE());
	assert_int_equal(sign_verify(keys, 1, buf_data(&m)), 0);
	assert_int_equal(sign_verify(keys, 2, buf_data(&m)), E_CRYPTO);
	assert_int_equal(sign_verify(keys, 2, MESSAGE()), E_CRYPTO);
	buf_free(&m);
}

static void body_length_is_never_limited_and_from_is_named_twice(void **state UNUSED)
{
	struct buf m;

	buf_init(&m, 0);
	sign_into(&m, MESSAGE());
	assert_null(strstr(buf_cstr(&m), "l=1"));
	assert_null(strstr(buf_cstr(&m), " l="));
	assert_null(strstr(buf_cstr(&m), "\tl="));
	assert_non_null(strstr(buf_cstr(&m), "h=From:To:Subject:List-Unsubscribe:"));
	assert_non_null(strstr(buf_cstr(&m), "List-Unsubscribe-Post:"));
	assert_non_null(strstr(strstr(buf_cstr(&m), "h=From") + 4, "From:"));
	buf_free(&m);
}

static void messages_that_are_not_framed_are_refused_by_both(void **state UNUSED)
{
	static const struct slice bad[] = {
		SLICE(""),
		SLICE("\r\n"),
		SLICE("\r\nbody\r\n"),
		SLICE("To: a@b.example\r\n\r\n"),
		SLICE("From: a@b.example\r\nFrom: c@d.example\r\n\r\n"),
		SLICE("From: a@b.example\r\nfrom : c@d.example\r\n\r\n"),
		SLICE("From: a@b.example\n\nbody\n"),
		SLICE("From: a@b.example"),
		SLICE("From: a@b.example\r\nno colon here\r\n\r\n"),
		SLICE(" From: a@b.example\r\n\r\n"),
		SLICE("From: a@b.example\r\n: empty name\r\n\r\n"),
		SLICE("From: a@b.example\r\nSub\tject: x\r\n\r\n"),
		SLICE("From: a@b.example\r\nSubject: bare\rCR\r\n\r\n"),
		SLICE("From: a@b.example\r\nSubject: N\0L\r\n\r\n"),
		SLICE("From: a@b.example\r\nSubject: \x0c\r\n\r\n"),
		SLICE("From: a@b.example\r\nSub;ject: x\r\n\r\n"),
		SLICE("From: a@b.example\r\n\r\nbare \r CR\r\n"),
		SLICE("From: a@b.example\r\n\r\nx\r"),
		SLICE("From: a@b.example\r\n\r\n\r\r\n"),
	};
	struct buf out;

	buf_init(&out, 0);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(sign_message(keys, 2, bad[i], NOW, &out), E_SYNTAX);
		assert_int_equal(sign_judge(keys, 2, bad[i], NOW, &out), E_SYNTAX);
		assert_int_equal(buf_len(&out), 0);
	}
	buf_free(&out);
}

static void a_full_output_gets_nothing_rather_than_one_signature_of_two(void **state UNUSED)
{
	struct buf out;
	size_t both;

	buf_init(&out, 0);
	assert_int_equal(sign_message(keys, 2, MESSAGE(), NOW, &out), 0);
	both = buf_len(&out);
	buf_free(&out);
	buf_init(&out, strlen("before") + both - 1); /* the first field fits, the second does not */
	buf_put(&out, SLICE("before"));
	assert_int_equal(sign_message(keys, 2, MESSAGE(), NOW, &out), E_LIMIT);
	assert_int_equal(buf_len(&out), strlen("before"));
	assert_int_equal(sign_message(keys, 1, MESSAGE(), NOW, &out), 0);
	buf_free(&out);
}

/* RFC 8463 appendix A: the key is RFC 8032's first, the message is signed by both algorithms. */
#define RFC8463_SIGNATURE                                                                          \
	"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"                            \
	" d=football.example.com; i=@football.example.com;\r\n"                                    \
	" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"                                  \
	" subject : date : message-id : from : subject : date;\r\n"                                \
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"                                    \
	" b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"                          \
	" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
#define RFC8463_MESSAGE                                                                            \
	"From: Joe SixPack <joe@football.example.com>\r\n"                                         \
	"To: Suzie Q <suzie@shopping.example.net>\r\n"                                             \
	"Subject: Is dinner ready?\r\n"                                                            \
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                                          \
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n"                     \
	"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"

static void the_example_of_rfc_8463_verifies_and_its_body_hash_is_ours(void **state UNUSED)
{
	static const char pem[] =
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	    "-----END PRIVATE KEY-----\n";
	struct sign_key *key;
	struct buf out;

	buf_init(&out, 0);
	assert_int_equal(
	    sign_key_load(&key, slice_str(pem), SLICE("football.example.com"), SLICE("brisbane")),
	    0);
	assert_int_equal(sign_key_txt(key, &out), 0);
	assert_string_equal(buf_cstr(&out),
			    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
	assert_int_equal(sign_verify(&key, 1, SLICE(RFC8463_SIGNATURE RFC8463_MESSAGE)), 0);
	buf_clear(&out);
	assert_int_equal(sign_message(&key, 1, SLICE(RFC8463_MESSAGE), 1528637909, &out), 0);
	assert_non_null(strstr(buf_cstr(&out), "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;"));
	sign_key_free(key);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hot_path_equals_the_judge_over_the_corpus),
		cmocka_unit_test(hot_path_equals_the_judge_over_a_thousand_random_messages),
		cmocka_unit_test(
		    hot_path_equals_the_judge_for_selectors_and_domains_of_every_length),
		cmocka_unit_test(
		    as_many_signed_fields_as_allowed_are_judged_alike_and_one_more_is_refused),
		cmocka_unit_test(every_signed_message_of_the_corpus_verifies),
		cmocka_unit_test(a_changed_message_does_not_verify),
		cmocka_unit_test(adding_a_field_that_is_oversigned_breaks_the_signature),
		cmocka_unit_test(one_missing_signature_fails_the_verification_of_both_keys),
		cmocka_unit_test(body_length_is_never_limited_and_from_is_named_twice),
		cmocka_unit_test(messages_that_are_not_framed_are_refused_by_both),
		cmocka_unit_test(a_full_output_gets_nothing_rather_than_one_signature_of_two),
		cmocka_unit_test(the_example_of_rfc_8463_verifies_and_its_body_hash_is_ours),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
