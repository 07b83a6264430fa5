/* What questions and orders about a large queue do between two polls of a lane: bounded by a count,
 * however many are queued.  No clock takes part: in simulated time it stands still during a turn.
 *
 * The linker puts us around the steps of a lane's turn, and around what a look at a recipient
 * calls, so that work which forgets to count itself is seen too. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/admin/query.h"
#include "mta/core/lane_int.h"
#include "tests/replay/engine_world.h"

/* ---- measuring --------------------------------------------------------------------------- */

/* By the engine's own count; by what is asked about a recipient, and by what is done to one or told
 * of a domain. */
struct work {
	uint64_t looks, asks, acts;
};
static struct work done;      /* since the test began; looks: of the lane that is measured */
static struct work at, inner; /* when this go began; of this turn, what was measured already */
static struct work most;      /* in one go */
static uint64_t goes;
static struct queue *measured;

static struct work now(void)
{
	done.looks = measured ? atomic_load(&measured->counters.looked) : 0;
	return done;
}

static struct work minus(struct work a, struct work b)
{
	return (struct work){ a.looks - b.looks, a.asks - b.asks, a.acts - b.acts };
}

static void add(struct work *to, struct work w)
{
	to->looks += w.looks;
	to->asks += w.asks;
	to->acts += w.acts;
}

static void note(struct work w)
{
	if (!measured)
		return;
	most.looks = MAX_OF(most.looks, w.looks);
	most.asks = MAX_OF(most.asks, w.asks);
	most.acts = MAX_OF(most.acts, w.acts);
	goes += w.looks > 0;
}

int64_t __real_timers_run(struct timers *ts, int64_t now_ms);
int64_t __wrap_timers_run(struct timers *ts, int64_t now_ms);
int64_t __wrap_timers_run(struct timers *ts, int64_t now_ms)
{
	struct work before = now();
	int64_t next = __real_timers_run(ts, now_ms);
	struct work w = minus(now(), before);

	note(w);
	add(&inner, w);
	return next;
}

/* Sessions go on here: they have limits of their own, and the real loop polls in between. */
void __real_loop_run_turn_end(struct loop *l);
void __wrap_loop_run_turn_end(struct loop *l);
void __wrap_loop_run_turn_end(struct loop *l)
{
	struct work before = now();

	__real_loop_run_turn_end(l);
	add(&inner, minus(now(), before));
}

/* The rest of a turn: notes from other threads, and what an order that begins changes at once. */
int64_t __real_lane_turn(struct lane *l);
int64_t __wrap_lane_turn(struct lane *l);
int64_t __wrap_lane_turn(struct lane *l)
{
	int64_t next;

	at = now();
	inner = (struct work){ 0 };
	next = __real_lane_turn(l);
	note(minus(minus(now(), at), inner));
	return next;
}

#define COUNTED(as, type, name, parameters, arguments)                                             \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		done.as++;                                                                         \
		return __real_##name arguments;                                                    \
	}
COUNTED(acts, void, way_due, (struct queue_ways * w, struct domain *d, rcpt_ref ref), (w, d, ref))
COUNTED(acts, void, way_place,
	(const struct domain *d, const struct flow *f, struct slice *site, struct slice *provider),
	(d, f, site, provider))
COUNTED(acts, bool, queue_move, (struct queue * q, rcpt_ref ref, struct queue_move m), (q, ref, m))
COUNTED(asks, unsigned, queue_pool_of, (struct queue * q, const struct rcpt *r), (q, r))
COUNTED(asks, bool, walk_is_held, (struct walk * w, const struct rcpt *r), (w, r))
COUNTED(asks, bool, rules_end,
	(struct rules * r, const struct subject *s, bool *bounce, char *text), (r, s, bounce, text))
COUNTED(asks, int, spool_job_info, (struct spool * sp, job_no job, struct job_info *ret),
	(sp, job, ret))
COUNTED(acts, void, rcpt_free, (struct slab * s, rcpt_ref ref), (s, ref))
COUNTED(acts, void, fifo_join, (const struct slab *s, struct fifo *to, struct fifo *from),
	(s, to, from))

/* ---- asking ------------------------------------------------------------------------------ */

enum { ROWS = 500, JOBS = 80, QUEUED = ROWS * JOBS };
/* A slice of a question; of an order, which does something to everybody. */
enum { QUESTION_LOOKS = 16384, ORDER_LOOKS = 2048, ASKS = QUESTION_LOOKS + 500, ACTS = 2100 };

static struct admin_server server;
static int64_t answered; /* what the last answer counts; -1: there was none */

