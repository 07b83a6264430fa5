/* tests/unit/spool/format_test.c - the bytes of the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/hash.h"
#include "spool/compress.h"
#include "spool/format.h"

static const struct outcome full = {
	.row = 65534,
	.kind = OUTCOME_DEFERRED,
	.attempt = 40000,
	.code = 599,
	.status = STATUS(4, 300, 999),
	.at_ms = INT64_MAX,
	.next_ms = INT64_MAX,
	.flags = UINT16_MAX,
	.text = SLICE("reply\r\n\0text"),
	.host = SLICE("mx"),
	.ip = SLICE("::1"),
	.source = SLICE("::2"),
	.rcpt = SLICE("a@b"),
};

static void an_outcome_comes_back_as_it_was_written(void **state UNUSED)
{
	char buf[OUTCOME_BYTES_MAX];
	struct outcome_view v;
	size_t n = record_encode_outcome(buf, (struct id128){ 1, 2 }, UINT64_MAX, 7, &full);

	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), 0);
	assert_true(id_eq(v.job, (struct id128){ 1, 2 }) && v.tenant == UINT64_MAX &&
		    v.campaign == 7);
	assert_true(v.o.row == full.row && v.o.kind == full.kind && v.o.attempt == full.attempt);
	assert_true(v.o.code == full.code && status_eq(v.o.status, full.status));
	assert_true(v.o.at_ms == full.at_ms && v.o.next_ms == full.next_ms &&
		    v.o.flags == full.flags);
	assert_true(slice_eq(v.o.text, full.text) && slice_eq(v.o.host, full.host));
	assert_true(slice_eq(v.o.ip, full.ip) && slice_eq(v.o.source, full.source));
	assert_true(slice_eq(v.o.rcpt, full.rcpt));
}

static void an_outcome_cut_anywhere_or_longer_is_corrupt(void **state UNUSED)
{
	char buf[OUTCOME_BYTES_MAX + 1] = { 0 };
	struct outcome_view v;
	size_t n = record_encode_outcome(buf, (struct id128){ 1, 2 }, 3, 4, &full);

	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(record_decode_outcome(slice_of(buf, cut), &v), E_CORRUPT);
	assert_int_equal(record_decode_outcome(slice_of(buf, n + 1), &v), E_CORRUPT);
}

static void what_a_reply_means_is_kept_and_may_be_missing(void **state UNUSED)
{
	char buf[OUTCOME_BYTES_MAX + 1] = { 0 };
	struct outcome_view v;
	struct outcome o = full;
	size_t old = record_encode_outcome(buf, (struct id128){ 1, 2 }, 3, 4, &full), n;

	assert_int_equal(record_decode_outcome(slice_of(buf, old), &v), 0);
	assert_true(v.o.class.n == 0 && v.o.rule.n == 0); /* a log of an older program */
	o.class = SLICE("quota");
	o.rule = SLICE("own.rules:7 full");
	n = record_encode_outcome(buf, (struct id128){ 1, 2 }, 3, 4, &o);
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), 0);
	assert_true(slice_eq(v.o.class, o.class) && slice_eq(v.o.rule, o.rule));
	assert_true(slice_eq(v.o.rcpt, full.rcpt));
	for (size_t cut = old + 1; cut < n; cut++)
		assert_int_equal(record_decode_outcome(slice_of(buf, cut), &v), E_CORRUPT);
	assert_int_equal(record_decode_outcome(slice_of(buf, n + 1), &v), E_CORRUPT);
	o.rule = slice_of("", 0);
	n = record_encode_outcome(buf, (struct id128){ 1, 2 }, 3, 4, &o);
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), 0);
	assert_true(slice_eq(v.o.class, o.class) && v.o.rule.n == 0);
}

