/* mta/returnpath/part.c - the keys as a part of the engine: read at the start, looked at hourly. */
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/door/conn.h"
#include "mta/returnpath/keyfiles.h"
#include "mta/returnpath/returnpath.h"

enum { LOOK_MS = 3600 * 1000, DAY_MS = 86400 * 1000 };

struct key_set {
	struct key_set *older;
	struct verp_keys *keys;
};
struct returnpath {
	struct engine *engine;
	_Atomic(struct verp_keys *) keys; /* in force; NULL: no host asks for any */
	/* the front desk's */
	struct key_set *sets; /* all that were ever in force */
	struct lane *front;
	struct timer timer;
};

static unsigned today(void)
{
	return (unsigned)(clock_wall_ms() / DAY_MS);
}

static const struct returnpath_options *options_of(const struct returnpath *rp)
{
	return settings_of(engine_settings(rp->engine), &returnpath_option_set);
}

uint16_t returnpath_last_day(const struct returnpath_options *o)
{
	return (uint16_t)(today() + (unsigned)((o->life + DAY_MS - 1) / DAY_MS));
}

static int read_keys(struct returnpath *rp)
{
	const struct returnpath_options *o = options_of(rp);
	struct verp_keys *keys;
	struct key_set *set;
	char path[KEYFILES_PATH_MAX];
	int r;

	if (!o->n_hosts)
		return 0;
	r = keyfiles_read(o->keys, today(), (unsigned)((o->life + DAY_MS - 1) / DAY_MS), &keys,
			  path);
	if (r < 0) {
		log_error("return.keys", kv_str("file", path), kv_err("reason", r));
		return r;
	}
	if (rp->sets && verp_keys_same(rp->sets->keys, keys)) {
		verp_keys_free(keys);
		return 0;
	}
	set = must_alloc(sizeof(*set));
	*set = (struct key_set){ rp->sets, keys };
	rp->sets = set;
	atomic_store(&rp->keys, keys);
	return 0;
}

struct returnpath *returnpath_of(struct engine *e)
{
	return engine_shared(e, &returnpath_part);
}

size_t returnpath_write(struct returnpath *rp, const struct verp *t, struct slice host,
			char ret[RETURNPATH_MAX])
{
	const struct verp_keys *keys = atomic_load(&rp->keys);
	size_t n =
	    keys && host.n < RETURNPATH_MAX - VERP_LOCAL_MAX ? verp_write(keys, t, host, ret) : 0;

	if (!n)
		return 0;
	ret[n] = '@';
	memcpy(ret + n + 1, host.p, host.n);
	return n + 1 + host.n;
}

int returnpath_read(struct returnpath *rp, struct slice local, struct slice host, struct verp *ret)
{
	const struct verp_keys *keys = rp ? atomic_load(&rp->keys) : NULL;

	return keys ? verp_read(keys, local, host, today(), ret) : E_DENIED;
}

/* ---- the part ---------------------------------------------------------------------------- */

static void part_close(void *shared)
{
	struct returnpath *rp = shared;

	for (struct key_set *s = rp->sets, *older; s; s = older) {
		older = s->older;
		verp_keys_free(s->keys);
		free(s);
	}
	free(rp);
}

static int part_open(struct engine *e, void **ret_shared)
{
	struct returnpath *rp = must_alloc(sizeof(*rp));
	int r;

	rp->engine = e;
	r = read_keys(rp);
	if (r < 0) {
		part_close(rp);
		return r;
	}
	*ret_shared = rp;
	return 0;
}

/* Keys that cannot be read now: those in force go on. */
static void look(struct timer *t)
{
	struct returnpath *rp = container_of(t, struct returnpath, timer);

	(void)!read_keys(rp);
	timer_set(lane_loop(rp->front)->timers, &rp->timer, LOOK_MS);
}

static int part_start(struct lane *l, void **ret_state)
{
	struct returnpath *rp = returnpath_of(lane_engine(l));

	rp->front = l;
	timer_init(&rp->timer, look);
	timer_set(lane_loop(l)->timers, &rp->timer, LOOK_MS);
	*ret_state = rp;
	return 0;
}

static void part_reload(void *state)
{
	(void)!read_keys(state);
}

static void part_stop(void *state)
{
	struct returnpath *rp = state;

	timer_stop(lane_loop(rp->front)->timers, &rp->timer);
}

const struct part returnpath_part = {
	.name = "return-path",
	.front = true,
	.open = part_open,
	.start = part_start,
	.reload = part_reload,
	.stop = part_stop,
	.close = part_close,
};
