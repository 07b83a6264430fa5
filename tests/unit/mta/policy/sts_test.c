/* MTA-STS records and policy files, and what is kept of them on disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "mta/policy/cache.h"

static void a_record_is_what_the_grammar_says(void **unused)
{
	static const struct {
		const char *text, *id; /* NULL: it is none */
	} rows[] = {
		{ "v=STSv1; id=20260101T000000;", "20260101T000000" },
		{ "v=STSv1;id=1", "1" },
		{ "v=STSv1 ;\tid=aB9 ; x=y;", "aB9" },
		{ "v=STSv1; a=b; id=7; id=8", "7" },
		{ "v=STSv1; id=01234567890123456789012345678901",
		  "01234567890123456789012345678901" },
		{ "v=STSv1; id=012345678901234567890123456789012", NULL },
		{ "v=STSv1; id=", NULL },
		{ "v=STSv1; id=a-b", NULL },
		{ "v=STSv1; id=a b", NULL },
		{ "v=STSv1", NULL },
		{ "v=STSv1; x", NULL },
		{ "v=STSv2; id=1", NULL },
		{ "id=1; v=STSv1", NULL },
		{ " x v=STSv1; id=1", NULL },
		{ "", NULL },
	};
	char id[STS_ID_MAX];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = sts_record_parse(slice_str(rows[i].text), id);
		if ((r == 0) != (rows[i].id != NULL) || (r == 0 && strcmp(id, rows[i].id) != 0))
			fail_msg("\"%s\"", rows[i].text);
	}
}

static struct sts_policy *parsed(const char *text)
{
	struct sts_policy *p = NULL;

	return sts_policy_parse(slice_str(text), &p) == 0 ? p : NULL;
}

#define GOOD "version: STSv1\nmode: enforce\nmx: mx1.test\nmx: *.Mail.test\nmax_age: 604800\n"

static void a_policy_is_what_the_grammar_says(void **unused)
{
	static const char *const bad[] = {
		"",
		"version: STSv2\nmode: enforce\nmx: a.test\nmax_age: 1\n",
		"mode: enforce\nmx: a.test\nmax_age: 1\n",
		"version: STSv1\nmx: a.test\nmax_age: 1\n",
		"version: STSv1\nmode: enforce\nmax_age: 1\n",
		"version: STSv1\nmode: testing\nmax_age: 1\n",
		"version: STSv1\nmode: enforce\nmx: a.test\n",
		"version: STSv1\nmode: off\nmx: a.test\nmax_age: 1\n",
		"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: -1\n",
		"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 1 day\n",
		"version: STSv1\nmode: enforce\nmx: *\nmax_age: 1\n",
		"version: STSv1\nmode: enforce\nmx: a.*.test\nmax_age: 1\n",
		"version: STSv1\nmode: enforce\nmx: \nmax_age: 1\n",
		"<html>no such page</html>",
	};
	struct sts_policy *p = parsed(GOOD);

	(void)unused;
	assert_non_null(p);
	assert_true(p->mode == STS_ENFORCE && p->max_age_s == 604800 && p->n_mx == 2);
	assert_string_equal(p->mx[1], "*.mail.test");
	p = sts_policy_unref(p);
	/* CRLF, no end of line, spaces, unknown keys, keys that come twice. */
	p = parsed("version:STSv1\r\nmode :testing\r\nnew: x\r\nmx:a.test\r\nmode: none\r\n"
		   "max_age: 99999999999999999999");
	assert_null(p);
	p = parsed("version:STSv1\r\nmode :testing\r\nnew: x\r\nmx:a.test\r\nmode: none\r\n"
		   "max_age: 4000000000\r\nmax_age: 5");
	assert_non_null(p);
	assert_true(p->mode == STS_TESTING && p->max_age_s == STS_AGE_MAX_S);
	p = sts_policy_unref(p);
	p = parsed("version: STSv1\nmode: none\nmax_age: 5\n");
	assert_true(p && p->mode == STS_NONE);
	p = sts_policy_unref(p);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (parsed(bad[i]))
			fail_msg("\"%s\"", bad[i]);
}

static void what_is_too_large_is_no_policy(void **unused)
{
	struct sts_policy *p;
	struct buf text;

	(void)unused;
	buf_init(&text, 0);
	buf_put(&text, SLICE("version: STSv1\nmode: enforce\nmax_age: 1\n"));
	for (unsigned i = 0; i < STS_MX_MAX; i++)
		buf_putf(&text, "mx: mx%u.test\n", i);
	assert_int_equal(sts_policy_parse(buf_data(&text), &p), 0);
	p = sts_policy_unref(p);
	buf_put(&text, SLICE("mx: one.more.test\n"));
	assert_int_equal(sts_policy_parse(buf_data(&text), &p), E_LIMIT);
	buf_clear(&text);
	buf_put(&text, SLICE(GOOD));
	while (buf_len(&text) <= STS_BYTES_MAX)
		buf_put(&text, SLICE("x: y\n"));
	assert_int_equal(sts_policy_parse(buf_data(&text), &p), E_SYNTAX);
	assert_int_equal(sts_policy_parse(SLICE(GOOD "\0"), &p), E_SYNTAX);
	buf_free(&text);
}

static void a_star_is_one_label(void **unused)
{
	static const struct {
		const char *host;
		bool named;
	} rows[] = {
		{ "mx1.test", true },    { "MX1.test", true },    { "mx2.test", false },
		{ "a.mail.test", true }, { "mail.test", false },  { "a.b.mail.test", false },
		{ ".mail.test", false }, { "amail.test", false }, { "a.mail.test.evil", false },
		{ "xmx1.test", false },  { "", false },
	};
	struct sts_policy *p = parsed(GOOD);

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (sts_policy_names(p, slice_str(rows[i].host)) != rows[i].named)
			fail_msg("%s", rows[i].host);
	(void)sts_policy_unref(p);
}

