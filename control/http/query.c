/* control/http/query.c - the query of a request: decoded once, and held to what the document
 * says, so that ?statsu= is refused and not taken for no filter at all. */
#include <stdio.h>

#include "control/contract/contract.h"
#include "control/http/percent.h"
#include "control/http/private.h"

enum { SHOWN = 60, NAMES_MAX = 256 };
struct query_refusal {
	struct call *call;
	const char *name;
};

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

static int refuse_stranger(struct call *c, const struct contract_operation *op, struct slice name)
{
	char names[NAMES_MAX];

	return problem(c, 400, "unknown_query_parameter",
		       "the query parameter \"%.*s\" is not known here: this request takes %s",
		       (int)MIN_OF(name.n, (size_t)SHOWN), name.p,
		       contract_query_names(op, names, sizeof(names)));
}

/* Its value is not one that the document allows. */
static void refuse_value(void *arg, const char *pointer UNUSED, const char *code UNUSED,
			 const char *detail)
{
	struct query_refusal *refusal = arg;
	char name[SHOWN];

	(void)snprintf(name, sizeof(name), "invalid_%s", refusal->name);
	(void)problem(refusal->call, 400, name, "%s %s", refusal->name, detail);
}

static int check_item(struct call *c, const struct contract_operation *op,
		      const struct http_query_item *item)
{
	const struct contract_member *known = contract_query(op, item->name);
	struct query_refusal refusal = { c, known ? known->name : "" };

	if (!known)
		return refuse_stranger(c, op, item->name);
	if (http_query_find(&c->request->query, item->name) != item)
		return problem(c, 400, "repeated_query_parameter",
			       "the query parameter \"%s\" is given twice", known->name);
	return contract_check_text(known->schema, item->value, known->name, refuse_value, &refusal)
		   ? 0
		   : E_ANSWERED;
}

int http_query_check(struct call *c)
{
	const struct contract_operation *op = http_contract_of(c);
	const struct http_query *query = &c->request->query;

	if (op->any_query)
		return 0;
	if (query->bad)
		return problem(c, 400, "invalid_query",
			       "the query has a wrong escape, bytes that are not UTF-8, or more "
			       "than %d parameters",
			       QUERY_ITEMS_MAX);
	for (unsigned i = 0; i < query->n; i++) {
		int r = check_item(c, op, &query->items[i]);

		if (r < 0)
			return r;
	}
	return 0;
}
