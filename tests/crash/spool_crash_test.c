/* tests/crash/spool_crash_test.c - the power fails at every operation of a short life of a spool.
 * Each state in which the disk may then be is opened, checked, worked on and opened again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "spool/audit.h"
#include "tests/crash/oracle.h"

/* Under a sanitizer only one image in five, to keep the suite short. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IMAGE_EACH = 5 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { IMAGE_EACH = 5 };
#else
enum { IMAGE_EACH = 1 };
#endif
#else
enum { IMAGE_EACH = 1 };
#endif
enum { SECOND_CRASH_EACH = 47 };

struct life {
	struct spool_port port;
	struct disk_sim *sim;
	struct spool *sp;
	struct oracle o;
	uint64_t chance, value;
	int64_t now;
};

static struct spool_options options(struct disk_sim *sim)
{
	return (struct spool_options){ .dir = "spool",
				       .disk = disk_sim_disk(sim),
				       .segment_bytes = 2048,
				       .reserve_bytes = 1,
				       .clean_ratio = 110 };
}

static uint32_t pick(struct life *l, uint32_t n)
{
	l->chance = l->chance * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(l->chance >> 33) % n;
}

static void do_put(struct life *l)
{
	char bytes[512], rows[512];
	unsigned n = l->o.n_jobs;
	struct oracle_job *j = &l->o.job[n];
	bool old = n > 2 && pick(l, 3) == 0;
	struct content_in c = { .meta = SLICE("meta") };
	struct job_in in = { .id = oracle_job_id(n), .accepted_ms = l->now, .meta = SLICE("job") };
	job_no no;
	lsn_t at;

	if (n == ORACLE_JOBS)
		return;
	j->content = old ? l->o.job[n - 1 - pick(l, 2)].content : n;
	j->rows = n == 1 ? ORACLE_ROWS : 1 + pick(l, 3);
	c.id = in.content = oracle_content_id(j->content);
	c.bytes = oracle_bytes(j->content + 5000, bytes, sizeof(bytes));
	in.rows = j->rows;
	in.data = oracle_bytes(n, rows, sizeof(rows));
	if (spool_put(l->sp, old ? NULL : &c, &in, &no, &at) >= 0) {
		j->at = at;
		l->o.n_jobs++;
	}
}

static struct oracle_row *pick_row(struct life *l, job_no *no, uint32_t *row)
{
	uint16_t attempts;
	int64_t next_ms;
	unsigned n;

	for (int tries = 0; tries < 8 && l->o.n_jobs; tries++) {
		n = pick(l, l->o.n_jobs);
		if (pick(l, 3))
			n = l->o.n_jobs - 1 - pick(l, MIN_OF(l->o.n_jobs, 4u));
		*row = pick(l, l->o.job[n].rows);
		if (spool_find_job(l->sp, oracle_job_id(n), no) >= 0 &&
		    spool_row_live(l->sp, *no, *row, &attempts, &next_ms))
			return &l->o.job[n].row[*row];
	}
	return NULL;
}

static void do_end(struct life *l)
{
	struct outcome o = { .kind = OUTCOME_DELIVERED + pick(l, 4),
			     .attempt = 1,
			     .at_ms = l->now,
			     .text = SLICE("so it ended"),
			     .rcpt = SLICE("a@b.example") };
	struct oracle_row *row = pick_row(l, &o.job, &o.row);
	lsn_t at;

	if (row && spool_put_outcome(l->sp, &o, &at) >= 0) {
		row->ended_at = at;
		row->kind = o.kind;
	}
}

static void do_defer(struct life *l)
{
	struct outcome o = { .kind = OUTCOME_DEFERRED };
	struct oracle_row *row = pick_row(l, &o.job, &o.row);
	lsn_t at;

	if (!row || row->n_deferred == ORACLE_DEFERRALS)
		return;
	o.attempt = (uint16_t)(row->n_deferred + 1);
	o.next_ms = l->now + 1000;
	if (spool_put_outcome(l->sp, &o, &at) < 0)
		return;
	row->deferred[row->n_deferred].at = at;
	row->deferred[row->n_deferred].attempt = o.attempt;
	row->deferred[row->n_deferred++].next_ms = o.next_ms;
}

static void do_rule(struct life *l)
{
	unsigned n = pick(l, ORACLE_RULES);
	uint64_t v = pick(l, 3) ? ++l->value : 0;
	char key[16], value[32];
	lsn_t at;

	if (l->o.n_rule[n] == ORACLE_VALUES)
		return;
	if (spool_put_rule(l->sp, slice_str(oracle_rule_key(n, key)), oracle_rule_value(v, value),
			   &at) < 0)
		return;
	l->o.rule[n][l->o.n_rule[n]++] = (struct oracle_value){ at, v };
}

static void do_consume(struct life *l)
{
	lsn_t cursor = spool_durable(l->sp);

	if (l->o.n_cursor == ORACLE_VALUES ||
	    spool_consumer_set(l->sp, SLICE("reader"), cursor) < 0)
		return;
	l->o.cursor[l->o.n_cursor++] = (struct oracle_value){ spool_head(l->sp), cursor };
}

static void do_mail(struct life *l)
{
	char bytes[512];
	unsigned n = l->o.n_mails;
	struct late_mail m = { .id = oracle_mail_id(n), .at_ms = l->now, .meta = SLICE("meta") };
	lsn_t at;

	if (n == ORACLE_MAILS)
		return;
	m.bytes = oracle_bytes(n + 9000, bytes, sizeof(bytes));
	if (spool_put_late_mail(l->sp, &m, &at) < 0)
		return;
	l->o.mail[n].at = at;
	l->o.n_mails++;
}

static void do_read(struct life *l)
{
	struct oracle_mail *m;
	struct late_fact f;
	lsn_t at;
	unsigned n;

	if (!l->o.n_mails)
		return;
	n = l->o.n_mails - 1 - pick(l, MIN_OF(l->o.n_mails, 6u));
	m = &l->o.mail[n];
	f = oracle_fact(n, m->told);
	if (m->told < oracle_facts(n) && spool_put_late(l->sp, &f, 1, &at) >= 0)
		m->fact[m->told++] = at;
}

static void do_commit(struct life *l)
{
	int r = spool_commit_now(l->sp); /* what it says counts less than what is durable now */

	assert_true(r == 0 || disk_sim_crashed(l->sim));
	l->o.durable = spool_durable(l->sp);
}