void __real_query_answer(struct query *q);
void __wrap_query_answer(struct query *q);
void __wrap_query_answer(struct query *q)
{
	const struct value *map = tree_value(q->tree);
	const struct value *count = value_member(map, SLICE("count"));

	count = count ? count : value_member(map, SLICE("queued"));
	answered = count ? count->i : 0;
	__real_query_answer(q);
}

struct question {
	const char *command, *what, *by;
	bool preview;
	uint64_t order;
};

static void ask(struct world *w, const struct question *one)
{
	struct tree *args = tree_new();
	struct branch *map = tree_map(args);
	struct link_frame f = { .type = LINK_ADMIN };

	server.front = engine_front(w->engine);
	server.engine = w->engine;
	if (one->what)
		branch_str(map, "what", one->what);
	if (one->by)
		branch_str(map, "by", one->by);
	if (one->order)
		branch_int(map, "order", (int64_t)one->order);
	branch_bool(map, "preview", one->preview);
	branch_int(map, "max", 10);
	f.admin.command = slice_str(one->command);
	f.admin.args = *tree_value(args);
	query_start(&server, NULL, "a test", &f);
	tree_free(args);
}

static void wait_for_answers(struct world *w)
{
	for (int i = 0; i < 60000 && server.n_queries; i++)
		world_run(w, 1);
	assert_int_equal(server.n_queries, 0);
}

static void measure(struct world *w)
{
	measured = queue_of(engine_lane(w->engine, 0));
	most = (struct work){ 0 };
	goes = 0;
	answered = -1;
}

static void expect(const char *what, uint64_t looks, uint64_t goes_min)
{
	print_message("%-12s %6llu looks, %6llu asks, %6llu acts at most, in %llu goes\n", what,
		      (unsigned long long)most.looks, (unsigned long long)most.asks,
		      (unsigned long long)most.acts, (unsigned long long)goes);
	assert_in_range(most.looks, 1, looks);
	assert_in_range(most.asks, 0, ASKS);
	assert_in_range(most.acts, 0, ACTS);
	assert_in_range(goes, goes_min, 100000);
	measured = NULL;
}

static void ask_one(struct world *w, struct question one, uint64_t looks)
{
	measure(w);
	ask(w, &one);
	wait_for_answers(w);
	assert_int_equal(answered, QUEUED);
	expect(one.command, looks, QUEUED / looks);
}

static void submit_all(struct world *w, unsigned domains)
{
	static char text[ROWS][40];
	const char *rcpts[ROWS];

	for (unsigned job = 0, n = 0; job < JOBS; job++) {
		for (unsigned i = 0; i < ROWS; i++, n++) {
			(void)snprintf(text[i], sizeof(text[i]), "u%u@d%u.test", n, n % domains);
			rcpts[i] = text[i];
		}
		world_submit(w, rcpts, ROWS, 30 * DAY, "control", 7);
	}
	for (int i = 0; i < 1000 && COUNTER(w, loaded_rcpts) < QUEUED; i++)
		world_run(w, 10);
	assert_int_equal(COUNTER(w, loaded_rcpts), QUEUED);
	world_run(w, SECOND); /* each goes where it waits */
}

static void open_world(struct world *w, const char *config, const char *script, unsigned domains)
{
	char name[40];

	list_init(&server.queries);
	server.n_queries = 0;
	measured = NULL;
	world_open(w, config, script);
	for (unsigned i = 0; i < domains; i++) {
		(void)snprintf(name, sizeof(name), "d%u.test", i);
		world_domain(name, "10 mx.test");
	}
	resolver_sim_set("mx.test", DNS_A, 5, "127.0.1.1");
}

/* ---- questions --------------------------------------------------------------------------- */

#define ALL_AT_ONCE                                                                                \
	"hostname = out.test\nlanes = 1\nroute.allow = 127.0.0.0/8\nretry.schedule = 10h\n"        \
	"retry.jitter = 0\nsite.messages = 1000000\n"

static void questions_look_at_a_slice_in_a_turn(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, ALL_AT_ONCE, decent, 20);
	w.pool = "nowhere"; /* it has no source: all wait */
	submit_all(&w, 20);
	ask_one(&w, (struct question){ .command = "find", .what = "age<2h" }, QUESTION_LOOKS);
	ask_one(&w, (struct question){ .command = "queue", .by = "domain" }, QUESTION_LOOKS);
	ask_one(&w, (struct question){ .command = "queue", .by = "class" }, QUESTION_LOOKS);
	ask_one(&w, (struct question){ .command = "hold", .what = "tenant/1", .preview = true },
		QUESTION_LOOKS);
	ask_one(&w, (struct question){ .command = "retry", .what = "all", .preview = true },
		QUESTION_LOOKS);
	world_end(&w);
}

