/* Many threads on one spool with its commit thread, small segments and the cleaner at work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "spool/audit.h"
#include "tests/unit/spool/gated.h"
#include "tests/unit/spool/yard.h"

enum { WRITERS = 4, JOBS = 300, ROWS = 3 };

struct crowd {
	struct yard y;
	struct spool_port port;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	_Atomic uint64_t ended, heard_ended, heard_accepted, refused;
};
struct writer {
	struct crowd *crowd;
	uint64_t first;
	pthread_t thread;
};

static void on_commit(struct spool_port *port)
{
	struct crowd *c = container_of(port, struct crowd, port);

	(void)pthread_mutex_lock(&c->lock);
	(void)pthread_cond_broadcast(&c->moved);
	(void)pthread_mutex_unlock(&c->lock);
}

static void wait_durable(struct crowd *c, lsn_t lsn)
{
	(void)pthread_mutex_lock(&c->lock);
	while (spool_durable(c->y.sp) < lsn && !spool_failed(c->y.sp))
		(void)pthread_cond_wait(&c->moved, &c->lock);
	(void)pthread_mutex_unlock(&c->lock);
}

/* Two rows of each job end, the third is deferred and ends with every job but each seventh. */
static void work_one(struct crowd *c, uint64_t n)
{
	struct buf data = { .max = 0 };
	job_no job;
	int r = yard_put(&c->y, n, ROWS, true, &job);

	if (r < 0) {
		c->refused++;
		return;
	}
	wait_durable(c, spool_head(c->y.sp));
	if (spool_read_job(c->y.sp, job, NULL, &data) < 0 ||
	    spool_read_content(c->y.sp, yard_id(n + 1000), NULL, &data) < 0)
		c->refused++;
	buf_free(&data);
	c->ended += yard_end(&c->y, job, 0, OUTCOME_DELIVERED) == 0;
	c->ended += yard_end(&c->y, job, 2, OUTCOME_BOUNCED) == 0;
	if (yard_end(&c->y, job, 2, OUTCOME_DELIVERED) != E_CONFLICT)
		c->refused++;
	(void)yard_defer(&c->y, job, 1, 1, 99);
	if (n % 7)
		c->ended += yard_end(&c->y, job, 1, OUTCOME_EXPIRED) == 0;
}

static void *writer(void *arg)
{
	struct writer *w = arg;

	for (uint64_t n = 0; n < JOBS; n++)
		work_one(w->crowd, w->first + n);
	return NULL;
}

static int hear(void *arg, const struct event *e)
{
	struct crowd *c = arg;

	if (e->kind == EVENT_ACCEPTED)
		c->heard_accepted += e->row;
	else if (e->kind != OUTCOME_DEFERRED)
		c->heard_ended++;
	return 0;
}

static void consume_until(struct crowd *c, uint64_t ended)
{
	lsn_t at = 0;

	for (int i = 0; i < 60000 && c->heard_ended < ended; i++) {
		lsn_t before = at;
		assert_int_equal(spool_events(c->y.sp, at, 50, hear, c, &at), 0);
		assert_int_equal(spool_consumer_set(c->y.sp, SLICE("reader"), at), 0);
		if (at == before)
			wait_durable(c, at + 1);
	}
}

