/* control/http/contract.c - holds a request to the operation of schema/openapi.yaml that its route
 * is: control/contract has the document as a table and says what is wrong. */
#include "control/contract/contract.h"

#include <stdio.h>

#include "control/http/private.h"

int http_contract_load(struct http_server *s, char *error)
{
	unsigned set, n = http_route_count();

	s->contract = must_alloc(n * sizeof(*s->contract));
	for (unsigned i = 0; i < n; i++) {
		const struct http_route *route = http_route_at(i, &set);

		s->contract[i] = contract_find(route->method, route->path);
		if (s->contract[i])
			continue;
		(void)snprintf(error, OPTION_ERROR_MAX, "%s %s is not in the API's document",
			       route->method, route->path);
		return E_UNKNOWN;
	}
	return 0;
}

const struct contract_operation *http_contract_of(const struct call *c)
{
	return c->request->server->contract[http_route_number(c->route)];
}

static void note(void *arg, const char *pointer UNUSED, const char *code UNUSED,
		 const char *detail UNUSED)
{
	*(bool *)arg = true;
}

int http_contract_path(struct call *c)
{
	const struct contract_operation *op = http_contract_of(c);
	bool wrong = false;

	for (unsigned i = 0; i < ROUTE_PARAMS_MAX && op->in_path[i]; i++)
		(void)contract_check_text(op->in_path[i], c->request->params[i], "path", note,
					  &wrong);
	return wrong ? E_UNKNOWN : 0; /* nothing has such a name */
}

static void add(void *arg, const char *pointer, const char *code, const char *detail)
{
	problem_add(arg, pointer, code, "%s", detail);
}

/* Members where the operation takes none. */
static const struct contract_schema nothing = { .type = CONTRACT_OBJECT, .closed = true };

int http_contract_body(struct call *c)
{
	const struct contract_operation *op = http_contract_of(c);
	const struct contract_schema *schema = op->body ? op->body : &nothing;
	json_t *body;

	if (op->takes == CONTRACT_BODY_OTHER || !strcmp(c->request->method, "GET"))
		return 0;
	body = c->body ? json_incref(c->body) : json_object();
	(void)contract_check(schema, body, add, c);
	json_decref(body);
	if (!c->body && op->takes == CONTRACT_BODY_REQUIRED && !problem_count(c))
		return problem(c, 400, "body_required",
			       "this request needs a body: a JSON object, with Content-Type: "
			       "application/json");
	return problem_end(c);
}
