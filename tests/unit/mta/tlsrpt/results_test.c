/* Counts of TLS sessions: their bounds, their days, and their file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "mta/tlsrpt/results_int.h"

static const int64_t NOON = 20000LL * DAY_MS + DAY_MS / 2;

struct box {
	char dir[64];
	int fd;
	struct results *r;
	struct route route[1];
	struct route_host host;
	struct policy_facts *facts;
};

static void open_box(struct box *b)
{
	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/postern-results.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	b->fd = open(b->dir, O_RDONLY | O_DIRECTORY);
	b->r = results_new(disk_real(), b->fd);
	assert_false(results_lost(b->r));
	*b->route = (struct route){ .n_hosts = 1, .hosts = &b->host };
	(void)snprintf(b->route->domain, sizeof(b->route->domain), "one.test");
	(void)snprintf(b->host.name, sizeof(b->host.name), "mx.one.test");
	b->facts = must_alloc(sizeof(*b->facts) + sizeof(struct policy_host));
	b->facts->route = b->route;
	b->facts->n_hosts = 1;
}

static void close_box(struct box *b)
{
	b->r = results_free(b->r);
	(void)sts_policy_unref(b->facts->sts_policy);
	free(b->facts);
	(void)unlinkat(b->fd, RESULTS_FILE, 0);
	(void)close(b->fd);
	assert_int_equal(rmdir(b->dir), 0);
}

static bool note(struct box *b, enum results_kind kind, const char *ip, int64_t now)
{
	const struct results_session s = { .facts = b->facts,
					   .kind = kind,
					   .from = SLICE("192.0.2.1"),
					   .to = slice_str(ip),
					   .reason = SLICE("a \x01 reason\n") };

	return results_note(b->r, &s, now);
}

static void assert_same_file(struct box *b, const struct buf *text)
{
	struct results *again = results_new(disk_real(), b->fd);
	struct buf same = { 0 };

	assert_false(results_lost(again));
	results_write(again, &same);
	assert_true(slice_eq(buf_data(&same), buf_data(text)));
	buf_free(&same);
	(void)results_free(again);
}

static void what_was_counted_is_read_back_as_it_was(void **unused)
{
	struct buf text = { 0 };
	struct box b;
	char name[DNS_NAME_MAX];

	(void)unused;
	open_box(&b);
	for (unsigned i = 0; i < 3; i++)
		assert_true(note(&b, RESULTS_SUCCESS, "192.0.2.9", NOON));
	assert_true(note(&b, RESULTS_EXPIRED, "2001:db8::9", NOON));
	assert_int_equal(results_roll(b.r, NOON + DAY_MS), 0);
	assert_true(note(&b, RESULTS_STARTTLS, "", NOON + DAY_MS));
	assert_true(results_due(b.r, NOON + DAY_MS + RESULTS_SPREAD_MS, name));
	results_tell(b.r, name, "mailto:a@b.test", "queued", true, NOON + DAY_MS);
	assert_int_equal(results_save(b.r), 0);
	results_write(b.r, &text);
	assert_non_null(strstr(buf_cstr(&text), "a ? reason?"));
	assert_same_file(&b, &text);
	buf_free(&text);
	close_box(&b);
}

/* A hostile domain must not make us keep more than so much. */
static void beyond_the_bounds_there_are_counts_and_no_details(void **unused)
{
	struct tally_domain *d;
	struct tally_policy *p;
	struct tally_failure *f;
	uint64_t sum = 0;
	struct box b;
	char ip[16];

	(void)unused;
	open_box(&b);
	for (unsigned i = 0; i < 3 * RESULTS_ROWS_MAX; i++) {
		(void)snprintf(ip, sizeof(ip), "192.0.2.%u", i);
		assert_true(note(&b, RESULTS_EXPIRED, ip, NOON));
	}
	d = results_find(b.r, SLICE("one.test"));
	p = list_first(&d->today->policies, struct tally_policy, link);
	assert_int_equal(p->n_failures, RESULTS_ROWS_MAX + 1);
	list_each(&p->failures, f, struct tally_failure, link)
		sum += f->n;
	assert_int_equal(sum, 3 * RESULTS_ROWS_MAX);
	assert_int_equal(p->failure, 3 * RESULTS_ROWS_MAX);
	/* Policies that change all the time are one. */
	b.facts->sts_policy = sts_policy_new(STS_ENFORCE, 0);
	for (unsigned i = 0; i < 3 * RESULTS_POLICIES_MAX; i++) {
		const struct results_session s = { .facts = b.facts, .policy = RESULTS_STS };
		b.facts->sts_policy->max_age_s = i;
		assert_true(results_note(b.r, &s, NOON));
	}
	assert_int_equal(d->today->n_policies, RESULTS_POLICIES_MAX);
	for (unsigned i = 0; i < RESULTS_DOMAINS_MAX + 2; i++) {
		bool room = i < RESULTS_DOMAINS_MAX - 1;
		(void)snprintf(b.route->domain, sizeof(b.route->domain), "d%u.test", i);
		assert_int_equal(note(&b, RESULTS_SUCCESS, "", NOON), room);
	}
	close_box(&b);
}

