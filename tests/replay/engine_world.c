/* A whole engine in a world of scripts; see the header. */
#include "tests/replay/engine_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/core/lane_int.h"
#include "mta/queue/queue.h"
#include "mta/rules/rules.h"
#include "mta/egress/egress.h"
#include "mta/shape/part.h"
#include "mta/site/sites.h"
#include "schema/wire/meta.h"
#include "schema/wire/rows.h"
#include "tests/engine_parts.h"

/* ---- the loop under a lane: no libev, no threads ----------------------------------------- */

void lane_loop_open(struct lane *l)
{
	loop_sim_init(&l->loop);
	if (!l->front)
		resolver_sim_timers(l->loop.timers);
}
void lane_loop_wake(struct lane *l)
{
	(void)l; /* every turn looks */
}
void lane_loop_run(struct lane *l)
{
	(void)l;
}
void lane_loop_stop(struct lane *l)
{
	(void)l;
}
void lane_loop_close(struct lane *l)
{
	loop_sim_end(&l->loop);
}

/* ---- life -------------------------------------------------------------------------------- */

static void open_engine(struct world *w)
{
	struct spool_options o = {
		.dir = "spool",
		.disk = disk_sim_disk(w->disk),
		.segment_bytes = 1 << 20,
		.lazy_commit_ms = 20,
		.clean_ratio = 300,
	};
	const char *what;
	struct settings *c;
	struct spool *sp;
	char error[OPTION_ERROR_MAX] = "";
	unsigned n;
	const struct part *const *parts = engine_parts_delivering(&n);

	if (settings_parse(&c, mta_option_sets, mta_option_sets_n, slice_str(w->config), "test",
			   error) < 0)
		fail_msg("%s", error);
	assert_int_equal(spool_open(&sp, &o), 0);
	assert_int_equal(engine_new(&w->engine, c, sp, parts, n, false), 0);
	assert_int_equal(engine_start(w->engine, &what), 0);
}

