/* control/tracking/leave_box, leave_record: those who left while the database did not answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "control/tracking/leave_box.h"

enum { MOST = 1024 * 1024, THREADS = 8, EACH = 50 };

static char dir[] = "/tmp/postern-leave.XXXXXX";

static int each_file(int (*f)(const char *path))
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(dir);
	int n = 0;

	while (d && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.') {
			(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
			assert_int_equal(f(path), 0);
			n++;
		}
	(void)closedir(d);
	return n;
}

static struct leave_box *fresh(int64_t most)
{
	struct leave_box *box = NULL;

	(void)each_file(unlink);
	assert_int_equal(leave_box_open(&box, dir, most), 0);
	return box;
}

static struct leave_box *again(struct leave_box *box)
{
	struct leave_box *next = NULL;

	(void)leave_box_free(box);
	assert_int_equal(leave_box_open(&next, dir, MOST), 0);
	return next;
}

static struct leave_record record(unsigned n)
{
	struct leave_record r = { .at_ms = 1000 + n, .one_click = n % 2 };

	(void)snprintf(r.ticket, sizeof(r.ticket), "ticket-%u", n);
	return r;
}

static int put(struct leave_box *box, unsigned n)
{
	struct leave_record r = record(n);

	return leave_box_put(box, &r);
}

/* What took() saw, and what it is to answer. */
struct taker {
	unsigned n, fail_at, deny;
	int fail;
	struct leave_record seen[THREADS * EACH + 8];
};

static int took(void *arg, const struct leave_record *r)
{
	struct taker *t = arg;

	if (t->fail && t->n == t->fail_at)
		return t->fail;
	assert_true(t->n < ARRAY_LEN(t->seen));
	t->seen[t->n++] = *r;
	return t->deny ? E_DENIED : 0;
}

static struct leave_box_sums empty(struct leave_box *box, struct taker *t)
{
	struct leave_box_sums sums = { 0 }, one;
	int r;

	while ((r = leave_box_empty(box, took, t, &one)) > 0) {
		sums.taken += one.taken;
		sums.damaged += one.damaged;
		sums.refused += one.refused;
	}
	assert_int_equal(r, t->fail);
	return sums;
}

static void whoever_was_put_is_taken_out_in_order_and_once(void **state UNUSED)
{
	struct leave_box *box = fresh(MOST);
	struct taker t = { 0 };

	assert_false(leave_box_waiting(box));
	for (unsigned n = 0; n < 10; n++)
		assert_int_equal(put(box, n), 0);
	assert_true(leave_box_waiting(box));
	assert_int_equal(empty(box, &t).taken, 10);
	assert_int_equal(t.n, 10);
	for (unsigned n = 0; n < 10; n++) {
		struct leave_record want = record(n);

		assert_string_equal(t.seen[n].ticket, want.ticket);
		assert_int_equal(t.seen[n].at_ms, want.at_ms);
		assert_int_equal(t.seen[n].one_click, want.one_click);
	}
	assert_false(leave_box_waiting(box));
	assert_int_equal(each_file(unlink), 0);
	(void)leave_box_free(box);
}

static void a_process_that_was_killed_left_its_records(void **state UNUSED)
{
	struct leave_box *box = fresh(MOST);
	struct taker t = { 0 };

	assert_int_equal(put(box, 1), 0);
	box = again(box);
	assert_true(leave_box_waiting(box));
	assert_int_equal(put(box, 2), 0);
	assert_int_equal(empty(box, &t).taken, 2);
	assert_string_equal(t.seen[0].ticket, "ticket-1");
	assert_string_equal(t.seen[1].ticket, "ticket-2");
	(void)leave_box_free(box);
}

static int cut_last_byte(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);
	int r = ftruncate(fd, size - 1);

	(void)close(fd);
	return r;
}

static void a_line_that_was_cut_hides_no_other(void **state UNUSED)
{
	struct leave_box *box = fresh(MOST);
	struct leave_box_sums sums;
	struct taker t = { 0 };

	for (unsigned n = 0; n < 3; n++)
		assert_int_equal(put(box, n), 0);
	(void)leave_box_free(box);
	assert_int_equal(each_file(cut_last_byte), 1);
	assert_int_equal(leave_box_open(&box, dir, MOST), 0);
	sums = empty(box, &t);
	assert_int_equal(sums.taken, 2);
	assert_int_equal(sums.damaged, 1);
	(void)leave_box_free(box);
}

