/* control/org/origins.c - checking the list of origins, and telling all lists to the API every
 * second.  While the database does not answer the last ones stand. */
#include <stdio.h>

#include "control/http/api.h"
#include "control/http/cors.h"
#include "control/http/origin.h"
#include "control/http/problem.h"
#include "control/org/background.h"
#include "control/org/origins.h"
#include "control/org/statements.h"

enum { READ_MS = 1000 };

static bool said_before(const json_t *list, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (json_equal(json_array_get(list, i), json_array_get(list, at)))
			return true;
	return false;
}

static void check_one(struct call *c, const json_t *list, size_t at)
{
	const json_t *v = json_array_get(list, at);
	struct origin parts;
	char pointer[32];
	const char *fault;

	(void)snprintf(pointer, sizeof(pointer), "/origins/%zu", at);
	if (!json_is_string(v)) {
		problem_add(c, pointer, "wrong_type", "must be a string");
		return;
	}
	fault = origin_parse(api_text_of(v), &parts);
	if (fault)
		problem_add(c, pointer, "invalid_origin",
			    "%s; an origin is like https://app.example.com, exactly as browsers "
			    "send it",
			    fault);
	else if (said_before(list, at))
		problem_add(c, pointer, "duplicate", "is in the list already");
}

void origins_check(struct call *c, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		check_one(c, list, i);
}

enum { L_ORG, L_ORIGIN };

/* The organisations after one; gives the last of them, the same when there are no more. */
static int read_page(struct worker *w, struct http_cors_list *l, int64_t *after)
{
	OWNED(db_result) res = NULL;
	int r = db_run(w->ingest, &res, sql_org_origins_page, p_int(*after));

	for (int i = 0; i < r; i++) {
		*after = db_int(res, (unsigned)i, L_ORG);
		http_cors_list_add(l, (uint32_t)*after, db_text(res, (unsigned)i, L_ORIGIN));
	}
	return r;
}

static int origins_step(struct worker *w)
{
	struct http_cors_list *l = http_cors_list_new();
	int64_t after = 0;
	int r;

	do
		r = read_page(w, l, &after);
	while (r > 0 && !worker_stopping(w));
	if (r != 0) {
		(void)http_cors_list_free(l);
		return r < 0 ? r : 0;
	}
	http_cors_use(l);
	return 0;
}

const struct worker_row origins_worker = {
	.name = "origins",
	.step = origins_step,
	.idle_ms = READ_MS,
	.retry_ms = READ_MS,
	.failed = "origins.read",
};
