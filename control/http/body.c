/* control/http/body.c - the table-driven reader of JSON bodies. */
#include <stdio.h>

#include "base/blanks.h"
#include "control/contract/rfc3339.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/contract/plain.h"
#include "control/http/problem.h"
#include "message/mailbox.h"

enum { EMAIL_MAX = 254 };

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

static bool is_plain(enum body_type type, struct slice s)
{
	return type == BODY_NAME ? plain_line(s) : plain_text(s, type == BODY_TEXT);
}

static void read_text(struct call *c, const struct body_field *f, json_t *v, struct slice *out)
{
	struct slice s = api_text_of(v);

	if (!json_is_string(v)) {
		add(c, f, "wrong_type", "must be a string");
		return;
	}
	if (!is_plain(f->type, s)) {
		add(c, f, "invalid_text",
		    f->type == BODY_NAME
			? "must be one line without controls, also those of direction"
			: "must not hold control characters");
		return;
	}
	/* Nothing but what nobody sees is no name. */
	if (f->type == BODY_NAME)
		s = blanks_trim(s).n ? blanks_strip(s) : SLICE("");
	if (!within(f, (int64_t)plain_length(s)))
		add_bounds(c, f, "characters");
	else
		*out = s;
}

static void read_email(struct call *c, const struct body_field *f, json_t *v, struct slice *out)
{
	struct slice s = api_text_of(v);
	struct mailbox box;

	if (!json_is_string(v))
		add(c, f, "wrong_type", "must be a string");
	else if (s.n > EMAIL_MAX || mailbox_parse(s, MAILBOX_CONTACT, &box) < 0)
		add(c, f, "invalid_email", "must be one email address, local@domain");
	else if (!plain_text(s, false))
		add(c, f, "invalid_text", "must not hold control characters");
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

	if (!json_is_string(v) || rfc3339_parse(s, out) < 0)
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
	case BODY_NAME:
		read_text(c, f, v, (struct slice *)(void *)at);
		return;
	case BODY_EMAIL:
		read_email(c, f, v, (struct slice *)(void *)at);
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

static const size_t sizes[] = {
	[BODY_INT] = sizeof(int64_t),
	[BODY_BOOL] = sizeof(bool),
	[BODY_TIME] = sizeof(int64_t),
	[BODY_ID] = sizeof(uint64_t),
	[BODY_LIST] = sizeof(json_t *),
	[BODY_OBJECT] = sizeof(json_t *),
	[BODY_EMAIL] = 0,
};

/* Null where the member has the value of a new object; false when it must have another one. */
static bool reset(const struct body_field *f, char *at)
{
	bool text = f->type == BODY_TEXT || f->type == BODY_LINE || f->type == BODY_NAME;

	if (text && !(f->flags & BODY_REQUIRED) && f->min == 0)
		*(struct slice *)(void *)at = SLICE("");
	else if (f->flags & BODY_RESET)
		memset(at, 0, sizes[f->type]);
	else
		return false;
	return true;
}

static void read_member(struct call *c, const struct body_field *f, json_t *v, char *at,
			bool *ret_null)
{
	*ret_null = json_is_null(v) && (f->flags & BODY_NULLABLE);
	if (!*ret_null && !(json_is_null(v) && reset(f, at)))
		read_value(c, f, v, at);
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
		bool null;

		read_member(c, &table[i], v, (char *)out + table[i].offset, &null);
		seen.present |= 1ULL << i;
		seen.null |= (uint64_t)null << i;
	}
	if (c->body)
		refuse_strangers(c, table, n);
	*ret_seen = seen;
	return problem_end(c);
}
