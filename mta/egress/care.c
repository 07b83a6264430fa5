/* mta/egress/care.c - sources that fail: noticed, looked at again, well again. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "mta/door/conn.h"
#include "mta/egress/inside.h"
#include "mta/egress/probe.h"

static void look_soon(struct egress *e)
{
	struct timers *timers = lane_loop(e->lane)->timers;

	if (!timer_running(&e->look))
		timer_set(timers, &e->look, e->options->backoff_min);
}

static void fail(struct egress *e, struct source *source, int err)
{
	if (source_fail(source, err, e->options->backoff_min, clock_wall_ms())) {
		count_add(&e->counters.source_failures, 1);
		count_add(&e->counters.sources_failing, 1);
		log_warn("source.failed", kv_str("source", source->text), kv_err("reason", err),
			 kv_int("ms", e->options->backoff_min));
	}
	look_soon(e);
}

void egress_source_failed(struct egress *e, struct source *source, int err)
{
	fail(e, source, err);
}

void egress_source_missed(struct egress *e, struct source *source, const char *scope,
			  const struct ip *ip, uint16_t port)
{
	const struct source_miss m = { hash_stable(slice_str(scope)), *ip, port };

	if (!source_err(source) && source_missed(e->shared->sources, source, &m, clock_mono_ms()))
		fail(e, source, E_CUT_OFF);
}

void egress_no_way(struct egress *e, const struct source *source, const char *to, int err)
{
	count_add(&e->counters.source_no_route, 1);
	log_warn("source.no-way", kv_str("source", source->text), kv_str("ip", to),
		 kv_err("reason", err));
}

void egress_tell(struct egress *e, struct egress_news *n)
{
	e->news = n;
}

static void on_recovery(struct lane *l, struct slice text)
{
	struct egress *e = egress_of(l);

	(void)text;
	if (e && e->news)
		e->news->recovered(e->news);
}

static void looked(struct egress *e, struct source *source, int r)
{
	if (r < 0) {
		source_still(source, r, e->options->backoff_max, clock_wall_ms());
		return;
	}
	if (!source_well(source))
		return;
	count_add(&e->counters.source_recoveries, 1);
	count_sub(&e->counters.sources_failing, 1);
	log_info("source.recovered", kv_str("source", source->text),
		 kv_int("failed_ms", clock_wall_ms() - atomic_load(&source->failed_ms)));
	engine_tell_lanes(lane_engine(e->lane), on_recovery, SLICE(""));
}

/* A look that takes a while: at a proxy, or by a connection to somebody whom others reach. */
struct care_look {
	struct list link; /* the lane's */
	struct egress *egress;
	struct source *source;
	struct probe *probe;
	struct probe_user user;
};

static void look_free(struct care_look *look)
{
	(void)probe_free(look->probe);
	list_remove(&look->link);
	free(look);
}

static void on_probed(struct probe_user *u, int err)
{
	struct care_look *look = container_of(u, struct care_look, user);
	struct egress *e = look->egress;
	struct source *source = look->source;

	look_free(look);
	if (!source_proxy(source) && err < 0)
		err = E_CUT_OFF;
	else if (!err)
		source_reached(source);
	looked(e, source, err);
}

static void look_by(struct egress *e, struct source *source, const struct proxy *proxy,
		    const struct conn_target *to)
{
	struct care_look *look = must_alloc(sizeof(*look));

	look->egress = e;
	look->source = source;
	look->user.done = on_probed;
	list_init(&look->link);
	list_push(&e->looks, &look->link);
	look->probe = proxy ? probe_start(lane_loop(e->lane), proxy, &look->user)
			    : probe_connect(lane_loop(e->lane), to, &look->user);
}

static void look_at(struct egress *e, struct source *source)
{
	const struct proxy *proxy = source_proxy(source);
	struct source_miss m;
	int r = source_look(source);

	if (!proxy && (r < 0 || !source_to_try(e->shared->sources, source, &m)))
		looked(e, source, r);
	else if (proxy)
		look_by(e, source, proxy, NULL);
	else
		look_by(e, source, NULL,
			&(struct conn_target){ .ip = m.ip, .port = m.port, .source = source->ip });
}

/* A lane that has met a source that fails looks at all of them; each is looked at by one lane. */
static void on_look(struct timer *t)
{
	struct egress *e = container_of(t, struct egress, look);
	struct source *source;
	bool failing = false;

	for (unsigned i = 0; (source = sources_at(e->shared->sources, i)) != NULL; i++) {
		if (source_claim(source, clock_wall_ms()))
			look_at(e, source);
		failing = failing || source_err(source);
	}
	if (failing)
		look_soon(e);
}

/* An address that is new is looked at before mail is risked on it. */
struct source *care_meet(struct egress *e, const struct egress_source *entry)
{
	bool is_new;
	struct source *source = sources_get(e->shared->sources, &entry->ip, &is_new);
	int r;

	if (!source) {
		log_error("source.too-many", kv_str("source", entry->ip_text));
		return NULL;
	}
	atomic_store(&source->proxy, egress_proxy(e->options, entry->proxy));
	if (entry->proxy && !source_proxy(source))
		log_error("source.no-proxy", kv_str("source", entry->ip_text),
			  kv_str("proxy", entry->proxy));
	r = is_new ? source_look(source) : 0;
	if (r < 0)
		fail(e, source, r);
	else if (source_err(source))
		look_soon(e);
	return source;
}

void egress_look_now(struct egress *e)
{
	struct source *source;

	for (unsigned i = 0; (source = sources_at(e->shared->sources, i)) != NULL; i++)
		if (source_err(source))
			atomic_store(&source->retry_ms, 0);
	on_look(&e->look);
}

void care_init(struct egress *e)
{
	timer_init(&e->look, on_look);
	list_init(&e->looks);
}

void care_end(struct egress *e)
{
	struct care_look *look;

	timer_stop(lane_loop(e->lane)->timers, &e->look);
	list_each(&e->looks, look, struct care_look, link)
		look_free(look);
}
