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
#include "mta/token/token_answer.h"

enum { NEAR_MS = 5 * 60 * 1000 };

/* Under the lock of the tokens. */
struct token_entry {
	struct list link;
	char *route, *token_file;
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
	bool posted, failed;
};

static void wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}

/* ---- entries ----------------------------------------------------------------------------- */

static struct token_entry *entry_of(struct tokens_shared *s, const struct smart_route *r)
{
	struct token_entry *e;

	list_each(&s->entries, e, struct token_entry, link)
		if (e->print == r->print && strcmp(e->route, r->name) == 0)
			return e;
	e = must_alloc(sizeof(*e));
	e->route = must_copy(slice_str(r->name));
	e->token_file = must_copy(slice_str(r->token_file));
	e->print = r->print;
	list_push(&s->entries, &e->link);
	return e;
}

static void drop_token(struct token_entry *e)
{
	explicit_bzero(e->token, sizeof(e->token));
	e->fresh_until_ms = e->good_until_ms = 0;
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

static void keep_refresh(struct token_asking *k, const struct token_answer *a)
{
	struct token_entry *e = k->entry;
	int r;

	if (!a->refresh[0])
		return;
	r = file_write_atomic(e->token_file, slice_str(a->refresh), 0600);
	if (r < 0)
		log_error("route.refresh-token-not-saved", kv_str("route", e->route),
			  kv_str("file", e->token_file), kv_err("reason", r));
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
		give_up(k, "the token endpoint's host has no address");
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

static int fill_form(struct token_asking *k, const struct smart_route *r)
{
	struct grant *g;
	int err = grant_new(&g, r);
	struct slice newer = slice_str(k->entry->refresh);

	if (err < 0)
		return err;
	grant_form(g, newer.n ? newer : g->refresh, &k->form);
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
	else if (reporting_url(slice_str(r->token_url), &k->url) < 0 ||
		 public_host_ask_any(t->policies, &k->host, slice_str(k->url.host), on_host) < 0)
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
		(!e->failed_ms || now < e->failed_ms || now - e->failed_ms >= TOKENS_AGAIN_MS);
	e->asking = e->asking || begin;
	pthread_mutex_unlock(&t->shared->lock);
	if (begin)
		ask(t, r, e);
	return state;
}

void tokens_proved(struct tokens *t, const struct smart_route *r)
{
	pthread_mutex_lock(&t->shared->lock);
	entry_of(t->shared, r)->second = false;
	pthread_mutex_unlock(&t->shared->lock);
}

bool tokens_refused(struct tokens *t, const struct smart_route *r, struct slice token)
{
	struct token_entry *e;
	bool again;

	pthread_mutex_lock(&t->shared->lock);
	e = entry_of(t->shared, r);
	again = !e->second;
	/* Another connection's news, of a token that is gone already, change nothing. */
	if (slice_eq_secret(slice_str(e->token), token)) {
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

	(void)e;
	pthread_mutex_init(&s->lock, NULL);
	list_init(&s->entries);
	*ret_shared = s;
	return 0;
}

static void tokens_close(void *shared)
{
	struct tokens_shared *s = shared;
	struct token_entry *e;

	list_each(&s->entries, e, struct token_entry, link) {
		free(e->route);
		free(e->token_file);
		explicit_bzero(e, sizeof(*e));
		free(e);
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
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
	.stop = tokens_stop,
	.close = tokens_close,
	.counters = &counter_set,
	.counters_at = offsetof(struct tokens, counters),
};