static void (*const deeds[])(struct life *l) = {
	do_put,  do_put,     do_put,    do_end,    do_end,    do_end,    do_end,  do_end,  do_defer,
	do_rule, do_consume, do_commit, do_commit, do_commit, do_commit, do_mail, do_read, do_read,
};

/* Facts that arrive between a commit and the cleaning after it, as other threads make them: not
 * durable yet when the cleaner decides. */
static void at_commit(struct spool_port *port)
{
	static void (*const sudden[])(struct life * l) = { do_end, do_end, do_end, do_consume,
							   do_rule };
	struct life *l = container_of(port, struct life, port);

	for (unsigned i = pick(l, 4); i > 0; i--)
		sudden[pick(l, ARRAY_LEN(sudden))](l);
}

/* Lives until the power fails, or to the end.  The same seed is the same life. */
static void live(struct life *l, uint64_t seed, unsigned deeds_n, unsigned crash_at)
{
	struct spool_options o;

	memset(l, 0, sizeof(*l));
	l->sim = disk_sim_new();
	l->chance = seed;
	l->now = 1000000;
	disk_sim_crash_at(l->sim, crash_at);
	o = options(l->sim);
	if (spool_open(&l->sp, &o) < 0)
		return;
	l->o.durable = spool_durable(l->sp);
	l->port.wake = at_commit;
	spool_port_add(l->sp, &l->port);
	for (unsigned i = 0; i < deeds_n && !disk_sim_crashed(l->sim); i++) {
		l->now += 10;
		deeds[pick(l, ARRAY_LEN(deeds))](l);
	}
	if (!disk_sim_crashed(l->sim))
		do_commit(l);
}

static const char *audit(struct disk_sim *sim)
{
	struct spool_audit a;
	int r = spool_audit("spool", disk_sim_disk(sim), &a);

	if (r == -ENOENT)
		return NULL; /* the power went before there was a spool */
	if (r < 0)
		return err_text(r);
	return a.balanced ? NULL : "I11: the audit does not balance";
}

