/* control/http/cors.c - preflights, and the headers for pages of other origins. */
#include "control/http/cors.h"

#include "control/http/options.h"
#include "control/http/origin.h"
#include "control/http/private.h"

/* ---- who lists what ---------------------------------------------------------------------- */

struct listed {
	uint32_t org;
	char *origin;
};
struct http_cors_list {
	struct listed *rows; /* by origin, then organisation, once it is used */
	size_t n, room;
};

static struct http_cors_list *now;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

struct http_cors_list *http_cors_list_new(void)
{
	return must_alloc(sizeof(struct http_cors_list));
}

void http_cors_list_add(struct http_cors_list *l, uint32_t org, struct slice origin)
{
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 16;
		l->rows = must_resize(l->rows, l->room * sizeof(*l->rows));
	}
	l->rows[l->n++] = (struct listed){ org, must_copy(origin) };
}

static int by_origin(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int r = strcmp(x->origin, y->origin);

	return r ? r : x->org < y->org ? -1 : x->org > y->org;
}

struct http_cors_list *http_cors_list_free(struct http_cors_list *l)
{
	if (!l)
		return NULL;
	for (size_t i = 0; i < l->n; i++)
		free(l->rows[i].origin);
	free(l->rows);
	free(l);
	return NULL;
}

void http_cors_use(struct http_cors_list *l)
{
	struct http_cors_list *before;

	if (l && l->n)
		qsort(l->rows, l->n, sizeof(*l->rows), by_origin);
	(void)pthread_rwlock_wrlock(&lock);
	before = now;
	now = l;
	(void)pthread_rwlock_unlock(&lock);
	(void)http_cors_list_free(before);
}

/* The first row that is not before the one looked for: with organisation 0, the origin's first. */
static size_t find_row(const struct http_cors_list *l, const struct listed *want)
{
	size_t from = 0, to = l->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (by_origin(&l->rows[mid], want) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

bool http_cors_lists(uint32_t org, struct slice origin)
{
	char text[ORIGIN_MAX + 1];
	const struct listed want = { org, text };
	bool found = false;
	size_t i;

	if (!origin.n || origin.n > ORIGIN_MAX || memchr(origin.p, '\0', origin.n))
		return false;
	slice_copy(text, sizeof(text), origin);
	(void)pthread_rwlock_rdlock(&lock);
	i = now ? find_row(now, &want) : 0;
	if (now && i < now->n)
		found = !strcmp(now->rows[i].origin, text) && (!org || now->rows[i].org == org);
	(void)pthread_rwlock_unlock(&lock);
	return found;
}

static bool operator_lists(const struct app *app, struct slice origin)
{
	struct slice e;

	for (size_t pos = 0; option_list_next(http_options(app)->api_origins, &pos, &e);)
		if (slice_eq(e, origin))
			return true;
	return false;
}

/* ---- the preflight ----------------------------------------------------------------------- */

static bool is_preflight(const struct call_request *q)
{
	return !strcmp(q->method, "OPTIONS");
}

bool http_cors_preflight(struct call_request *q)
{
	struct call *c = &q->call;
	struct slice origin = call_header(c, "Origin");
	char methods[ROUTE_METHODS_TEXT_MAX];
	struct origin parts;

	if (q->listener != LISTEN_API || !is_preflight(q) || !q->match.allowed ||
	    !call_header(c, "Access-Control-Request-Method").n || origin_parse(origin, &parts) ||
	    (!operator_lists(c->app, origin) && !http_cors_lists(0, origin)))
		return false;
	(void)http_reply_empty(c, 204);
	http_reply_header(c, "Access-Control-Allow-Origin", "%.*s", (int)origin.n, origin.p);
	http_reply_header(c, "Vary", "Origin");
	http_reply_header(c, "Access-Control-Allow-Methods", "%s",
			  http_route_methods_text(q->match.allowed, methods));
	http_reply_header(c, "Access-Control-Allow-Headers",
			  "Authorization, X-Api-Key, Content-Type, Idempotency-Key, If-Match, "
			  "If-None-Match");
	http_reply_header(c, "Access-Control-Max-Age", "600");
	return true;
}

/* ---- the request itself ------------------------------------------------------------------ */

/* Whoever sent a cookie is a browser that thinks it may: the page is not to see the answer. */
static bool may_read(struct call *c, struct slice origin)
{
	if (call_header(c, "Cookie").p)
		return false;
	return operator_lists(c->app, origin) ||
	       (c->actor.org && http_cors_lists(c->actor.org, origin));
}

void http_cors_put(struct call_request *q, struct MHD_Response *res)
{
	struct slice origin = call_header(&q->call, "Origin");
	char text[ORIGIN_MAX + 1];

	if (!origin.n || q->listener != LISTEN_API || is_preflight(q) ||
	    !may_read(&q->call, origin))
		return;
	slice_copy(text, sizeof(text), origin);
	(void)MHD_add_response_header(res, "Access-Control-Allow-Origin", text);
	(void)MHD_add_response_header(res, "Access-Control-Expose-Headers",
				      "ETag, Location, RateLimit, RateLimit-Policy, Retry-After, "
				      "X-Request-Id, Idempotency-Replayed");
	(void)MHD_add_response_header(res, "Vary", "Origin");
}
