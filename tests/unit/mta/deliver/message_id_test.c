/* Unit test of mta/deliver/message_id.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/hash.h"
#include "mta/deliver/message_id.h"
#include "spool/spool.h"

static struct spool *spool_in(const char *dir)
{
	struct spool_options o = { .dir = dir, .segment_bytes = 1 << 20, .clean_ratio = 300 };
	struct spool *sp;

	assert_int_equal(spool_open(&sp, &o), 0);
	return sp;
}

static void new_folder(char *dir, size_t n)
{
	(void)snprintf(dir, n, "/tmp/postern-message-id.XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static void remove_folder(const char *dir)
{
	char command[160];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	assert_int_equal(system(command), 0);
}

static const char *text_of(const struct message_ids *ids, uint64_t hi, uint64_t lo, uint32_t row)
{
	static char texts[8][MESSAGE_ID_MAX + 2];
	static unsigned next;
	char *buf = texts[next++ % ARRAY_LEN(texts)];
	struct slice s =
	    message_ids_write(ids, (struct id128){ hi, lo }, row, SLICE("a.example"), buf);

	buf[s.n] = '\0';
	return buf;
}

static void a_message_keeps_its_id_after_a_restart(void **state)
{
	struct message_ids first, again;
	char dir[64];
	struct spool *sp;

	(void)state;
	new_folder(dir, sizeof(dir));
	sp = spool_in(dir);
	assert_int_equal(message_ids_open(&first, sp), 0);
	spool_free(sp);
	sp = spool_in(dir);
	assert_int_equal(message_ids_open(&again, sp), 0);
	spool_free(sp);
	assert_string_equal(text_of(&first, 1, 2, 3), text_of(&again, 1, 2, 3));
	remove_folder(dir);
}

static void two_installations_give_the_same_job_other_ids(void **state)
{
	struct message_ids one, other;
	char dirs[2][64];
	struct spool *sp;

	(void)state;
	for (int i = 0; i < 2; i++) {
		new_folder(dirs[i], sizeof(dirs[i]));
		sp = spool_in(dirs[i]);
		assert_int_equal(message_ids_open(i ? &other : &one, sp), 0);
		spool_free(sp);
		remove_folder(dirs[i]);
	}
	assert_string_not_equal(text_of(&one, 0x65, 1, 0), text_of(&other, 0x65, 1, 0));
}

static void jobs_and_rows_differ_in_their_ids_and_cannot_be_read_from_them(void **state)
{
	const struct message_ids ids = { { 1, 2 } };
	const char *texts[4] = { text_of(&ids, 0x65, 1, 0), text_of(&ids, 0x65, 1, 1),
				 text_of(&ids, 0x65, 2, 0), text_of(&ids, 0x66, 1, 0) };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(strspn(texts[i], "0123456789abcdef"), 32);
		assert_string_equal(texts[i] + 32, "@a.example");
		for (unsigned k = 0; k < i; k++)
			for (unsigned half = 0; half < 32; half += 16)
				assert_int_not_equal(memcmp(texts[i] + half, texts[k] + half, 16),
						     0);
		assert_int_not_equal(memcmp(texts[i], texts[i] + 16, 16), 0);
	}
}

static void a_long_domain_is_cut(void **state)
{
	const struct message_ids ids = { { 1, 2 } };
	char domain[300], buf[MESSAGE_ID_MAX + 1];

	(void)state;
	memset(domain, 'd', sizeof(domain));
	assert_int_equal(message_ids_write(&ids, (struct id128){ 1, 1 }, 1,
					   slice_of(domain, sizeof(domain)), buf)
			     .n,
			 MESSAGE_ID_MAX);
}

/* The example of the paper: key 00..0f, message 00..0e. */
static void the_hash_is_siphash_2_4(void **state)
{
	const uint64_t key[2] = { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL };

	(void)state;
	assert_true(hash_secret(key, SLICE("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16")) ==
		    0xa129ca6149be45e5ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_keeps_its_id_after_a_restart),
		cmocka_unit_test(two_installations_give_the_same_job_other_ids),
		cmocka_unit_test(jobs_and_rows_differ_in_their_ids_and_cannot_be_read_from_them),
		cmocka_unit_test(a_long_domain_is_cut),
		cmocka_unit_test(the_hash_is_siphash_2_4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
