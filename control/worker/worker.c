/* control/worker/worker.c - the loop, and the threads that run it. */
#include "control/worker/worker.h"

#include <time.h>

#include "base/clock.h"
#include "base/log.h"

enum { STEP_MS = 50 };

struct workers {
	size_t n;
	struct worker all[];
};

static void report(const struct worker *w, int err)
{
	log_warn(w->row->failed, kv_err("error", err), kv_str("ingest", db_error(w->ingest)),
		 kv_str("api", db_error(w->api)));
}

static void reconnect(struct worker *w)
{
	(void)db_free(w->ingest);
	(void)db_free(w->api);
	w->ingest = app_db(w->app, APP_INGEST);
	w->api = app_db(w->app, APP_API);
}

static void loop(struct worker *w)
{
	int before = 0;

	while (!worker_stopping(w)) {
		int r = w->row->step(w);

		if (r < 0 && r != before && r != -EAGAIN)
			report(w, r);
		before = r;
		if (w->row->fresh)
			reconnect(w);
		if (r <= 0)
			worker_pause(w, r < 0 ? w->row->retry_ms : w->row->idle_ms);
	}
}

static void *thread_main(void *arg)
{
	struct worker *w = arg;

	reconnect(w);
	if (w->row->begin)
		w->state = w->row->begin(w);
	loop(w);
	if (w->row->end)
		w->row->end(w->state);
	w->ingest = db_free(w->ingest);
	w->api = db_free(w->api);
	return NULL;
}

int worker_start_all(struct workers **ret, struct app *app)
{
	struct workers *all = must_alloc(sizeof(*all) + worker_rows_n * sizeof(struct worker));

	for (; all->n < worker_rows_n; all->n++) {
		struct worker *w = &all->all[all->n];

		*w = (struct worker){ .app = app, .row = worker_rows[all->n] };
		int r = pthread_create(&w->thread, NULL, thread_main, w);
		if (r != 0) {
			atomic_store(&app->stopping, true);
			(void)worker_stop_all(all);
			return -r;
		}
	}
	*ret = all;
	return 0;
}

/* app->stopping is set by now: every wait ends within STEP_MS, and every transaction by itself. */
struct workers *worker_stop_all(struct workers *all)
{
	if (!all)
		return NULL;
	for (size_t i = 0; i < all->n; i++)
		(void)pthread_join(all->all[i].thread, NULL);
	free(all);
	return NULL;
}

bool worker_stopping(const struct worker *w)
{
	return atomic_load(&w->app->stopping);
}

void worker_pause(const struct worker *w, int ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (!worker_stopping(w) && clock_mono_ms() < until) {
		struct timespec step = { 0, MIN_OF(ms, STEP_MS) * 1000000L };
		(void)nanosleep(&step, NULL);
	}
}
