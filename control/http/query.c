/* control/http/query.c - the query of a request: decoded once, and held to what its route declares,
 * so that ?statsu= is refused and not taken for no filter at all. */
#include "control/http/percent.h"
#include "control/http/private.h"

enum { SHOWN = 60 };

static enum MHD_Result take(void *cls, enum MHD_ValueKind kind UNUSED, const char *name,
			    size_t name_n, const char *value, size_t value_n)
{
	struct http_query *query = cls;
	struct http_query_item *item = &query->items[query->n];
	size_t room = name_n + value_n;

	if (!room) /* between two "&", or after the last */
		return MHD_YES;
	if (query->n == QUERY_ITEMS_MAX) {
		query->bad = true;
		return MHD_NO;
	}
	item->text = must_alloc(room + 1);
	query->n++;
	if (percent_decode(slice_of(name, name_n), item->text, room, &item->name) < 0 ||
	    percent_decode(slice_of(value ? value : "", value_n), item->text + item->name.n,
			   room - item->name.n, &item->value) < 0)
		query->bad = true;
	return query->bad ? MHD_NO : MHD_YES;
}

void http_query_read(struct http_query *query, struct MHD_Connection *conn)
{
	(void)MHD_get_connection_values_n(conn, MHD_GET_ARGUMENT_KIND, take, query);
}

void http_query_free(struct http_query *query)
{
	for (unsigned i = 0; i < query->n; i++)
		free(query->items[i].text);
	*query = (struct http_query){ 0 };
}

const struct http_query_item *http_query_find(const struct http_query *query, struct slice name)
{
	for (unsigned i = 0; i < query->n; i++)
		if (slice_eq(query->items[i].name, name))
			return &query->items[i];
	return NULL;
}

static bool declared(const struct http_route *route, struct slice name)
{
	struct slice names = slice_str(route->query ? route->query : "");

	while (names.n)
		if (slice_eq(slice_take(&names, ' '), name))
			return name.n > 0;
	return false;
}

static int refuse_stranger(struct call *c, struct slice name)
{
	return problem(c, 400, "unknown_query_parameter",
		       "the query parameter \"%.*s\" is not known here: this request takes %s",
		       (int)MIN_OF(name.n, (size_t)SHOWN), name.p,
		       c->route->query ? c->route->query : "none");
}

int http_query_check(struct call *c)
{
	const struct http_query *query = &c->request->query;

	if (c->route->query && !strcmp(c->route->query, QUERY_ANY))
		return 0;
	if (query->bad)
		return problem(c, 400, "invalid_query",
			       "the query has a wrong escape, bytes that are not UTF-8, or more "
			       "than %d parameters",
			       QUERY_ITEMS_MAX);
	for (unsigned i = 0; i < query->n; i++) {
		struct slice name = query->items[i].name;

		if (!declared(c->route, name))
			return refuse_stranger(c, name);
		if (http_query_find(query, name) != &query->items[i])
			return problem(c, 400, "repeated_query_parameter",
				       "the query parameter \"%.*s\" is given twice", (int)name.n,
				       name.p);
	}
	return 0;
}