static void how_it_travelled_is_kept_and_may_be_missing(void **state UNUSED)
{
	char buf[OUTCOME_BYTES_MAX + 1] = { 0 };
	struct outcome_view v;
	struct outcome o = full;
	size_t old = record_encode_outcome(buf, (struct id128){ 1, 2 }, 3, 4, &full), n;

	assert_int_equal(record_decode_outcome(slice_of(buf, old), &v), 0);
	assert_true(v.o.tls.n + v.o.cipher.n + v.o.policy.n + v.o.proof.n == 0);
	o.tls = SLICE("TLSv1.3");
	o.cipher = SLICE("TLS_AES_256_GCM_SHA384");
	o.policy = SLICE("dane");
	o.proof = SLICE("dane-ee");
	n = record_encode_outcome(buf, (struct id128){ 1, 2 }, 3, 4, &o);
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), 0);
	assert_true(slice_eq(v.o.tls, o.tls) && slice_eq(v.o.cipher, o.cipher));
	assert_true(slice_eq(v.o.policy, o.policy) && slice_eq(v.o.proof, o.proof));
	assert_true(v.o.class.n == 0 && v.o.rule.n == 0);
	for (size_t cut = old + 1; cut < n; cut++)
		assert_int_equal(record_decode_outcome(slice_of(buf, cut), &v), E_CORRUPT);
	assert_int_equal(record_decode_outcome(slice_of(buf, n + 1), &v), E_CORRUPT);
	o.class = SLICE("tls-failure");
	o.rule = SLICE("own.rules:7 tls");
	o.tls = o.cipher = o.proof = slice_of("", 0); /* it went in the clear */
	n = record_encode_outcome(buf, (struct id128){ 1, 2 }, 3, 4, &o);
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), 0);
	assert_true(slice_eq(v.o.class, o.class) && slice_eq(v.o.rule, o.rule));
	assert_true(slice_eq(v.o.policy, o.policy) && v.o.tls.n == 0 && v.o.proof.n == 0);
}

static void how_long_it_took_is_kept_and_has_one_spelling(void **state UNUSED)
{
	char buf[OUTCOME_BYTES_MAX + 1] = { 0 };
	struct outcome_view v;
	struct outcome o = full;
	size_t old, n;

	o.policy = SLICE("none");
	old = record_encode_outcome(buf, (struct id128){ 1, 2 }, 3, 4, &o);
	assert_int_equal(record_decode_outcome(slice_of(buf, old), &v), 0);
	assert_false(v.o.took.known);
	o.took = (struct outcome_took){ true, 0, 127, 128, UINT32_MAX };
	n = record_encode_outcome(buf, (struct id128){ 1, 2 }, 3, 4, &o);
	assert_int_equal(n, old + 1 + 1 + 1 + 2 + 5);
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), 0);
	assert_true(v.o.took.known && v.o.took.dns_ms == 0 && v.o.took.connect_ms == 127);
	assert_true(v.o.took.tls_ms == 128 && v.o.took.transaction_ms == UINT32_MAX);
	for (size_t cut = old + 1; cut < n; cut++)
		assert_int_equal(record_decode_outcome(slice_of(buf, cut), &v), E_CORRUPT);
	buf[n - 1] = 0x1f; /* a number of more than 32 bits */
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), E_CORRUPT);
	buf[n - 1] = 0; /* the same number, longer than it must be */
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), E_CORRUPT);
}

static void an_outcome_of_no_kind_or_with_a_number_too_large_is_corrupt(void **state UNUSED)
{
	char buf[OUTCOME_BYTES_MAX], huge[OUTCOME_BYTES_MAX];
	struct outcome_view v;
	size_t n = record_encode_outcome(buf, (struct id128){ 1, 2 }, UINT64_MAX, 4, &full);
	/* The kind is one byte, the row of 65534 three; then comes the tenant: all ones in ten. */
	char *kind = buf + 16, *tenant = kind + 4;

	assert_int_equal((unsigned char)tenant[8], 0xff);
	assert_int_equal(tenant[9], 1);
	memcpy(huge, buf, n);
	huge[tenant - buf + 9] = 2; /* 2^65 - 1 */
	assert_int_equal(record_decode_outcome(slice_of(huge, n), &v), E_CORRUPT);
	huge[tenant - buf + 9] = (char)0x81; /* and on */
	assert_int_equal(record_decode_outcome(slice_of(huge, n), &v), E_CORRUPT);
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), 0);
	*kind = 0;
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), E_CORRUPT);
	memmove(kind + 2, kind + 1, n - 17);
	kind[0] = (char)(OUTCOME_DEFERRED | 0x80); /* one number has one spelling */
	kind[1] = 0;
	assert_int_equal(record_decode_outcome(slice_of(buf, n + 1), &v), E_CORRUPT);
	memmove(kind + 1, kind + 2, n - 17);
	*kind = OUTCOME_DEFERRED;
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), 0);
	*kind = OUTCOME_DEFERRED + 1;
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), E_CORRUPT);
}

