/* control/org/traits.c - checking and showing what an organisation says of itself. */
#include "control/org/traits.h"

#include <stdio.h>

#include "control/auth/profile.h"
#include "control/contract/plain.h"
#include "control/http/api.h"
#include "control/http/problem.h"
#include "message/mailbox.h"

enum { LINE_MAX_CHARS = 100, URL_MAX = 200, EMPLOYEES_MAX = 10000000, POINTER_MAX = 80 };

/* ---- what each member takes: NULL, or what is wrong ---------------------------------------- */

static const char *check_line(const json_t *v)
{
	struct slice s = api_text_of(v);

	if (!json_is_string(v))
		return "must be a string";
	return plain_line(s) && plain_length(s) <= LINE_MAX_CHARS
		   ? NULL
		   : "must be one line of at most 100 characters";
}

/* http or https and a host; what would break out of an attribute or a line is no part of a URL. */
static const char *check_url(const json_t *v)
{
	static const char why[] =
	    "must be a URL such as https://www.example.com of at most 200 characters";
	struct slice s = api_text_of(v), rest = s;

	if (!json_is_string(v) || s.n > URL_MAX)
		return why;
	if (!s.n)
		return NULL;
	if ((!slice_strip(&rest, SLICE("https://")) && !slice_strip(&rest, SLICE("http://"))) ||
	    !rest.n || rest.p[0] == '/')
		return why;
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] <= ' ' || rest.p[i] >= 127 || strchr("\"'<>\\`{}|^", rest.p[i]))
			return why;
	return NULL;
}

static const char *check_employees(const json_t *v)
{
	json_int_t n = json_integer_value(v);

	return json_is_integer(v) && n >= 1 && n <= EMPLOYEES_MAX
		   ? NULL
		   : "must be a number from 1 to 10000000, or null";
}

static const char *check_email(const json_t *v)
{
	struct mailbox box;

	return json_is_string(v) && mailbox_parse(api_text_of(v), MAILBOX_CONTACT, &box) >= 0
		   ? NULL
		   : "must be an address";
}

static const char *check_phone(const json_t *v)
{
	char phone[PHONE_MAX + 1];

	return json_is_string(v) && profile_phone(api_text_of(v), phone) >= 0
		   ? NULL
		   : "must be a number with its country, such as +49 30 1234567";
}

static const char *check_nothing(const json_t *v UNUSED)
{
	return NULL;
}

struct traits_row {
	const char *name;
	const char *(*check)(const json_t *v);
};
static const struct traits_row contact_rows[] = {
	{ "name", check_line },
	{ "email", check_email },
	{ "phone", check_phone },
	{ "role", check_line },
};
static const struct traits_row rows[] = {
	{ "website", check_url },
	{ "industry", check_line },
	{ "employees", check_employees },
	{ "contacts", check_nothing }, /* below */
};

/* ---- reading ------------------------------------------------------------------------------- */

static void check_members(struct call *c, const char *where, const json_t *object,
			  const struct traits_row *table, size_t n)
{
	char pointer[POINTER_MAX];
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		const char *why = "is no member that is known here";

		for (size_t i = 0; i < n; i++)
			if (!strcmp(name, table[i].name))
				why = json_is_null(value) ? NULL : table[i].check(value);
		if (!why)
			continue;
		(void)snprintf(pointer, sizeof(pointer), "%s/%.40s", where, name);
		problem_add(c, pointer, "invalid_profile", "%s", why);
	}
}

static void check_contact(struct call *c, size_t at, const json_t *contact)
{
	char pointer[POINTER_MAX];

	(void)snprintf(pointer, sizeof(pointer), "/profile/contacts/%zu", at);
	if (!json_object_size(contact) || (!json_is_string(json_object_get(contact, "name")) &&
					   !json_is_string(json_object_get(contact, "email"))))
		problem_add(c, pointer, "invalid_profile", "must have a name or an email");
	check_members(c, pointer, contact, contact_rows, ARRAY_LEN(contact_rows));
}

void traits_check(struct call *c, const json_t *given)
{
	const json_t *contacts = json_object_get(given, "contacts");

	check_members(c, "/profile", given, rows, ARRAY_LEN(rows));
	if (!contacts || json_is_null(contacts))
		return;
	if (!json_is_array(contacts) || json_array_size(contacts) > TRAITS_CONTACTS_MAX) {
		problem_add(c, "/profile/contacts", "invalid_profile",
			    "must be a list of at most %d contacts", TRAITS_CONTACTS_MAX);
		return;
	}
	for (size_t i = 0; i < json_array_size(contacts); i++)
		check_contact(c, i, json_array_get(contacts, i));
}

/* ---- showing ------------------------------------------------------------------------------- */

static json_t *text_or_empty(const json_t *from, const char *name)
{
	json_t *v = json_object_get(from, name);

	return json_is_string(v) ? json_incref(v) : json_string("");
}

static json_t *contact_json(const json_t *contact)
{
	json_t *out = json_object();

	for (size_t i = 0; i < ARRAY_LEN(contact_rows); i++)
		(void)json_object_set_new(out, contact_rows[i].name,
					  text_or_empty(contact, contact_rows[i].name));
	return out;
}

json_t *traits_json(struct slice stored)
{
	json_t *all = json_loadb(stored.p, stored.n, 0, NULL), *contacts = json_array();
	json_t *employees = json_object_get(all, "employees");
	const json_t *list = json_object_get(all, "contacts");

	for (size_t i = 0; i < json_array_size(list); i++)
		(void)json_array_append_new(contacts, contact_json(json_array_get(list, i)));
	json_t *out = json_pack("{s:o, s:o, s:o, s:o}", "website", text_or_empty(all, "website"),
				"industry", text_or_empty(all, "industry"), "employees",
				json_is_integer(employees) ? json_incref(employees) : json_null(),
				"contacts", contacts);
	json_decref(all);
	return out;
}
