#include "control/worker/worker.h"

#include <time.h>

#include "base/clock.h"
#include "base/log.h"

enum { STEP_MS = 50 };

static const struct {
	const char *name;
	void (*run)(struct worker *w);
} kinds[] = {
	{ "intake", intake_run },     { "feed", feed_run },   { "imports", imports_run },
	{ "schedule", schedule_run }, { "sweep", sweep_run }, { "domains", domains_run },
};

struct workers {
	struct worker all[ARRAY_LEN(kinds)];
};

static void *thread_main(void *arg)
{
	struct worker *w = arg;

	w->run(w);
	return NULL;
}

int workers_start(struct workers **ret, struct app *app)
{
	struct workers *all = must_alloc(sizeof(*all));

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct worker *w = &all->all[i];

		*w = (struct worker){ .app = app, .name = kinds[i].name, .run = kinds[i].run };
		int r = pthread_create(&w->thread, NULL, thread_main, w);
		if (r != 0) {
			atomic_store(&app->stopping, true);
			(void)workers_stop(all);
			return -r;
		}
		w->started = true;
	}
	*ret = all;
	return 0;
}

/* app->stopping is set by now: every wait ends within STEP_MS, every transaction by itself. */
struct workers *workers_stop(struct workers *all)
{
	if (!all)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (all->all[i].started)
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

int worker_ticket_key(const struct app *app, struct ticket_key *ret)
{
	uint8_t secret[32];

	secrets_derive(app->secrets, "links in mail", secret);
	return ticket_key_init(ret, 1, slice_of(secret, sizeof(secret)));
}
