/* bench/spool_bench.c - the spool alone: group commit, outcomes, events, recovery.
 *
 *	spool_bench DIR [writers [seconds [bytes]]]
 *
 * Each writer puts one message, waits until it is durable and puts the next, as a session does.
 * Then all messages are delivered, and the log is read as events, closed, and opened again. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/random.h"
#include "spool/audit.h"
#include "spool/spool.h"

struct bench {
	struct spool *sp;
	struct spool_port port;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	_Atomic uint64_t next_id;
	_Atomic bool stop;
	char *bytes;
	size_t n_bytes;
};

static void on_commit(struct spool_port *port)
{
	struct bench *b = container_of(port, struct bench, port);

	(void)pthread_mutex_lock(&b->lock);
	(void)pthread_cond_broadcast(&b->moved);
	(void)pthread_mutex_unlock(&b->lock);
}

static double cpu_ms(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static int put_one(struct bench *b, lsn_t *lsn)
{
	uint64_t id = atomic_fetch_add(&b->next_id, 1);
	struct content_in c = { { 1, id }, SLICE("meta"), slice_of(b->bytes, b->n_bytes) };
	struct job_in j = { .id = { 2, id },
			    .content = c.id,
			    .tenant = 1,
			    .accepted_ms = clock_wall_ms(),
			    .rows = 1,
			    .meta = SLICE("meta of a job, forty bytes or so, msgpack"),
			    .data = SLICE("one row: someone@somewhere.example") };
	job_no job;

	return spool_put(b->sp, &c, &j, &job, lsn);
}

static void *writer(void *arg)
{
	struct bench *b = arg;
	lsn_t lsn = 0;

	while (!atomic_load(&b->stop) && put_one(b, &lsn) >= 0) {
		(void)pthread_mutex_lock(&b->lock);
		while (spool_durable(b->sp) < lsn && !spool_failed(b->sp))
			(void)pthread_cond_wait(&b->moved, &b->lock);
		(void)pthread_mutex_unlock(&b->lock);
	}
	return NULL;
}

static void say(const char *what, uint64_t n, int64_t us, double cpu)
{
	printf("%-10s %9llu in %6.2f s  %10.0f/s  %.4f CPU-ms each\n", what, (unsigned long long)n,
	       (double)us / 1e6, (double)n * 1e6 / (double)us, cpu / (double)n);
	(void)fflush(stdout);
}

static void bench_put(struct bench *b, unsigned writers, int64_t seconds)
{
	pthread_t *thread = must_alloc(writers * sizeof(*thread));
	int64_t from = clock_mono_us();
	double cpu = cpu_ms();
	struct books books;

	for (unsigned i = 0; i < writers; i++)
		(void)pthread_create(&thread[i], NULL, writer, b);
	while (clock_mono_us() - from < seconds * 1000000)
		(void)nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	atomic_store(&b->stop, true);
	for (unsigned i = 0; i < writers; i++)
		(void)pthread_join(thread[i], NULL);
	free(thread);
	spool_books(b->sp, &books);
	say("put", books.accepted, clock_mono_us() - from, cpu_ms() - cpu);
	printf("           %llu syncs, %.1f a sync, %.3f bytes written per byte of message\n",
	       (unsigned long long)books.syncs,
	       (double)books.accepted / (double)MAX_OF(books.syncs, 1u),
	       (double)books.bytes_written / (double)books.accepted / (double)b->n_bytes);
}

static void bench_outcomes(struct bench *b)
{
	struct outcome o = { .kind = OUTCOME_DELIVERED,
			     .attempt = 1,
			     .code = 250,
			     .status = STATUS(2, 0, 0),
			     .text = SLICE("2.0.0 Ok: queued as 4F3B21C0D2"),
			     .host = SLICE("mx1.example"),
			     .ip = SLICE("127.0.0.9"),
			     .source = SLICE("127.0.0.1"),
			     .rcpt = SLICE("someone@somewhere.example") };
	int64_t from = clock_mono_us();
	double cpu = cpu_ms();
	uint64_t cursor = 0, n = 0;
	lsn_t lsn = 0;
	job_no job;

	while (spool_next_job(b->sp, &cursor, &job) >= 0) {
		o.job = job;
		o.at_ms = clock_wall_ms();
		n += spool_put_outcome(b->sp, &o, &lsn) >= 0;
	}
	say("outcomes", n, clock_mono_us() - from, cpu_ms() - cpu);
	while (spool_durable(b->sp) < lsn && !spool_failed(b->sp))
		(void)nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

static int count_event(void *arg, const struct event *e UNUSED)
{
	++*(uint64_t *)arg;
	return 0;
}

static void bench_events(struct bench *b)
{
	int64_t from = clock_mono_us();
	double cpu = cpu_ms();
	lsn_t at = spool_oldest(b->sp), before;
	uint64_t n = 0;

	do
		before = at;
	while (spool_events(b->sp, at, 1000, count_event, &n, &at) >= 0 && at != before);
	say("events", n, clock_mono_us() - from, cpu_ms() - cpu);
}

static int bench_recovery(const struct spool_options *o, const char *what)
{
	int64_t from = clock_mono_us();
	struct spool_audit audit;
	struct spool *sp = NULL;
	int r = spool_open(&sp, o);

	if (r < 0)
		return r;
	printf("%-10s %llu records, %.2f GB/s\n", what, (unsigned long long)o->recovery->records,
	       (double)o->recovery->bytes / 1e3 / (double)(clock_mono_us() - from));
	(void)spool_free(sp);
	r = spool_audit(o->dir, NULL, &audit);
	printf("%-10s %s, %llu accepted, %llu delivered\n", "audit",
	       audit.balanced ? "balanced" : "WRONG", (unsigned long long)audit.books.accepted,
	       (unsigned long long)audit.books.delivered);
	return r < 0 ? r : audit.balanced ? 0 : E_CORRUPT;
}

static uint64_t argument(int argc, char **argv, int i, uint64_t otherwise)
{
	uint64_t v;

	return argc > i && slice_u64(slice_str(argv[i]), 100000000, &v) >= 0 ? v : otherwise;
}

int main(int argc, char **argv)
{
	struct spool_recovery recovery;
	struct spool_options o = { .dir = argc > 1 ? argv[1] : NULL,
				   .lazy_commit_ms = 20,
				   .recovery = &recovery };
	struct bench b = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };
	int r;

	if (!o.dir) {
		(void)fprintf(stderr, "usage: spool_bench DIR [writers [seconds [bytes]]]\n");
		return 2;
	}
	b.n_bytes = argument(argc, argv, 4, 10600);
	b.bytes = must_alloc(b.n_bytes);
	random_bytes(b.bytes, b.n_bytes);
	r = spool_open(&b.sp, &o);
	if (r >= 0)
		r = spool_start(b.sp);
	if (r < 0) {
		(void)fprintf(stderr, "%s: %s\n", o.dir, err_text(r));
		return 1;
	}
	b.port.wake = on_commit;
	spool_port_add(b.sp, &b.port);
	if (spool_consumer_set(b.sp, SLICE("bench"), spool_oldest(b.sp)) <
	    0) /* keeps the whole log */
		return 1;
	bench_put(&b, (unsigned)argument(argc, argv, 2, 50), (int64_t)argument(argc, argv, 3, 5));
	bench_outcomes(&b);
	bench_events(&b);
	spool_port_remove(b.sp, &b.port);
	b.sp = spool_free(b.sp);
	r = bench_recovery(&o, "recovery");
	free(b.bytes);
	if (r < 0)
		(void)fprintf(stderr, "%s\n", err_text(r));
	return r < 0;
}
