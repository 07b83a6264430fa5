/* control/http/body.c - the table-driven reader of JSON bodies. */
#include <stdio.h>

#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "message/mailbox.h"

enum { EMAIL_MAX = 254 };

static bool clean_text(struct slice s, bool one_line)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char b = (unsigned char)s.p[i];

		if (b == 0x7f || (b < 0x20 && (one_line || (b != '\n' && b != '\r' && b != '\t'))))
			return false;
	}
	return true;
}

static void add(struct call *c, const struct body_field *f, const char *code, const char *what)
{
	char pointer[128];

	(void)snprintf(pointer, sizeof(pointer), "/%s", f->name);
	problem_add(c, pointer, code, "%s", what);
}

static void add_bounds(struct call *c, const struct body_field *f, const char *unit)
{
	char what[128];

	(void)snprintf(what, sizeof(what), "must have %lld to %lld %s", (long long)f->min,
		       (long long)f->max, unit);
	add(c, f, "out_of_range", what);
}

static bool within(const struct body_field *f, int64_t n)
{
	return n >= f->min && (f->max == 0 || n <= f->max);
}

static void read_text(struct call *c, const struct body_field *f, json_t *v, struct slice *out)
{
	struct slice s = api_text_of(v);
	struct mailbox box;

	if (!json_is_string(v))
		add(c, f, "wrong_type", "must be a string");
	else if (f->type == BODY_EMAIL &&
		 (s.n > EMAIL_MAX || mailbox_parse(s, MAILBOX_CONTACT, &box) < 0))
		add(c, f, "invalid_email", "must be one email address, local@domain");
	else if (!clean_text(s, f->type != BODY_TEXT))
		add(c, f, "invalid_text", "must not hold control characters");
	else if (f->type != BODY_EMAIL && !within(f, (int64_t)s.n))
		add_bounds(c, f, "bytes");
	else
		*out = s;
}

static void read_int(struct call *c, const struct body_field *f, json_t *v, int64_t *out)
{
	if (!json_is_integer(v))
		add(c, f, "wrong_type", "must be a whole number");
	else if (!within(f, json_integer_value(v)))
		add_bounds(c, f, "as its value");
	else
		*out = json_integer_value(v);
}

static void read_time(struct call *c, const struct body_field *f, json_t *v, int64_t *out)
{
	struct slice s = api_text_of(v);

	if (!json_is_string(v) || api_time_parse(s, out) < 0)
		add(c, f, "invalid_time",
		    "must be a time as in RFC 3339, like 2026-01-31T12:00:00Z");
}

static void read_id(struct call *c, const struct body_field *f, json_t *v, uint64_t *out)
{
	struct slice s = api_text_of(v);

	if (!json_is_string(v) || ids_in(f->kind, s, out) < 0)
		add(c, f, "invalid_id", "is not an id of this kind of object");
}

static void read_list(struct call *c, const struct body_field *f, json_t *v, json_t **out)
{
	if (!json_is_array(v))
		add(c, f, "wrong_type", "must be an array");
	else if (!within(f, (int64_t)json_array_size(v)))
		add_bounds(c, f, "entries");
	else
		*out = v;
}

static void read_value(struct call *c, const struct body_field *f, json_t *v, char *at)
{
	switch (f->type) {
	case BODY_TEXT:
	case BODY_LINE:
	case BODY_EMAIL:
		read_text(c, f, v, (struct slice *)(void *)at);
		return;
	case BODY_INT:
		read_int(c, f, v, (int64_t *)(void *)at);
		return;
	case BODY_TIME:
		read_time(c, f, v, (int64_t *)(void *)at);
		return;
	case BODY_ID:
		read_id(c, f, v, (uint64_t *)(void *)at);
		return;
	case BODY_LIST:
		read_list(c, f, v, (json_t **)(void *)at);
		return;
	case BODY_BOOL:
		if (!json_is_boolean(v))
			add(c, f, "wrong_type", "must be true or false");
		else
			*(bool *)(void *)at = json_is_true(v);
		return;
	case BODY_OBJECT:
		if (!json_is_object(v))
			add(c, f, "wrong_type", "must be an object");
		else
			*(json_t **)(void *)at = v;
		return;
	}
}

static void refuse_strangers(struct call *c, const struct body_field *table, size_t n)
{
	const char *name;
	char pointer[128];
	json_t *v;
	size_t i;

	json_object_foreach(c->body, name, v)
	{
		for (i = 0; i < n && strcmp(table[i].name, name); i++)
			;
		if (i < n)
			continue;
		(void)snprintf(pointer, sizeof(pointer), "/%s", name);
		problem_add(c, pointer, "unknown_member",
			    "is not a member of this request: remove it");
	}
}

int http_body_read(struct call *c, const struct body_field *table, size_t n, void *out,
		   struct body_seen *ret_seen)
{
	struct body_seen seen = { 0 };

	assert(n <= 64);
	for (size_t i = 0; i < n; i++) {
		json_t *v = json_object_get(c->body, table[i].name);

		if (!v) {
			if (table[i].flags & BODY_REQUIRED)
				add(c, &table[i], "required", "is required");
			continue;
		}
		seen.present |= 1ULL << i;
		if (json_is_null(v) && (table[i].flags & BODY_NULLABLE))
			seen.null |= 1ULL << i;
		else
			read_value(c, &table[i], v, (char *)out + table[i].offset);
	}
	if (c->body)
		refuse_strangers(c, table, n);
	*ret_seen = seen;
	return problem_end(c);
}
