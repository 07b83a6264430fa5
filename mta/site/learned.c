/* mta/site/learned.c - the file of what was learned: its bytes, and when it is read and written. */
#include "mta/site/learned.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "mta/core/engine.h"
#include "mta/site/sites.h"
#include "mta/site/steer.h"
#include "spool/beside.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is little-endian");

#define MAGIC "PSTNADPT"
enum { LEARNED_VERSION = 1, FILE_MAX = 16 << 20 };
static const int64_t LONG_AGO_MS = 30LL * 86400000;

struct learned_head {
	char magic[8];
	uint32_t version, count;
	int64_t saved_ms;
	uint32_t length, crc;
};
struct learned_entry {
	uint16_t site_n;
	uint8_t why_n, family;
	uint8_t ip[16];
	uint32_t window, threshold, level, proven;
	int64_t rate, rate_known;
	int64_t closed_ms; /* until then, from saved; negative: it was over; INT64_MIN: never */
	int64_t pause_ms, good_age, cut_age, step_age, level_age;
	int64_t trouble_ms, since_ms; /* wall clock */
};
static_assert(sizeof(struct learned_head) == 32 && sizeof(struct learned_entry) == 120,
	      "no padding");

/* ---- writing ----------------------------------------------------------------------------- */

struct learned_writing {
	struct buf *out;
	int64_t mono_ms, oldest_ms;
	unsigned n;
};

static struct learned_entry entry_of(const struct steer *s, int64_t now)
{
	const struct adapt *a = &s->adapt;

	return (struct learned_entry){
		.window = a->window,
		.threshold = a->threshold,
		.level = a->level,
		.proven = a->proven,
		.rate = a->rate,
		.rate_known = a->rate_known,
		.closed_ms = a->closed_until_ms ? a->closed_until_ms - now : INT64_MIN,
		.pause_ms = a->pause_ms,
		.good_age = now - a->good_ms,
		.cut_age = now - a->cut_ms,
		.step_age = now - a->step_ms,
		.level_age = now - a->level_ms,
		.trouble_ms = s->trouble_ms,
		.since_ms = s->since_ms,
	};
}

static void write_one(void *arg, struct site_limits *site, struct source_limits *e)
{
	struct learned_writing *w = arg;
	struct steer *s = atomic_load(&e->steer);
	struct slice name = slice_str(site->name), why;
	struct learned_entry k;

	if (!s || !atomic_load(&s->troubled) || name.n > UINT16_MAX)
		return;
	pthread_mutex_lock(&s->lock);
	s->dirty = false;
	if (s->trouble_ms >= w->oldest_ms && w->n < LEARNED_MAX) {
		k = entry_of(s, w->mono_ms);
		why = slice_str(s->why ? s->why : "");
		k.site_n = (uint16_t)name.n;
		k.why_n = (uint8_t)MIN_OF(why.n, (size_t)STEER_WHY_MAX);
		k.family = e->ip.family == AF_INET ? 4 : e->ip.family == AF_INET6 ? 6 : 0;
		memcpy(k.ip, e->ip.bytes, sizeof(k.ip));
		buf_put(w->out, slice_of(&k, sizeof(k)));
		buf_put(w->out, name);
		buf_put(w->out, slice_of(why.p, k.why_n));
		w->n++;
	}
	pthread_mutex_unlock(&s->lock);
}

/* The times of trouble of those that are held back, to find how far back the file reaches. */
struct learned_times {
	int64_t *at;
	size_t n, cap;
};

static void note_time(void *arg, struct site_limits *site UNUSED, struct source_limits *e)
{
	struct learned_times *t = arg;
	struct steer *s = atomic_load(&e->steer);

	if (!s || !atomic_load(&s->troubled))
		return;
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 256;
		t->at = must_resize(t->at, t->cap * sizeof(*t->at));
	}
	pthread_mutex_lock(&s->lock);
	t->at[t->n++] = s->trouble_ms;
	pthread_mutex_unlock(&s->lock);
}

static int later_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

static int64_t oldest_learned(struct limits *l)
{
	struct learned_times t = { 0 };
	int64_t oldest = INT64_MIN;

	limits_each_source(l, note_time, &t);
	if (t.n > LEARNED_MAX) {
		qsort(t.at, t.n, sizeof(*t.at), later_first);
		oldest = t.at[LEARNED_MAX - 1];
	}
	free(t.at);
	return oldest;
}