static void a_rule_is_taken_up_to_its_bounds(void **state UNUSED)
{
	static char bytes[4 + RULE_VALUE_MAX + 2];
	struct slice key, value;

	bytes[0] = 1;
	assert_int_equal(record_decode_rule(slice_of(bytes, sizeof(bytes) - 1), &key, &value), 0);
	assert_true(key.n == 1 && value.n == RULE_VALUE_MAX);
	assert_int_equal(record_decode_rule(slice_of(bytes, sizeof(bytes)), &key, &value),
			 E_CORRUPT);
	assert_int_equal(record_decode_rule(slice_of(bytes, 4), &key, &value), E_CORRUPT);
}

static void the_strings_of_peers_are_cut_to_their_bounds(void **state UNUSED)
{
	char long_text[5000] = { 0 }, buf[OUTCOME_BYTES_MAX];
	struct slice s = slice_of(long_text, sizeof(long_text));
	struct outcome o = { .kind = OUTCOME_BOUNCED,
			     .text = s,
			     .host = s,
			     .ip = s,
			     .source = s,
			     .rcpt = s,
			     .class = s,
			     .rule = s,
			     .row = ROWS_MAX,
			     .at_ms = -1,
			     .next_ms = -1 };
	struct outcome_view v;
	size_t n;

	memset(long_text, 'x', sizeof(long_text));
	n = record_encode_outcome(buf, (struct id128){ UINT64_MAX, UINT64_MAX }, UINT64_MAX,
				  UINT64_MAX, &o);
	assert_true(n <= sizeof(buf));
	assert_int_equal(record_decode_outcome(slice_of(buf, n), &v), 0);
	assert_true(v.o.text.n == TEXT_MAX && v.o.host.n == HOST_MAX && v.o.rcpt.n == RCPT_MAX);
	assert_true(v.o.class.n == WORD_MAX && v.o.rule.n == WORD_MAX);
}

static void a_usual_outcome_takes_less_than_200_bytes(void **state UNUSED)
{
	char buf[OUTCOME_BYTES_MAX];
	struct outcome o = { .row = 300,
			     .kind = OUTCOME_DELIVERED,
			     .attempt = 1,
			     .code = 250,
			     .status = STATUS(2, 0, 0),
			     .at_ms = 1795190400000,
			     .text = SLICE("2.0.0 Ok: queued as 4F3B21C0D2"),
			     .host = SLICE("mx1.provider.example"),
			     .ip = SLICE("192.0.2.17"),
			     .source = SLICE("198.51.100.4"),
			     .rcpt = SLICE("someone@somewhere.example") };

	assert_true(record_size(record_encode_outcome(buf, (struct id128){ 1, 2 }, 12, 3456, &o)) <
		    200);
}

static void a_record_is_none_at_another_place_or_in_another_spool(void **state UNUSED)
{
	char bytes[64] = { 0 };
	struct record_header h = { .length = 5, .type = RECORD_MARK };
	uint64_t salt = record_salt((struct id128){ 1, 2 });
	struct record rec;
	size_t need;

	memcpy(bytes + RECORD_HEADER, "hello", 5);
	record_seal(&h, hash_crc32c(0, "hello", 5), 4096, salt);
	memcpy(bytes, &h, sizeof(h));
	assert_int_equal(record_parse(bytes, sizeof(bytes), 4096, salt, &rec, &need), 1);
	assert_int_equal(rec.end, 4096 + 32);
	assert_int_equal(record_parse(bytes, sizeof(bytes), 4104, salt, &rec, &need), E_CORRUPT);
	assert_int_equal(record_parse(bytes, sizeof(bytes), 4096,
				      record_salt((struct id128){ 1, 3 }), &rec, &need),
			 E_CORRUPT);
	for (size_t n = 0; n < 32; n++) {
		assert_int_equal(record_parse(bytes, n, 4096, salt, &rec, &need), 0);
		assert_true(need > n);
	}
	for (size_t i = 0; i < (RECORD_HEADER + 5) * 8; i++) {
		bytes[i / 8] ^= (char)(1 << i % 8);
		assert_int_not_equal(record_parse(bytes, sizeof(bytes), 4096, salt, &rec, &need),
				     1);
		bytes[i / 8] ^= (char)(1 << i % 8);
	}
}

