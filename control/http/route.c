/* control/http/route.c - finding the row of a request.  A literal segment wins over a parameter. */
#include "control/http/route.h"

#include <stdio.h>

#include "control/http/percent.h"

enum { READ_S = 10, CHANGE_S = 20, COSTLY_S = 60 };

const char *const http_route_methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
const size_t http_route_methods_n = ARRAY_LEN(http_route_methods);

/* -1: does not match; else the number of literal segments, so that the most exact row wins. */
static int match_path(const char *pattern, struct slice path, struct slice *params)
{
	struct slice want = slice_str(pattern);
	unsigned n = 0;
	int literal = 0;
	bool trailing = path.n && path.p[path.n - 1] == '/';

	if (trailing != (want.n && want.p[want.n - 1] == '/'))
		return -1;
	while (want.n && path.n) {
		struct slice w = slice_take(&want, '/'), p = slice_take(&path, '/');

		if (w.n && w.p[0] == '{') {
			if (!p.n || n == ROUTE_PARAMS_MAX)
				return -1;
			params[n++] = p;
		} else if (percent_equal(p, w)) {
			literal++;
		} else {
			return -1;
		}
	}
	return want.n || path.n ? -1 : literal;
}

static unsigned method_bit(const char *method)
{
	for (unsigned i = 0; i < http_route_methods_n; i++)
		if (!strcmp(http_route_methods[i], method))
			return 1U << i;
	return 0;
}

static void consider(const struct http_route *row, struct slice method, struct slice path,
		     int *best, struct http_route_match *m)
{
	struct slice params[ROUTE_PARAMS_MAX] = { 0 };
	int literal = match_path(row->path, path, params);

	if (literal < 0)
		return;
	m->allowed |= method_bit(row->method);
	if (literal <= *best || !slice_eq(method, slice_str(row->method)))
		return;
	*best = literal;
	m->route = row;
	memcpy(m->params, params, sizeof(params));
}

int http_route_find(enum http_route_listener listener, struct slice method, struct slice path,
		    struct http_route_match *ret)
{
	struct http_route_match m = { 0 };
	int best = -1;

	for (size_t t = 0; t < http_route_tables_n; t++) {
		if (!(http_route_tables[t].listeners & listener))
			continue;
		for (size_t i = 0; i < *http_route_tables[t].n; i++)
			consider(&http_route_tables[t].rows[i], method, path, &best, &m);
	}
	*ret = m;
	return m.route ? 0 : m.allowed ? E_DENIED : E_UNKNOWN;
}

char *http_route_methods_text(unsigned methods, char *buf)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < http_route_methods_n; i++)
		if (methods & 1U << i)
			n += (size_t)snprintf(buf + n, ROUTE_METHODS_TEXT_MAX - n, "%s%s",
					      n ? ", " : "", http_route_methods[i]);
	return buf;
}

unsigned http_route_seconds(const struct http_route *route)
{
	if (route->time_max)
		return route->time_max;
	if (route->flags & (ROUTE_COSTLY | ROUTE_UPLOAD))
		return COSTLY_S;
	return strcmp(route->method, "GET") ? CHANGE_S : READ_S;
}

size_t http_route_bytes(const struct http_route *route)
{
	if (route->flags & ROUTE_UPLOAD)
		return 0;
	return route->body_max ? route->body_max : BODY_MAX_DEFAULT;
}

unsigned http_route_count(void)
{
	size_t n = 0;

	for (size_t t = 0; t < http_route_tables_n; t++)
		n += *http_route_tables[t].n;
	return (unsigned)n;
}

unsigned http_route_number(const struct http_route *route)
{
	size_t n = 0;

	for (size_t t = 0; t < http_route_tables_n; t++) {
		const struct http_route_table *table = &http_route_tables[t];

		if (route >= table->rows && route < table->rows + *table->n)
			return (unsigned)(n + (size_t)(route - table->rows));
		n += *table->n;
	}
	return 0;
}

const struct http_route *http_route_at(unsigned number, unsigned *ret_listeners)
{
	for (size_t t = 0; t < http_route_tables_n; t++) {
		if (number < *http_route_tables[t].n) {
			*ret_listeners = http_route_tables[t].listeners;
			return &http_route_tables[t].rows[number];
		}
		number -= (unsigned)*http_route_tables[t].n;
	}
	return NULL;
}
