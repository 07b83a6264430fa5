/* mta/token/tokens.c - what is kept of each route, and how it is asked for. */
#include "mta/token/tokens.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "mta/policy/public_host.h"
#include "mta/policy/reporting.h"
#include "mta/route/grant.h"
#include "mta/token/rotated.h"
#include "mta/token/token_answer.h"

enum { NEAR_MS = 5 * 60 * 1000 };

/* Under the lock of the tokens. */
struct token_entry {
	struct list link;
	char *route, *token_file; /* token_file: NULL of a tenant's own */
	uint64_t tenant, id;      /* of a tenant's own; else 0 */
	uint64_t print;
	char token[AUTH_SECRET_MAX + 1];       /* "": none */
	char refresh[AUTH_SECRET_MAX + 1];     /* newer than that of the file, which could not be
					    * written; "" */
	int64_t fresh_until_ms, good_until_ms; /* wall clock */
	int64_t failed_ms;
	bool asking;
	bool second; /* it was asked for because the host refused the one before */
	char why[TOKENS_WHY_MAX];
};
struct tokens_shared {
	pthread_mutex_t lock;
	struct list entries;
	struct engine *engine;
	struct rotated *rotated; /* has a lock of its own */
};
struct token_counters {
	counter oauth_tokens, oauth_failures;
};
struct tokens {
	struct lane *lane;
	struct policies *policies;
	struct tokens_shared *shared;
	struct list asking; /* struct token_asking */
	struct token_counters counters;
};

/* A request under way. */
struct token_asking {
	struct list link;
	struct tokens *of; /* NULL: the lane has ended */
	struct tokens_shared *shared;
	struct token_entry *entry; /* it lives as long as the engine */
	struct reporting_uri url;
	struct buf form;
	struct public_host host;
	struct fetch fetch;
	struct note note;
	uint64_t origin; /* of the grant (mta/token/rotated.h) */
	bool posted, failed;
};

static void wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}

/* ---- entries ----------------------------------------------------------------------------- */

static void drop_token(struct token_entry *e)
{
	explicit_bzero(e->token, sizeof(e->token));
	e->fresh_until_ms = e->good_until_ms = 0;
}

static struct token_entry *entry_find(struct tokens_shared *s, const struct smart_route *r)
{
	struct token_entry *e;

	list_each(&s->entries, e, struct token_entry, link)
		if (e->print == r->print && strcmp(e->route, r->name) == 0)
			return e;
	return NULL;
}

static void entry_free(struct token_entry *e)
{
	list_remove(&e->link);
	free(e->route);
	free(e->token_file);
	explicit_bzero(e, sizeof(*e));
	free(e);
}

/* A tenant's own can be changed as often as he likes: what the old text was good for goes. */
static void entries_drop(struct tokens_shared *s, const struct smart_route *r)
{
	struct token_entry *e;

	list_each(&s->entries, e, struct token_entry, link)
		if (e->tenant && e->tenant == r->tenant && e->id == r->id && !e->asking)
			entry_free(e);
}

static struct token_entry *entry_of(struct tokens_shared *s, const struct smart_route *r)
{
	struct token_entry *e = entry_find(s, r);

	if (e)
		return e;
	entries_drop(s, r);
	e = must_alloc(sizeof(*e));
	e->route = must_copy(slice_str(r->name));
	if (!smart_route_is_fed(r))
		e->token_file = must_copy(slice_str(r->token_file));
	e->tenant = r->tenant;
	e->id = r->id;
	e->print = r->print;
	list_push(&s->entries, &e->link);
	return e;
}

/* May one more be asked for?  Of the operator's routes always. */
static bool has_room(const struct tokens_shared *s, const struct token_entry *for_whom)
{
	const struct token_entry *e;
	unsigned n = 0;

	list_each(&s->entries, e, const struct token_entry, link) {
		if (!e->tenant || !e->asking)
			continue;
		if (e->tenant == for_whom->tenant || ++n >= TOKENS_FED_MAX)
			return !for_whom->tenant;
	}
	return true;
}

static void set_failed(struct token_entry *e, const char *why)
{
	e->asking = false;
	e->failed_ms = clock_wall_ms();
	(void)snprintf(e->why, sizeof(e->why), "%s", why);
	log_error("route.token-failed", kv_str("route", e->route), kv_str("reason", why));
}