/* Work after the crash, then a restart in good order: the new facts are there too. */
static const char *work_on(struct spool **sp, struct disk_sim *sim)
{
	struct spool_options o = options(sim);
	struct content_in c = { oracle_content_id(900), SLICE(""), SLICE("after the crash") };
	struct job_in in = { .id = oracle_job_id(900), .content = c.id, .rows = 2 };
	struct outcome end = { .row = 1, .kind = OUTCOME_DELIVERED };
	uint64_t digest;
	lsn_t at;

	if (spool_put(*sp, &c, &in, &end.job, &at) < 0 || spool_put_outcome(*sp, &end, &at) < 0)
		return "the spool takes nothing after a crash";
	for (int i = 0; i < 3; i++)
		if (spool_commit_now(*sp) < 0)
			return "the spool cannot commit after a crash";
	if (spool_durable(*sp) < at)
		return "what was committed after a crash is not durable";
	digest = oracle_digest(*sp);
	*sp = spool_free(*sp);
	if (spool_open(sp, &o) < 0)
		return "the spool does not open after work after a crash";
	return oracle_digest(*sp) == digest ? NULL : "a restart changed what the spool shows";
}

static const char *check_image(const struct oracle *oracle, struct disk_sim *image)
{
	OWNED(spool) sp = NULL;
	struct spool_recovery report;
	struct spool_options o = options(image);
	const char *wrong = audit(image);
	int r;

	if (wrong)
		return wrong;
	o.recovery = &report;
	r = spool_open(&sp, &o);
	if (r < 0)
		return err_text(r);
	wrong = oracle_check(oracle, sp);
	wrong = wrong ? wrong : work_on(&sp, image);
	wrong = wrong ? wrong : oracle_check(oracle, sp);
	wrong = wrong ? wrong : oracle_read_again(sp);
	sp = spool_free(sp);
	return wrong ? wrong : audit(image);
}

/* I15: the power goes again, at every operation of the recovery. */
static const char *check_second_crash(const struct oracle *oracle, const struct disk_sim *first,
				      unsigned i, unsigned *images)
{
	char name[IMAGE_NAME];
	const char *wrong = NULL;
	bool again = true;

	for (unsigned at = 1; again && !wrong; at++) {
		OWNED(disk_sim) sim = disk_sim_image(first, i, name);
		struct spool_options o = options(sim);
		struct spool *sp = NULL;
		disk_sim_crash_at(sim, at);
		if (spool_open(&sp, &o) < 0 && !disk_sim_crashed(sim))
			return "the spool does not open";
		again = disk_sim_crashed(sim);
		sp = spool_free(sp);
		for (unsigned k = 0; again && k < disk_sim_images(sim) && !wrong; k++) {
			OWNED(disk_sim) second = disk_sim_image(sim, k, name);
			wrong = check_image(oracle, second);
			++*images;
		}
	}
	return wrong;
}

static void crash_everywhere(uint64_t seed, unsigned deeds_n)
{
	struct life *l = must_alloc(sizeof(*l));
	unsigned boundaries = 0, images = 0, second = 0, all;
	char name[IMAGE_NAME];

	live(l, seed, deeds_n, 0);
	all = disk_sim_ops(l->sim);
	l->sp = spool_free(l->sp);
	l->sim = disk_sim_free(l->sim);
	for (unsigned at = 1; at <= all; at++) {
		live(l, seed, deeds_n, at);
		l->sp = spool_free(l->sp);
		boundaries++;
		for (unsigned i = at % IMAGE_EACH; i < disk_sim_images(l->sim); i += IMAGE_EACH) {
			struct disk_sim *image = disk_sim_image(l->sim, i, name);
			const char *wrong = check_image(&l->o, image);
			if (!wrong && ++images % SECOND_CRASH_EACH == 0)
				wrong = check_second_crash(&l->o, l->sim, i, &second);
			image = disk_sim_free(image);
			if (wrong)
				fail_msg("seed %llu, crash at operation %u, image \"%s\": %s",
					 (unsigned long long)seed, at, name, wrong);
		}
		l->sim = disk_sim_free(l->sim);
	}
	print_message("%u boundaries x images = %u, and %u after a second crash\n", boundaries,
		      images, second);
	free(l);
}

static void a_short_life_survives_a_crash_at_every_operation(void **state UNUSED)
{
	crash_everywhere(1, 150);
}

static void another_life_survives_a_crash_at_every_operation(void **state UNUSED)
{
	crash_everywhere(20261120, 260);
}

static void a_life_of_much_cleaning_survives_a_crash_at_every_operation(void **state UNUSED)
{
	crash_everywhere(77, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_life_survives_a_crash_at_every_operation),
		cmocka_unit_test(another_life_survives_a_crash_at_every_operation),
		cmocka_unit_test(a_life_of_much_cleaning_survives_a_crash_at_every_operation),
	};

	return cmocka_run_group_tests_name("spool crash", tests, NULL, NULL);
}