static void while_the_database_is_down_everything_stays(void **state UNUSED)
{
	struct leave_box *box = fresh(MOST);
	struct taker down = { .fail = E_DB, .fail_at = 1 }, up = { 0 };

	for (unsigned n = 0; n < 3; n++)
		assert_int_equal(put(box, n), 0);
	(void)empty(box, &down);
	assert_int_equal(put(box, 3), 0);
	assert_true(leave_box_waiting(box));
	assert_int_equal(empty(box, &up).taken, 4);
	(void)leave_box_free(box);
}

static void who_is_put_again_takes_no_room(void **state UNUSED)
{
	struct leave_box *box = fresh(MOST);
	struct taker t = { 0 };

	for (unsigned n = 0; n < 100; n++)
		assert_int_equal(put(box, 7), 0);
	assert_int_equal(empty(box, &t).taken, 1);
	(void)leave_box_free(box);
}

static void the_disk_it_takes_is_bounded(void **state UNUSED)
{
	struct leave_box *box = fresh(200);
	struct taker t = { 0 };
	unsigned n = 0;

	while (put(box, n) == 0)
		n++;
	assert_in_range(n, 3, 8);
	assert_int_equal(put(box, n), E_FULL);
	assert_int_equal(put(box, 0), 0); /* who is in it is still acknowledged */
	assert_int_equal(empty(box, &t).taken, n);
	assert_int_equal(put(box, n), 0);
	(void)leave_box_free(box);
}

static void a_write_that_failed_is_not_acknowledged(void **state UNUSED)
{
	struct leave_box *box = fresh(MOST);
	struct rlimit was, small;
	struct taker t = { 0 };

	assert_int_equal(put(box, 1), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = (struct rlimit){ 40, was.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(put(box, 2), -EFBIG); /* a part of the line was written */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(put(box, 2), 0);
	assert_int_equal(put(box, 3), 0);
	assert_int_equal(empty(box, &t).taken, 3);
	(void)leave_box_free(box);
}

static void tickets_of_other_secrets_are_kept_aside(void **state UNUSED)
{
	struct leave_box *box = fresh(MOST);
	struct taker t = { .deny = 1 };

	assert_int_equal(put(box, 1), 0);
	assert_int_equal(empty(box, &t).refused, 1);
	assert_false(leave_box_waiting(box));
	assert_int_equal(each_file(unlink), 1);
	(void)leave_box_free(box);
}

static void another_process_writes_a_file_of_its_own(void **state UNUSED)
{
	struct leave_box *one = fresh(MOST), *other = NULL;
	struct taker t = { 0 };

	assert_int_equal(leave_box_open(&other, dir, MOST), 0);
	assert_int_equal(put(one, 1), 0);
	assert_int_equal(put(other, 2), 0);
	assert_int_equal(empty(one, &t).taken, 1); /* not the one that is being written */
	assert_int_equal(empty(other, &t).taken, 1);
	assert_int_equal(t.n, 2);
	(void)leave_box_free(one);
	(void)leave_box_free(other);
}

static struct leave_box *shared;

static void *put_many(void *arg)
{
	unsigned from = *(unsigned *)arg;

	for (unsigned n = 0; n < EACH; n++)
		if (put(shared, from + n) != 0)
			abort();
	return NULL;
}

static void many_at_once_are_all_there(void **state UNUSED)
{
	static struct taker t;
	pthread_t threads[THREADS];
	unsigned from[THREADS];

	shared = fresh(MOST);
	for (unsigned i = 0; i < THREADS; i++) {
		from[i] = i * EACH;
		assert_int_equal(pthread_create(&threads[i], NULL, put_many, &from[i]), 0);
	}
	for (unsigned i = 0; i < 20; i++)
		(void)empty(shared, &t);
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	(void)empty(shared, &t);
	assert_int_equal(t.n, THREADS * EACH);
	(void)leave_box_free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_was_put_is_taken_out_in_order_and_once),
		cmocka_unit_test(a_process_that_was_killed_left_its_records),
		cmocka_unit_test(a_line_that_was_cut_hides_no_other),
		cmocka_unit_test(while_the_database_is_down_everything_stays),
		cmocka_unit_test(who_is_put_again_takes_no_room),
		cmocka_unit_test(the_disk_it_takes_is_bounded),
		cmocka_unit_test(a_write_that_failed_is_not_acknowledged),
		cmocka_unit_test(tickets_of_other_secrets_are_kept_aside),
		cmocka_unit_test(another_process_writes_a_file_of_its_own),
		cmocka_unit_test(many_at_once_are_all_there),
	};
	int r;

	if (!mkdtemp(dir))
		return 2;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	(void)each_file(unlink);
	(void)rmdir(dir);
	return r;
}