static void many_questions_at_a_time_take_turns(void **state)
{
	const struct question one = { .command = "find", .what = "campaign/7" };
	struct world w;

	(void)state;
	open_world(&w, ALL_AT_ONCE, decent, 20);
	w.pool = "nowhere";
	submit_all(&w, 20);
	measure(&w);
	for (unsigned i = 0; i < 30; i++)
		ask(&w, &one);
	wait_for_answers(&w);
	assert_int_equal(answered, QUEUED);
	expect("30 finds", QUESTION_LOOKS, 30 * QUEUED / QUESTION_LOOKS);
	world_end(&w);
}

static void many_domains_are_told_in_slices(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, ALL_AT_ONCE, decent, 5000);
	w.pool = "nowhere";
	submit_all(&w, 5000);
	measure(&w);
	ask(&w, &(struct question){ .command = "queue", .by = "provider" });
	wait_for_answers(&w);
	assert_int_equal(answered, QUEUED);
	expect("providers", QUESTION_LOOKS, QUEUED / QUESTION_LOOKS);
	world_end(&w);
}

static void a_slice_reads_few_jobs(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, ALL_AT_ONCE, decent, 1);
	w.pool = "nowhere";
	submit_all(&w, 1);
	measure(&w);
	ask(&w, &(struct question){ .command = "find", .what = "recipient/u39999@d0.test" });
	wait_for_answers(&w);
	assert_int_equal(answered, 1);
	expect("recipient", 5 * ROWS, JOBS / 5);
	world_end(&w);
}

/* ---- orders ------------------------------------------------------------------------------ */

static void holds_undone_and_cancels_act_in_slices(void **state)
{
	const struct question hold = { .command = "hold", .what = "domain/d0.test" };
	const struct question undo = { .command = "order-undo", .order = 1 };
	struct world w;

	(void)state;
	open_world(&w, ALL_AT_ONCE, decent, 1);
	ask(&w, &hold); /* by their domain: each is set aside when its turn comes */
	wait_for_answers(&w);
	submit_all(&w, 1);
	world_run(&w, MINUTE);
	assert_int_equal(COUNTER(&w, queued_held), QUEUED);
	ask_one(&w, hold, QUESTION_LOOKS); /* all were looked at again when it began */
	world_run(&w, MINUTE);
	assert_int_equal(COUNTER(&w, queued_held), QUEUED);
	ask(&w, &(struct question){ .command = "hold", .what = "all" });
	wait_for_answers(&w);
	measure(&w);
	ask(&w, &undo);
	world_run(&w, 10 * SECOND);
	expect("undo", ORDER_LOOKS, QUEUED / ORDER_LOOKS);
	ask_one(&w, (struct question){ .command = "cancel", .what = "campaign/7" }, QUESTION_LOOKS);
	assert_int_equal(world_books(&w).cancelled, QUEUED);
	world_end(&w);
}

static void a_retry_takes_everybody_in_slices(void **state)
{
	struct world w;
	unsigned tried;

	(void)state;
	open_world(&w, ALL_AT_ONCE, full, 10);
	submit_all(&w, 10);
	world_run(&w, HOUR);
	assert_int_equal(COUNTER(&w, queued_deferred), QUEUED);
	tried = conn_sim_opened();
	measure(&w);
	ask(&w, &(struct question){ .command = "retry", .what = "all" });
	wait_for_answers(&w);
	assert_int_equal(answered, QUEUED);
	world_run(&w, HOUR);
	expect("retry", QUESTION_LOOKS, QUEUED / ORDER_LOOKS);
	assert_true(conn_sim_opened() > tried);
	world_end(&w);
}

static void what_is_due_at_one_moment_goes_in_slices(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, ALL_AT_ONCE, decent, 10);
	w.pool = "nowhere";
	w.not_before_ms = clock_wall_ms() + 2 * HOUR;
	submit_all(&w, 10);
	assert_int_equal(COUNTER(&w, queued_deferred), QUEUED);
	measure(&w);
	world_run(&w, 2 * HOUR + MINUTE);
	expect("due", ORDER_LOOKS, QUEUED / ORDER_LOOKS);
	assert_in_range(COUNTER(&w, queued_ready), QUEUED - 500,
			QUEUED); /* each pause tries some */
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_look_at_a_slice_in_a_turn),
		cmocka_unit_test(many_questions_at_a_time_take_turns),
		cmocka_unit_test(many_domains_are_told_in_slices),
		cmocka_unit_test(a_slice_reads_few_jobs),
		cmocka_unit_test(holds_undone_and_cancels_act_in_slices),
		cmocka_unit_test(a_retry_takes_everybody_in_slices),
		cmocka_unit_test(what_is_due_at_one_moment_goes_in_slices),
	};

	return cmocka_run_group_tests_name("engine_turns", tests, NULL, NULL);
}