static void a_record_that_claims_to_be_huge_is_refused_before_it_is_read(void **state UNUSED)
{
	struct record_header h = { .length = PAYLOAD_MAX + 1, .type = RECORD_MARK };
	struct record rec;
	size_t need;

	record_seal(&h, 0, 4096, 0);
	assert_int_equal(record_parse((char *)&h, sizeof(h), 4096, 0, &rec, &need), E_CORRUPT);
}

static void a_header_of_a_later_version_is_refused_not_guessed(void **state UNUSED)
{
	struct segment_header h = { .magic = SEGMENT_MAGIC,
				    .version = 2,
				    .length = SEGMENT_HEADER };

	segment_header_seal(&h);
	assert_int_equal(segment_header_check(&h), E_VERSION);
	h.version = 1;
	assert_int_equal(segment_header_check(&h), E_CORRUPT); /* sealed as 2 */
	segment_header_seal(&h);
	assert_int_equal(segment_header_check(&h), 0);
}

static void packed_rows_come_back_and_lies_about_their_size_do_not(void **state UNUSED)
{
	char rows[5000], *packed = NULL;
	struct buf out = { .max = 0 };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(rows); i++)
		rows[i] = (char)("user@domain.example "[i % 20] + (i % 97 == 0));
	assert_int_equal(compress_pack(slice_of(rows, sizeof(rows)), &packed, &n), 1);
	assert_true(n < sizeof(rows) / 4);
	assert_int_equal(compress_unpack(slice_of(packed, n), sizeof(rows) - 1, &out), E_CORRUPT);
	assert_int_equal(compress_unpack(slice_of(packed, n), sizeof(rows) + 1, &out), E_CORRUPT);
	for (size_t cut = 0; cut < n; cut += 3)
		assert_true(compress_unpack(slice_of(packed, cut), sizeof(rows), &out) < 0);
	assert_int_equal(buf_len(&out), 0);
	assert_int_equal(compress_unpack(slice_of(packed, n), sizeof(rows), &out), 0);
	assert_true(slice_eq(buf_data(&out), slice_of(rows, sizeof(rows))));
	free(packed);
	buf_free(&out);
}

static void what_does_not_pay_is_not_packed(void **state UNUSED)
{
	char noise[1000], *packed = NULL;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)hash_mix(i);
	assert_int_equal(compress_pack(slice_of(noise, sizeof(noise)), &packed, &n), 0);
	assert_int_equal(
	    compress_pack(slice_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 32), &packed, &n), 0);
	assert_null(packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_outcome_comes_back_as_it_was_written),
		cmocka_unit_test(an_outcome_cut_anywhere_or_longer_is_corrupt),
		cmocka_unit_test(what_a_reply_means_is_kept_and_may_be_missing),
		cmocka_unit_test(how_it_travelled_is_kept_and_may_be_missing),
		cmocka_unit_test(how_long_it_took_is_kept_and_has_one_spelling),
		cmocka_unit_test(an_outcome_of_no_kind_or_with_a_number_too_large_is_corrupt),
		cmocka_unit_test(a_rule_is_taken_up_to_its_bounds),
		cmocka_unit_test(the_strings_of_peers_are_cut_to_their_bounds),
		cmocka_unit_test(a_usual_outcome_takes_less_than_200_bytes),
		cmocka_unit_test(a_record_is_none_at_another_place_or_in_another_spool),
		cmocka_unit_test(a_record_that_claims_to_be_huge_is_refused_before_it_is_read),
		cmocka_unit_test(a_header_of_a_later_version_is_refused_not_guessed),
		cmocka_unit_test(packed_rows_come_back_and_lies_about_their_size_do_not),
		cmocka_unit_test(what_does_not_pay_is_not_packed),
	};

	return cmocka_run_group_tests_name("spool format", tests, NULL, NULL);
}