void world_start(struct world *w, const char *config)
{
	*w = (struct world){ .disk = disk_sim_new(), .config = config, .next_id = 1, .tenant = 1 };
	log_open(STDERR_FILENO, getenv("POSTERN_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
	conn_sim_reset();
	resolver_sim_forget();
	fetch_sim_forget();
	random_sim_seed(7);
	open_engine(w);
}

void world_restart(struct world *w)
{
	w->engine = engine_free(w->engine);
	assert_int_equal(conn_sim_live(), 0);
	open_engine(w);
}

void world_restart_on(struct world *w, struct disk_sim *disk)
{
	w->engine = engine_free(w->engine);
	assert_int_equal(conn_sim_live(), 0);
	w->disk = disk;
	open_engine(w);
}

void world_end(struct world *w)
{
	w->engine = engine_free(w->engine);
	assert_int_equal(conn_sim_live(), 0);
	disk_sim_free(w->disk);
}

void world_reload(struct world *w, const char *config)
{
	struct settings *c;
	char error[OPTION_ERROR_MAX] = "";

	w->config = config;
	if (settings_parse(&c, mta_option_sets, mta_option_sets_n, slice_str(config), "test",
			   error) < 0)
		fail_msg("%s", error);
	engine_reload(w->engine, c);
}

/* ---- time -------------------------------------------------------------------------------- */

static bool step(struct world *w)
{
	struct spool *sp = engine_spool(w->engine);
	bool moved = false;

	if (spool_durable(sp) < spool_head(sp)) {
		assert_int_equal(spool_commit_now(sp), 0);
		moved = true;
	}
	(void)engine_turn(w->engine);
	while (conn_sim_step(lane_loop(engine_lane(w->engine, 0))))
		moved = true;
	return moved;
}

void world_run(struct world *w, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;

	for (;;) {
		while (step(w))
			;
		int64_t next = engine_turn(w->engine), peers = conn_sim_next();
		if (next < 0 || (peers >= 0 && peers < next))
			next = peers;
		if (next < 0 || clock_mono_ms() + next > end)
			next = end - clock_mono_ms();
		if (next == 0 && clock_mono_ms() >= end)
			return;
		clock_sim_advance_ms(next);
	}
}

/* ---- mail and orders --------------------------------------------------------------------- */

struct id128 world_submit(struct world *w, const char *const *rcpts, unsigned n, int64_t life_ms,
			  const char *origin, uint64_t campaign)
{
	return world_submit_as(w, CLASS_BULK, rcpts, n, life_ms, origin, campaign);
}

struct id128 world_submit_as(struct world *w, enum job_class class, const char *const *rcpts,
			     unsigned n, int64_t life_ms, const char *origin, uint64_t campaign)
{
	char message[128];
	int length = snprintf(message, sizeof(message),
			      "From: a@sender.test\r\n%sSubject: %u\r\n\r\nText\r\n",
			      w->head ? w->head : "", (unsigned)campaign);
	struct id128 id = { 0, w->next_id++ };
	struct wire_content_meta cm = { .sign_domain = w->sign_domain,
					.body_8bit = w->asks_for_all || w->raw,
					.utf8 = w->asks_for_all };
	struct wire_job_meta jm = { .mail_from = SLICE("a@sender.test"),
				    .origin = slice_str(origin),
				    .require_tls = w->require_tls,
				    .engaged = w->engaged,
				    .stream = slice_str(w->stream ? w->stream : ""),
				    .envid = slice_str(w->envid ? w->envid : ""),
				    .return_headers = w->return_headers,
				    .return_full = w->return_full,
				    .not_before_ms = w->not_before_ms,
				    .pool = slice_str(w->pool ? w->pool : "") };
	struct buf content_meta, job_meta, rows;
	job_no job;
	lsn_t lsn;

	buf_init(&content_meta, 0);
	buf_init(&job_meta, 0);
	buf_init(&rows, 0);
	assert_int_equal(wire_content_meta_put(&content_meta, &cm), 0);
	assert_int_equal(wire_job_meta_put(&job_meta, &jm), 0);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(wire_dsn_put(&rows, slice_str(rcpts[i]), &w->dsn), 0);
	struct content_in c = { id, buf_data(&content_meta),
				w->raw ? slice_str(w->raw) : slice_of(message, (size_t)length) };
	struct job_in j = {
		.id = id,
		.content = id,
		.campaign = campaign,
		.class = (uint8_t) class,
		.tenant = w->tenant,
		.accepted_ms = clock_wall_ms(),
		.expires_ms = clock_wall_ms() + life_ms,
		.rows = n,
		.meta = buf_data(&job_meta),
		.data = buf_data(&rows),
	};
	tenancy_count(tenancy_of(w->engine), w->tenant, n);
	assert_int_equal(spool_put(engine_spool(w->engine), &c, &j, &job, &lsn), 0);
	assert_int_equal(spool_commit_now(engine_spool(w->engine)), 0);
	queue_job_added(w->engine, job);
	buf_free(&content_meta);
	buf_free(&job_meta);
	buf_free(&rows);
	return id;
}

void world_rule(struct world *w, const char *key, const char *value)
{
	lsn_t lsn;

	assert_int_equal(
	    spool_put_rule(engine_spool(w->engine), slice_str(key), slice_str(value), &lsn), 0);
	assert_int_equal(spool_commit_now(engine_spool(w->engine)), 0);
	rules_changed(w->engine, slice_str(key), slice_str(value));
	shape_order_changed(w->engine, slice_str(key), slice_str(value));
	sites_rule_changed(w->engine, slice_str(key), slice_str(value));
	tenancy_rule_changed(w->engine, slice_str(key), slice_str(value));
	if (strncmp(key, "source-", strlen("source-")) == 0)
		assert_int_equal(egress_rule_changed(w->engine, slice_str(key), slice_str(value)),
				 0);
}

struct books world_books(struct world *w)
{
	struct books b;

	spool_books(engine_spool(w->engine), &b);
	assert_int_equal(b.accepted, b.delivered + b.bounced + b.expired + b.cancelled + b.queued);
	return b;
}

uint64_t world_counter(struct world *w, const char *name)
{
	unsigned n;
	const struct part *const *parts = engine_parts_delivering(&n);

	for (unsigned i = 0; i < n; i++)
		for (size_t k = 0; parts[i]->counters && k < parts[i]->counters->n; k++) {
			const struct counter_row *row = &parts[i]->counters->rows[k];
			if (strcmp(row->name, name) == 0)
				return counters_sum(w->engine, parts[i], row->offset);
		}
	fail_msg("there is no counter %s", name);
	return 0;
}

void world_host(const char *ip, const char *script)
{
	char at[64];

	(void)snprintf(at, sizeof(at), "%s:25", ip);
	if (conn_sim_host(slice_str(at), slice_str(script)) < 0)
		fail_msg("%s", conn_sim_mistake());
}

void world_domain(const char *name, const char *mx)
{
	resolver_sim_set(name, DNS_MX, 5, mx);
}

void world_names(void)
{
	resolver_sim_set("mx1.test", DNS_A, 5, "127.0.1.1");
	resolver_sim_set("mx2.test", DNS_A, 5, "127.0.1.2");
	world_domain("one.test", "10 mx1.test");
	world_domain("two.test", "10 mx1.test,20 mx2.test");
}

void world_open(struct world *w, const char *config, const char *script)
{
	world_start(w, config);
	world_names();
	world_host("127.0.1.1", script);
}

int world_place_of(unsigned campaign)
{
	char subject[32];
	int n = snprintf(subject, sizeof(subject), "Subject: %u\r\n", campaign);

	for (unsigned i = 0; i < conn_sim_messages(); i++)
		if (memmem(conn_sim_message(i).p, conn_sim_message(i).n, subject, (size_t)n))
			return (int)i;
	return -1;
}

int world_why(struct world *w, const char *selector,
	      int (*each)(void *arg, const struct why_reason *r), void *arg)
{
	OWNED(why) look = NULL;
	struct selector s;

	assert_int_equal(selector_parse(slice_str(selector), &s), 0);
	look = why_new(engine_lane(w->engine, 0), &s);
	while (why_go(look, 1))
		;
	return why_tell(look, each, arg);
}