/* ---- the cache --------------------------------------------------------------------------- */

static char dir[] = "/tmp/postern-sts-XXXXXX";
static int dirfd_now = -1;

static int make_dir(void **unused)
{
	(void)unused;
	dirfd_now = mkdtemp(dir) ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return dirfd_now < 0;
}

static int remove_dir(void **unused)
{
	(void)unused;
	(void)unlinkat(dirfd_now, STS_CACHE_FILE, 0);
	(void)close(dirfd_now);
	return rmdir(dir);
}

static void a_policy_outlives_a_restart_until_its_age_is_over(void **unused)
{
	struct sts_cache *c = sts_cache_new(disk_real(), dirfd_now);
	struct sts_policy *p = parsed(GOOD);
	int64_t now = clock_wall_ms();
	struct sts_entry e;

	(void)unused;
	assert_false(sts_cache_lost(c));
	assert_false(sts_cache_find(c, SLICE("one.test"), now, &e));
	sts_cache_put(c, SLICE("one.test"), "id1", p, now);
	sts_cache_failed(c, SLICE("two.test"), "why", now);
	assert_int_equal(sts_cache_save(c), 0);
	assert_int_equal(sts_cache_save(c), 0);
	c = sts_cache_free(c);
	c = sts_cache_new(disk_real(), dirfd_now);
	assert_false(sts_cache_lost(c));
	assert_true(sts_cache_find(c, SLICE("one.test"), now, &e));
	assert_non_null(e.policy);
	assert_true(e.policy->mode == STS_ENFORCE && e.policy->n_mx == 2 && e.fetched_ms == now);
	assert_string_equal(e.id, "id1");
	(void)sts_policy_unref(e.policy);
	assert_true(sts_cache_find(c, SLICE("one.test"), now + 604800 * 1000LL, &e));
	assert_null(e.policy);
	assert_false(sts_cache_find(c, SLICE("two.test"), now, &e));
	c = sts_cache_free(c);
	(void)sts_policy_unref(p);
}

static void write_file(const char *text)
{
	int fd = openat(dirfd_now, STS_CACHE_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	(void)close(fd);
}

static void a_file_that_is_damaged_is_read_as_far_as_it_is_good(void **unused)
{
	static const char *const texts[] = {
		"",
		"x",
		"postern mta-sts 2\nend 0\n",
		"postern mta-sts 1\n",
		"postern mta-sts 1\none.test id 5 enforce 31557600 mx.test",
		"postern mta-sts 1\none.test\nend 1\n",
		"postern mta-sts 1\n/ id 5 enforce 100 mx.test\nend 1\n",
		"postern mta-sts 1\none.test id 5 enforce 99999999999 mx.test\nend 1\n",
		"postern mta-sts 1\none.test id 5 often 100 mx.test\nend 1\n",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		write_file(texts[i]);
		struct sts_cache *c = sts_cache_new(disk_real(), dirfd_now);
		if (!sts_cache_lost(c))
			fail_msg("\"%s\"", texts[i]);
		(void)sts_cache_free(c);
	}
}

static void a_time_in_the_future_does_not_last_for_ever(void **unused)
{
	struct sts_cache *c;
	struct sts_entry e;
	int64_t now = clock_wall_ms();

	(void)unused;
	write_file("postern mta-sts 1\none.test id 4000000000000 enforce 100 mx.test\nend 1\n");
	c = sts_cache_new(disk_real(), dirfd_now);
	assert_false(sts_cache_lost(c));
	assert_true(sts_cache_find(c, SLICE("one.test"), now, &e));
	assert_true(e.expires_ms <= clock_wall_ms() + 100 * 1000);
	(void)sts_policy_unref(e.policy);
	(void)sts_cache_free(c);
}

static void the_cache_is_bounded_and_the_unused_leave_first(void **unused)
{
	struct sts_cache *c;
	struct sts_policy *p = parsed(GOOD);
	struct sts_entry e;
	struct buf name;

	(void)unused;
	(void)unlinkat(dirfd_now, STS_CACHE_FILE, 0);
	c = sts_cache_new(disk_real(), dirfd_now);
	buf_init(&name, 0);
	for (unsigned i = 0; i < STS_CACHE_MAX + 10; i++) {
		buf_clear(&name);
		buf_putf(&name, "d%u.test", i);
		sts_cache_put(c, buf_data(&name), "1", p, clock_wall_ms());
		if (sts_cache_find(c, SLICE("d0.test"), clock_wall_ms(), &e))
			(void)sts_policy_unref(e.policy);
	}
	assert_true(sts_cache_find(c, SLICE("d0.test"), clock_wall_ms(), &e));
	(void)sts_policy_unref(e.policy);
	assert_false(sts_cache_find(c, SLICE("d1.test"), clock_wall_ms(), &e));
	buf_free(&name);
	(void)sts_cache_free(c);
	(void)sts_policy_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_what_the_grammar_says),
		cmocka_unit_test(a_policy_is_what_the_grammar_says),
		cmocka_unit_test(what_is_too_large_is_no_policy),
		cmocka_unit_test(a_star_is_one_label),
		cmocka_unit_test(a_policy_outlives_a_restart_until_its_age_is_over),
		cmocka_unit_test(a_file_that_is_damaged_is_read_as_far_as_it_is_good),
		cmocka_unit_test(a_time_in_the_future_does_not_last_for_ever),
		cmocka_unit_test(the_cache_is_bounded_and_the_unused_leave_first),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