/* A token is asked for again when a fifth of its life is left, or five minutes. */
static void set_token(struct token_entry *e, const struct token_answer *a)
{
	int64_t now = clock_wall_ms(), life_ms = a->life_s * 1000;

	(void)slice_copy(e->token, sizeof(e->token), slice_str(a->token));
	e->asking = false;
	e->failed_ms = 0;
	e->why[0] = '\0';
	e->good_until_ms = now + life_ms - MIN_OF(life_ms / 10, (int64_t)10 * 1000);
	e->fresh_until_ms = now + life_ms - MIN_OF(life_ms / 5, (int64_t)NEAR_MS);
	log_info("route.token", kv_str("route", e->route), kv_int("seconds", a->life_s),
		 kv_int("refresh_token_changed", a->refresh[0] != '\0'));
}

/* ---- the answer, on the fetcher's thread ------------------------------------------------- */

/* Where it is found after a restart. */
static int save_refresh(struct token_asking *k, struct slice refresh)
{
	const struct token_entry *e = k->entry;

	if (e->token_file)
		return file_write_atomic(e->token_file, refresh, 0600);
	return rotated_put(k->shared->rotated, e->tenant, e->id, k->origin, refresh);
}

static void keep_refresh(struct token_asking *k, const struct token_answer *a)
{
	struct token_entry *e = k->entry;
	int r;

	if (!a->refresh[0])
		return;
	r = save_refresh(k, slice_str(a->refresh));
	if (r < 0)
		log_error("route.refresh-token-not-saved", kv_str("route", e->route),
			  kv_str("file", e->token_file ? e->token_file : ROTATED_FILE),
			  kv_err("reason", r));
	pthread_mutex_lock(&k->shared->lock);
	(void)slice_copy(e->refresh, sizeof(e->refresh), slice_str(r < 0 ? a->refresh : ""));
	pthread_mutex_unlock(&k->shared->lock);
}

static void fail(struct token_asking *k, const char *why)
{
	k->failed = true;
	pthread_mutex_lock(&k->shared->lock);
	set_failed(k->entry, why);
	pthread_mutex_unlock(&k->shared->lock);
}

/* The refresh token that only we know is no good either: the file may have a new one by now. */
static void forget_refresh(struct token_asking *k)
{
	pthread_mutex_lock(&k->shared->lock);
	explicit_bzero(k->entry->refresh, sizeof(k->entry->refresh));
	pthread_mutex_unlock(&k->shared->lock);
}

static void take_answer(struct token_asking *k)
{
	struct token_answer *a = must_alloc(sizeof(*a));
	char why[TOKENS_WHY_MAX];
	int r = token_answer_read(buf_data(&k->fetch.body), a);

	if (r == 0 && k->fetch.status == 200) {
		keep_refresh(k, a); /* first: it may be the only one that is good now */
		pthread_mutex_lock(&k->shared->lock);
		set_token(k->entry, a);
		pthread_mutex_unlock(&k->shared->lock);
	} else {
		(void)snprintf(why, sizeof(why), "the token endpoint answered %u%s%s",
			       k->fetch.status, a->fault[0] ? ", " : "", a->fault);
		if (r == E_DENIED)
			forget_refresh(k);
		fail(k, why);
	}
	explicit_bzero(a, sizeof(*a));
	free(a);
}

static void run_note(struct note *n, struct lane *l);

static void on_fetched(struct fetch *f)
{
	struct token_asking *k = container_of(f, struct token_asking, fetch);
	char why[TOKENS_WHY_MAX];

	if (f->fault == FETCH_OK) {
		take_answer(k);
	} else {
		(void)snprintf(why, sizeof(why), "the token endpoint cannot be asked: %s",
			       f->reason);
		fail(k, why);
	}
	k->note.run = run_note;
	k->posted = true;
	lane_post(k->of->lane, &k->note);
}

/* ---- asking, on the lane ----------------------------------------------------------------- */

static void asking_free(struct token_asking *k)
{
	list_remove(&k->link);
	wipe(&k->form);
	wipe(&k->fetch.body);
	free(k);
}

static void over(struct token_asking *k)
{
	count_add(k->failed ? &k->of->counters.oauth_failures : &k->of->counters.oauth_tokens, 1);
	asking_free(k);
}

