/* control/http/problem.c - refusals as application/problem+json (RFC 9457). */
#include "control/http/problem.h"

#include <stdarg.h>
#include <stdio.h>

#include "control/http/private.h"

/* Titles of the statuses that we refuse with (RFC 9457: every occurrence has the same title). */
static const struct {
	unsigned status;
	const char *title;
} titles[] = {
	{ 400, "Bad request" },
	{ 401, "Not logged in" },
	{ 403, "Not allowed" },
	{ 404, "Not found" },
	{ 405, "Method not allowed" },
	{ 409, "Conflict" },
	{ 412, "Precondition failed" },
	{ 413, "Content too large" },
	{ 414, "URI too long" },
	{ 415, "Unsupported media type" },
	{ 422, "Unprocessable content" },
	{ 428, "Precondition required" },
	{ 429, "Too many requests" },
	{ 500, "Internal error" },
	{ 503, "Temporarily unavailable" },
};

static const char *title_of(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Refused";
}

int problem(struct call *c, unsigned status, const char *code, const char *format, ...)
{
	struct http_reply *reply = &c->request->reply;
	char detail[512];
	json_t *json;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(detail, sizeof(detail), format, ap);
	va_end(ap);
	json = json_pack("{s:s+, s:s, s:i, s:s, s:s, s:s}", "type", "urn:postern:problem:", code,
			 "title", title_of(status), "status", (int)status, "detail", detail,
			 "instance", c->request_id, "code", code);
	if (!json) /* detail was cut within a character, or quotes a peer's bytes */
		json = json_pack("{s:s, s:i, s:s, s:s}", "title", title_of(status), "status",
				 (int)status, "instance", c->request_id, "code", code);
	if (json && reply->errors)
		(void)json_object_set(json, "errors", reply->errors);
	if (json && reply->members)
		(void)json_object_update_missing(json, reply->members);
	(void)http_reply_json(c, status, json);
	slice_copy(reply->type, sizeof(reply->type), SLICE("application/problem+json"));
	return E_ANSWERED;
}

void problem_add(struct call *c, const char *pointer, const char *code, const char *format, ...)
{
	struct http_reply *reply = &c->request->reply;
	char detail[256];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(detail, sizeof(detail), format, ap);
	va_end(ap);
	if (!reply->errors)
		reply->errors = json_array();
	if (json_array_size(reply->errors) >= PROBLEM_ITEMS_MAX)
		return;
	json_t *item =
	    json_pack("{s:s, s:s, s:s}", "pointer", pointer, "code", code, "detail", detail);
	if (!item)
		item = json_pack("{s:s, s:s}", "pointer", "", "code", code);
	(void)json_array_append_new(reply->errors, item);
}

void problem_member(struct call *c, const char *name, json_t *value)
{
	struct http_reply *reply = &c->request->reply;

	if (!reply->members)
		reply->members = json_object();
	(void)json_object_set(reply->members, name, value);
}

unsigned problem_count(const struct call *c)
{
	return (unsigned)json_array_size(c->request->reply.errors);
}

int problem_end(struct call *c)
{
	const char *code;
	json_t *first;

	if (!problem_count(c))
		return 0;
	first = json_array_get(c->request->reply.errors, 0);
	code = json_string_value(json_object_get(first, "code"));
	return problem(c, 422, code ? code : "invalid",
		       "the request has mistakes: see errors for each of them");
}