static void threads_lose_nothing_and_hear_everything_once(void **state UNUSED)
{
	struct crowd c = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };
	struct writer w[WRITERS];
	const uint64_t kept = (WRITERS * JOBS + 6) / 7, ended = WRITERS * JOBS * ROWS - kept;
	struct spool_audit audit;
	struct spool_verify verify;

	yard_open(&c.y);
	c.port.wake = on_commit;
	spool_port_add(c.y.sp, &c.port);
	assert_int_equal(spool_consumer_set(c.y.sp, SLICE("reader"), 0), 0);
	assert_int_equal(spool_start(c.y.sp), 0);
	for (uint64_t i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){ .crowd = &c, .first = i * JOBS };
		assert_int_equal(pthread_create(&w[i].thread, NULL, writer, &w[i]), 0);
	}
	consume_until(&c, ended);
	for (uint64_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
	assert_int_equal(c.refused, 0);
	assert_int_equal(c.ended, ended);
	assert_int_equal(c.heard_ended, ended);
	assert_int_equal(c.heard_accepted, WRITERS * JOBS * ROWS);
	assert_int_equal(yard_books(&c.y).queued, kept);
	assert_int_equal(spool_audit(c.y.dir, NULL, &audit), 0); /* beside the live writer */
	assert_true(audit.balanced);
	assert_int_equal(spool_verify(c.y.dir, NULL, NULL, NULL, &verify), 0);
	assert_int_equal(verify.damaged, 0);
	spool_port_remove(c.y.sp, &c.port);
	yard_again(&c.y);
	assert_int_equal(yard_books(&c.y).queued, kept);
	assert_true(yard_books(&c.y).segments < 200);
	yard_close(&c.y);
}

static void a_thread_whose_write_fails_wakes_who_waits_and_ends(void **state UNUSED)
{
	struct crowd c = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };
	struct gated g;
	job_no job;

	gated_make(&g);
	gated_open(&g);
	c.y.sp = g.sp;
	c.port.wake = on_commit;
	spool_port_add(g.sp, &c.port);
	disk_gate_fail(g.gate, CALL_PWRITE, EACH_CALL, -EIO);
	assert_int_equal(spool_start(g.sp), 0);
	assert_int_equal(gated_put(&g, 1, 1, 100, &job), 0);
	wait_durable(&c, spool_head(g.sp));
	assert_int_equal(spool_failed(g.sp), E_POISONED);
	assert_int_equal(gated_put(&g, 2, 1, 100, &job), E_POISONED);
	gated_close(&g);
	disk_gate_open(g.gate);
	gated_open(&g);
	assert_false(gated_has(&g, 1));
	gated_end(&g);
}

static void outcomes_wait_for_company_but_never_longer_than_they_may(void **state UNUSED)
{
	struct crowd c = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };
	job_no job;
	lsn_t head;

	yard_open(&c.y);
	c.y.o.lazy_commit_ms = 50;
	yard_again(&c.y);
	c.port.wake = on_commit;
	spool_port_add(c.y.sp, &c.port);
	assert_int_equal(yard_put(&c.y, 1, 3, true, &job), 0);
	assert_int_equal(spool_start(c.y.sp), 0);
	wait_durable(&c, spool_head(c.y.sp));
	assert_int_equal(yard_end(&c.y, job, 0, OUTCOME_DELIVERED), 0);
	wait_durable(&c, spool_head(c.y.sp)); /* though nobody asked for it */
	c.y.sp = spool_free(c.y.sp);
	c.y.o.lazy_commit_ms = 3600 * 1000;
	assert_int_equal(spool_open(&c.y.sp, &c.y.o), 0);
	assert_int_equal(spool_start(c.y.sp), 0);
	assert_int_equal(spool_find_job(c.y.sp, yard_id(1), &job), 0);
	head = spool_durable(c.y.sp);
	assert_int_equal(yard_end(&c.y, job, 1, OUTCOME_DELIVERED), 0);
	assert_int_equal(spool_durable(c.y.sp), head); /* it waits */
	yard_again(&c.y);                              /* but is not lost at a good end */
	assert_int_equal(yard_books(&c.y).delivered, 2);
	yard_close(&c.y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_whose_write_fails_wakes_who_waits_and_ends),
		cmocka_unit_test(outcomes_wait_for_company_but_never_longer_than_they_may),
		cmocka_unit_test(threads_lose_nothing_and_hear_everything_once),
	};

	return cmocka_run_group_tests_name("spool threads", tests, NULL, NULL);
}