static void a_day_waits_for_its_moment_and_is_dropped_when_it_is_too_late(void **unused)
{
	int64_t midnight = NOON + DAY_MS / 2;
	char name[DNS_NAME_MAX];
	unsigned early = 0;

	(void)unused;
	for (unsigned i = 0; i < 40; i++) {
		struct box b;
		open_box(&b);
		assert_true(note(&b, RESULTS_SUCCESS, "", NOON));
		assert_int_equal(results_roll(b.r, midnight), 0);
		assert_false(results_due(b.r, midnight, name));
		early += results_due(b.r, midnight + RESULTS_SPREAD_MS / 2, name);
		if (early == i + 1) /* in hand: nobody else gets it */
			assert_false(results_due(b.r, midnight + RESULTS_SPREAD_MS, name));
		close_box(&b);
	}
	assert_in_range(early, 5, 35); /* spread over the time */
	struct box b;
	int64_t now = midnight + RESULTS_SPREAD_MS + MAX_OF(2 * RESULTS_SAVE_MS, 0);
	bool lost = false;
	open_box(&b);
	assert_true(note(&b, RESULTS_SUCCESS, "", NOON));
	assert_int_equal(results_roll(b.r, midnight), 0);
	for (unsigned tries = 0; !lost; tries++) {
		assert_in_range(tries, 0, 20);
		while (!results_due(b.r, now, name))
			now += RESULTS_AGAIN_MS / 5;
		lost = results_over(b.r, name, false, now);
	}
	assert_in_range(now, midnight + RESULTS_LIFE_MS / 2, midnight + 2 * (int64_t)DAY_MS);
	assert_false(results_due(b.r, now + DAY_MS, name));
	close_box(&b);
}

/* A file that was cut or spoilt gives what is before the fault, and says so. */
static void a_spoilt_file_is_read_as_far_as_it_is_right(void **unused)
{
	static const char good[] = "postern tls-reports 1\ndomain one.test 0\n"
				   "today 20000 7 0 0\npolicy sts 3 1\ntext version: STSv1\n"
				   "mx *.one.test\nfail certificate-expired 1 - - - -\n";
	static const char *const rest[] = {
		"",
		"end\ntoday 1 1 1 1\n",
		"nonsense\n",
		"today 20001 7 0 0\n",
		"domain one.test 0\n",
		"domain a..b 0\n",
		"fail success 1 - - - -\n",
		"policy sts x 1\n",
		"text\n",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
		struct buf text = { 0 };
		struct box b;
		open_box(&b);
		buf_putf(&text, "%s%s", good, rest[i]);
		results_read(b.r, buf_data(&text));
		assert_int_equal(results_lost(b.r), i != 1);
		assert_non_null(results_find(b.r, SLICE("one.test"))->today);
		buf_free(&text);
		close_box(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_counted_is_read_back_as_it_was),
		cmocka_unit_test(beyond_the_bounds_there_are_counts_and_no_details),
		cmocka_unit_test(a_day_waits_for_its_moment_and_is_dropped_when_it_is_too_late),
		cmocka_unit_test(a_spoilt_file_is_read_as_far_as_it_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