static uint32_t crc_of(const struct learned_head *h, struct slice entries)
{
	uint32_t crc = hash_crc32c(0, h, offsetof(struct learned_head, crc));

	return hash_crc32c(crc, entries.p, entries.n);
}

unsigned learned_write(struct limits *l, int64_t wall_ms, int64_t mono_ms, struct buf *ret)
{
	struct learned_head h = { .version = LEARNED_VERSION, .saved_ms = wall_ms };
	struct learned_writing w = { .out = ret,
				     .mono_ms = mono_ms,
				     .oldest_ms = oldest_learned(l) };
	struct slice entries;

	memcpy(h.magic, MAGIC, sizeof(h.magic));
	buf_put(ret, slice_of(&h, sizeof(h)));
	limits_each_source(l, write_one, &w);
	entries = slice_skip(buf_data(ret), sizeof(h));
	h.count = w.n;
	h.length = (uint32_t)entries.n;
	h.crc = crc_of(&h, entries);
	memcpy(ret->p + ret->start, &h, sizeof(h));
	return w.n;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* The next entry; false: there is none, or it is cut. */
static bool take_entry(struct slice *rest, struct learned_entry *k, struct slice *site,
		       struct slice *why)
{
	if (rest->n < sizeof(*k))
		return false;
	memcpy(k, rest->p, sizeof(*k));
	*rest = slice_skip(*rest, sizeof(*k));
	if (rest->n < (size_t)k->site_n + k->why_n || !k->site_n)
		return false;
	*site = slice_of(rest->p, k->site_n);
	*why = slice_of(rest->p + k->site_n, k->why_n);
	*rest = slice_skip(*rest, (size_t)k->site_n + k->why_n);
	return !memchr(site->p, 0, site->n);
}

static int64_t bounded(int64_t v, int64_t least, int64_t most)
{
	return MIN_OF(MAX_OF(v, least), most);
}

/* away: how long nobody knew. */
static struct adapt adapt_of(const struct learned_entry *k, int64_t now, int64_t away)
{
	const struct adapt_bounds b = { .start = 2, .floor = 1, .most = 100000, .rate_floor = 1 };
	struct adapt a;

	adapt_begin(&a, &b, now);
	a.window = (unsigned)bounded(k->window, 1, 100000);
	a.threshold = k->threshold;
	a.level = MIN_OF(k->level, (uint32_t)ADAPT_LEVEL_MAX);
	a.proven = k->proven;
	a.rate = bounded(k->rate, 0, INT64_MAX >> ADAPT_FORGET_DAYS);
	a.rate_known = bounded(k->rate_known, 0, INT64_MAX >> ADAPT_FORGET_DAYS);
	a.pause_ms = bounded(k->pause_ms, 0, ADAPT_PAUSE_MAX_MS);
	a.good_ms = now - away - bounded(k->good_age, 0, LONG_AGO_MS);
	a.cut_ms = now - away - bounded(k->cut_age, 0, LONG_AGO_MS);
	a.step_ms = now - away - bounded(k->step_age, 0, LONG_AGO_MS);
	a.level_ms = now - away - bounded(k->level_age, 0, LONG_AGO_MS);
	if (k->closed_ms != INT64_MIN) {
		int64_t left = bounded(k->closed_ms, 0, 2 * ADAPT_NAMED_MAX_MS) - away;
		a.closed_until_ms = MAX_OF(now + left, (int64_t)1);
	}
	adapt_fade(&a, &b, away, now);
	return a;
}

static bool is_sound(const struct learned_head *h, struct slice entries)
{
	struct slice site, why;
	struct learned_entry k;
	uint32_t n = 0;

	if (h->length != entries.n || h->count > LEARNED_MAX || h->crc != crc_of(h, entries))
		return false;
	while (entries.n && take_entry(&entries, &k, &site, &why))
		n++;
	return !entries.n && n == h->count;
}

static struct ip ip_of(const struct learned_entry *k)
{
	struct ip ip = { .family = k->family == 4 ? AF_INET : k->family == 6 ? AF_INET6 : 0 };

	memcpy(ip.bytes, k->ip, ip.family ? sizeof(ip.bytes) : 0);
	return ip;
}

int learned_read(struct limits *l, struct slice file, int64_t wall_ms, int64_t mono_ms,
		 unsigned *ret_n)
{
	struct slice site, why, entries;
	struct learned_entry k;
	struct learned_head h;
	int64_t away;

	if (file.n < sizeof(h) || memcmp(file.p, MAGIC, sizeof(h.magic)) != 0)
		return E_CORRUPT;
	memcpy(&h, file.p, sizeof(h));
	if (h.version != LEARNED_VERSION)
		return E_VERSION;
	entries = slice_skip(file, sizeof(h));
	if (!is_sound(&h, entries))
		return E_CORRUPT;
	away = bounded(wall_ms - h.saved_ms, 0, LONG_AGO_MS); /* a clock that went back: none */
	while (take_entry(&entries, &k, &site, &why)) {
		struct ip ip = ip_of(&k);
		struct adapt a = adapt_of(&k, mono_ms, away);
		if (adapt_holds_back(&a))
			steer_restore(limits_source(limits_site(l, site), &ip), &a, why,
				      k.trouble_ms, k.since_ms);
	}
	*ret_n = h.count;
	return 0;
}

/* ---- the part ---------------------------------------------------------------------------- */

struct learned {
	struct lane *front;
	struct limits *limits;
	struct timer timer;
	bool failing; /* the disk did not take it last time */
	unsigned n;   /* in the file */
};

static int read_file(struct engine *e, struct buf *ret)
{
	const struct disk *d;
	int dirfd = spool_folder(engine_spool(e), &d);

	return beside_read(d, dirfd, LEARNED_FILE, FILE_MAX, ret);
}

static int learned_open(struct engine *e, void **ret_shared UNUSED)
{
	struct limits *l = engine_shared(e, &site_part);
	struct buf file;
	unsigned n = 0;
	int r;

	buf_init(&file, 0);
	r = read_file(e, &file);
	if (r == 0)
		r = learned_read(l, buf_data(&file), clock_wall_ms(), clock_mono_ms(), &n);
	buf_free(&file);
	if (r < 0 && r != -ENOENT)
		log_warn("adaptive.unreadable", kv_str("file", LEARNED_FILE), kv_err("reason", r));
	else if (n)
		log_info("adaptive.known", kv_int("sources", n));
	return 0;
}

static int write_file(struct engine *e, struct slice bytes)
{
	const struct disk *d;
	int dirfd = spool_folder(engine_spool(e), &d);

	return beside_write(d, dirfd, LEARNED_FILE, bytes);
}

struct learned_look {
	bool dirty;
	unsigned n;
};

static void look_at_one(void *arg, struct site_limits *site UNUSED, struct source_limits *e)
{
	struct steer *s = atomic_load(&e->steer);
	struct learned_look *look = arg;

	if (!s || !atomic_load(&s->troubled))
		return;
	pthread_mutex_lock(&s->lock);
	look->dirty = look->dirty || s->dirty;
	pthread_mutex_unlock(&s->lock);
	look->n++;
}

static void save(struct learned *k)
{
	struct learned_look look = { 0 };
	struct buf file;
	int r;

	limits_each_source(k->limits, look_at_one, &look);
	if (!look.dirty && look.n == k->n && !k->failing)
		return;
	buf_init(&file, 0);
	(void)learned_write(k->limits, clock_wall_ms(), clock_mono_ms(), &file);
	r = write_file(lane_engine(k->front), buf_data(&file));
	if (r < 0 && !k->failing)
		log_warn("adaptive.unwritten", kv_str("file", LEARNED_FILE), kv_err("reason", r));
	k->failing = r < 0;
	k->n = look.n;
	buf_free(&file);
}

static void on_timer(struct timer *t)
{
	struct learned *k = container_of(t, struct learned, timer);

	save(k);
	timer_set(lane_loop(k->front)->timers, t, LEARNED_MS);
}

static int learned_start(struct lane *front, void **ret_state)
{
	struct learned *k = must_alloc(sizeof(*k));

	k->front = front;
	k->limits = engine_shared(lane_engine(front), &site_part);
	timer_init(&k->timer, on_timer);
	timer_set(lane_loop(front)->timers, &k->timer, LEARNED_MS);
	*ret_state = k;
	return 0;
}

static void learned_stop(void *state)
{
	struct learned *k = state;

	timer_stop(lane_loop(k->front)->timers, &k->timer);
	save(k);
	free(k);
}

const struct part learned_part = {
	.name = "learned",
	.front = true,
	.open = learned_open,
	.start = learned_start,
	.stop = learned_stop,
};