static void run_note(struct note *n, struct lane *l)
{
	struct token_asking *k = container_of(n, struct token_asking, note);

	(void)l;
	if (k->of)
		over(k);
	else
		asking_free(k);
}

static void give_up(struct token_asking *k, const char *why)
{
	fail(k, why);
	over(k);
}

static void on_host(struct public_host *h)
{
	struct token_asking *k = container_of(h, struct token_asking, host);
	struct fetcher *fetcher = k->of->policies->shared->fetcher;
	struct fetch *f = &k->fetch;

	if (!h->n_ips) {
		give_up(k, h->special ? "the token endpoint's host has only private or reserved "
					"addresses (see token.allow)"
				      : "the token endpoint's host has no address");
		return;
	}
	f->host = k->url.host;
	f->port = k->url.port;
	f->path = k->url.text;
	memcpy(f->ips, h->ips, sizeof(h->ips));
	f->n_ips = h->n_ips;
	f->upload = buf_data(&k->form);
	f->content_type = "application/x-www-form-urlencoded";
	f->done = on_fetched;
	if (!fetcher || fetch_begin(fetcher, f) < 0)
		give_up(k, "too many requests wait");
}

static const struct net_list *allowed_for_tenants(const struct policies *p)
{
	const struct token_options *o =
	    settings_of(engine_settings(lane_engine(p->lane)), &token_option_set);

	return &o->allowed;
}

static int ask_host(struct token_asking *k, const struct smart_route *r)
{
	struct policies *p = k->of->policies;
	struct slice host = slice_str(k->url.host);

	return smart_route_is_fed(r)
		   ? public_host_ask_allowed(p, &k->host, host, allowed_for_tenants, on_host)
		   : public_host_ask_any(p, &k->host, host, on_host);
}

/* The newest refresh token that there is. */
static void put_form(struct token_asking *k, const struct smart_route *r, const struct grant *g)
{
	struct slice refresh = slice_str(k->entry->refresh);
	struct buf kept = { 0 };

	if (buf_reserve(&kept, AUTH_SECRET_MAX + 1) < 0)
		abort();
	k->origin = rotated_origin(r->token_url, g->client_id, g->refresh);
	if (!refresh.n && smart_route_is_fed(r) &&
	    rotated_get(k->shared->rotated, r, k->origin, &kept))
		refresh = buf_data(&kept);
	grant_form(g, refresh.n ? refresh : g->refresh, &k->form);
	wipe(&kept);
}

static int fill_form(struct token_asking *k, const struct smart_route *r)
{
	struct grant *g;
	int err = grant_new(&g, r);

	if (err < 0)
		return err;
	put_form(k, r, g);
	(void)grant_free(g);
	return 0;
}

/* The entry is marked: nobody else asks for it. */
static void ask(struct tokens *t, const struct smart_route *r, struct token_entry *e)
{
	struct token_asking *k = must_alloc(sizeof(*k));
	int err;

	k->of = t;
	k->shared = t->shared;
	k->entry = e;
	list_init(&k->link);
	list_push(&t->asking, &k->link);
	fetch_init(&k->fetch);
	err = fill_form(k, r);
	if (err < 0)
		give_up(k, err == E_DENIED ? "others can read a file of the credentials"
					   : err_text(err));
	else if (reporting_url(slice_str(r->token_url), &k->url) < 0 || ask_host(k, r) < 0)
		give_up(k, "token_url is no address of HTTPS");
}

enum tokens_state tokens_get(struct tokens *t, const struct smart_route *r, struct smart_auth *a,
			     char ret_why[TOKENS_WHY_MAX])
{
	enum tokens_state state = TOKENS_ASKING;
	int64_t now = clock_wall_ms();
	struct token_entry *e;
	bool begin = false;

	pthread_mutex_lock(&t->shared->lock);
	e = entry_of(t->shared, r);
	if (e->token[0] && now < e->good_until_ms) {
		smart_auth_token(a, slice_str(e->token));
		state = TOKENS_GOOD;
	} else if (e->failed_ms && now >= e->failed_ms && now - e->failed_ms < TOKENS_AGAIN_MS) {
		(void)slice_copy(ret_why, TOKENS_WHY_MAX, slice_str(e->why));
		state = TOKENS_FAILED;
	}
	begin = !e->asking && state != TOKENS_FAILED &&
		(state == TOKENS_ASKING || now >= e->fresh_until_ms) &&
		(!e->failed_ms || now < e->failed_ms || now - e->failed_ms >= TOKENS_AGAIN_MS) &&
		has_room(t->shared, e);
	e->asking = e->asking || begin;
	pthread_mutex_unlock(&t->shared->lock);
	if (begin)
		ask(t, r, e);
	return state;
}

void tokens_proved(struct tokens *t, const struct smart_route *r)
{
	struct token_entry *e;

	pthread_mutex_lock(&t->shared->lock);
	e = entry_find(t->shared, r);
	if (e)
		e->second = false;
	pthread_mutex_unlock(&t->shared->lock);
}

bool tokens_refused(struct tokens *t, const struct smart_route *r, struct slice token)
{
	struct token_entry *e;
	bool again;

	pthread_mutex_lock(&t->shared->lock);
	e = entry_find(t->shared, r);
	again = e && !e->second;
	/* Another connection's news, of a token that is gone already, change nothing. */
	if (e && slice_eq_secret(slice_str(e->token), token)) {
		drop_token(e);
		e->second = again;
	} else {
		again = true;
	}
	pthread_mutex_unlock(&t->shared->lock);
	return again;
}

/* ---- life -------------------------------------------------------------------------------- */

struct tokens *tokens_of(struct lane *l)
{
	return lane_state(l, &tokens_part);
}

static int tokens_open(struct engine *e, void **ret_shared)
{
	struct tokens_shared *s = must_alloc(sizeof(*s));
	const struct disk *disk;
	int dirfd = spool_folder(engine_spool(e), &disk);
	bool lost;

	pthread_mutex_init(&s->lock, NULL);
	list_init(&s->entries);
	s->engine = e;
	s->rotated = rotated_new(disk, dirfd, &lost);
	if (lost)
		log_error("route.tokens-unreadable", kv_str("file", ROTATED_FILE));
	*ret_shared = s;
	return 0;
}

static void tokens_close(void *shared)
{
	struct tokens_shared *s = shared;
	struct token_entry *e;

	list_each(&s->entries, e, struct token_entry, link)
		entry_free(e);
	s->rotated = rotated_free(s->rotated);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* Tenants' own routes may be others: what belonged to those that are gone goes too. */
static void tokens_changed(void *state)
{
	struct tokens *t = state;
	struct tokens_shared *s = t->shared;
	struct smart_fed *now;
	struct token_entry *e;
	int r;

	if (lane_index(t->lane) != 0)
		return;
	now = smart_fed_now(s->engine);
	pthread_mutex_lock(&s->lock);
	list_each(&s->entries, e, struct token_entry, link)
		if (e->tenant && !e->asking && !smart_fed_has(now, e->tenant, e->id))
			entry_free(e);
	pthread_mutex_unlock(&s->lock);
	r = rotated_keep(s->rotated, now);
	if (r < 0)
		log_error("route.tokens-not-saved", kv_str("file", ROTATED_FILE),
			  kv_err("reason", r));
	(void)smart_fed_unref(now);
}

static int tokens_start(struct lane *l, void **ret_state)
{
	struct tokens *t = must_alloc(sizeof(*t));

	t->lane = l;
	t->policies = policies_of(l);
	t->shared = engine_shared(lane_engine(l), &tokens_part);
	list_init(&t->asking);
	*ret_state = t;
	return 0;
}

static void tokens_stop(void *state)
{
	struct tokens *t = state;
	struct token_asking *k;

	policies_end_fetching(t->policies->shared);
	list_each(&t->asking, k, struct token_asking, link) {
		list_remove(&k->link);
		if (k->posted)
			k->of = NULL;
		else
			asking_free(k);
	}
	free(t);
}

#define ROW(member, type, help) COUNTER_ROW(token_counters, member, type, help)
static const struct counter_row counter_rows[] = {
	ROW(oauth_tokens, COUNTER, "Tokens of smart hosts that token endpoints gave"),
	ROW(oauth_failures, COUNTER, "Tokens of smart hosts that could not be had"),
};
static const struct counter_set counter_set = { counter_rows, ARRAY_LEN(counter_rows) };

const struct part tokens_part = {
	.name = "tokens",
	.open = tokens_open,
	.start = tokens_start,
	.changed = tokens_changed,
	.stop = tokens_stop,
	.close = tokens_close,
	.counters = &counter_set,
	.counters_at = offsetof(struct tokens, counters),
};
