/* control/contract/check.c - holds JSON values and parameters to a schema of the table. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/blanks.h"
#include "control/contract/contract.h"
#include "control/contract/plain.h"
#include "control/contract/rfc3339.h"
#include "message/mailbox.h"

enum { DETAIL_MAX = 256, CODE_MAX = 64 };

/* Where the check is: the pointer so far, and what the innermost name is. */
struct contract_place {
	char pointer[CONTRACT_POINTER_MAX];
	size_t n;
	const char *name; /* of the member; an entry has its array's */
	bool entry;
	unsigned faults;
	contract_fault_fn *fault;
	void *arg;
};

static void tell(struct contract_place *p, const char *code, const char *format, ...) PRINTF(3, 4);

static void tell(struct contract_place *p, const char *code, const char *format, ...)
{
	char detail[DETAIL_MAX];
	va_list args;

	if (p->faults++ >= CONTRACT_FAULTS_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	p->fault(p->arg, p->pointer, code, detail);
}

/* "unknown_status"; of an entry of "scopes", "unknown_scope". */
static void tell_named(struct contract_place *p, const char *what, const char *detail)
{
	char code[CODE_MAX];
	size_t n = strlen(p->name);

	if (p->entry && n > 1 && p->name[n - 1] == 's')
		n--;
	(void)snprintf(code, sizeof(code), "%s_%.*s", what, (int)n, p->name);
	tell(p, code, "%s", detail);
}

static void tell_range(struct contract_place *p, const struct contract_schema *s, const char *of)
{
	if (s->max == INT64_MAX)
		tell(p, "out_of_range", "must %s at least %lld", of, (long long)s->min);
	else if (s->type == CONTRACT_INTEGER)
		tell(p, "out_of_range", "must %s %lld to %lld", of, (long long)s->min,
		     (long long)s->max);
	else
		tell(p, "out_of_range", "must have %lld to %lld %s", (long long)s->min,
		     (long long)s->max, of);
}

static bool within(const struct contract_schema *s, int64_t n)
{
	return n >= s->min && n <= s->max;
}

/* ---- texts ------------------------------------------------------------------------------- */

static void list_words(const struct contract_schema *s, char *buf)
{
	size_t at = (size_t)snprintf(buf, DETAIL_MAX, "must be ");

	for (unsigned i = 0; i < s->n_words && at < DETAIL_MAX; i++)
		at += (size_t)snprintf(buf + at, DETAIL_MAX - at, "%s%s",
				       i == 0                ? ""
				       : i + 1 == s->n_words ? " or "
							     : ", ",
				       s->words[i]);
}

static bool is_word(const struct contract_schema *s, struct slice text)
{
	for (unsigned i = 0; i < s->n_words; i++)
		if (slice_eq(text, slice_str(s->words[i])))
			return true;
	return false;
}

static void check_word(struct contract_place *p, const struct contract_schema *s, struct slice text)
{
	char detail[DETAIL_MAX];

	if (is_word(s, text))
		return;
	list_words(s, detail);
	tell_named(p, "unknown", detail);
}

static bool is_email(struct slice text)
{
	struct mailbox box;

	return text.n <= CONTRACT_EMAIL_MAX && mailbox_parse(text, MAILBOX_CONTACT, &box) >= 0;
}

/* What only a look at all of its bytes shows; false when told. */
static bool check_format(struct contract_place *p, const struct contract_schema *s,
			 struct slice text)
{
	int64_t ms;

	if (s->format == FORMAT_EMAIL && !is_email(text))
		tell(p, "invalid_email", "must be one email address, local@domain");
	else if (s->format == FORMAT_TIME && rfc3339_parse(text, &ms) < 0)
		tell(p, "invalid_time", "must be a time as in RFC 3339, like 2026-01-31T12:00:00Z");
	else if (s->format == FORMAT_NAME && !plain_line(text))
		tell(p, "invalid_text",
		     "must be one line without controls, also those of direction");
	else if (!plain_text(text, s->format == FORMAT_TEXT))
		tell(p, "invalid_text", "must not hold control characters");
	else
		return true;
	return false;
}

static void check_string(struct contract_place *p, const struct contract_schema *s,
			 struct slice text)
{
	char detail[DETAIL_MAX];

	if (s->words) {
		check_word(p, s, text);
		return;
	}
	if (!check_format(p, s, text))
		return;
	/* Nothing but what nobody sees is no name. */
	if (s->format == FORMAT_NAME)
		text = blanks_trim(text).n ? blanks_strip(text) : SLICE("");
	if (!within(s, (int64_t)plain_length(text))) {
		tell_range(p, s, "characters");
	} else if (s->pattern && !contract_pattern_fits(s->pattern, text)) {
		(void)snprintf(detail, sizeof(detail), "must match %s", s->pattern->text);
		tell_named(p, "invalid", detail);
	}
}

/* ---- numbers ----------------------------------------------------------------------------- */

static bool is_number(const struct contract_schema *s, int64_t n)
{
	for (unsigned i = 0; i < s->n_numbers; i++)
		if (s->numbers[i] == n)
			return true;
	return false;
}

static void check_integer(struct contract_place *p, const struct contract_schema *s, int64_t n)
{
	char detail[DETAIL_MAX];
	size_t at = (size_t)snprintf(detail, sizeof(detail), "must be one of");

	if (!s->n_numbers) {
		if (!within(s, n))
			tell_range(p, s, "be");
		return;
	}
	if (is_number(s, n))
		return;
	for (unsigned i = 0; i < s->n_numbers && at < sizeof(detail); i++)
		at += (size_t)snprintf(detail + at, sizeof(detail) - at, " %lld",
				       (long long)s->numbers[i]);
	tell_named(p, "invalid", detail);
}

/* ---- arrays and objects ------------------------------------------------------------------ */

static void check_value(struct contract_place *p, const struct contract_schema *s, const json_t *v);

/* Appends "/name" with ~ and / escaped (RFC 6901); a name that has no room is cut. */
static size_t enter(struct contract_place *p, const char *name)
{
	size_t was = p->n;

	if (p->n + 1 < sizeof(p->pointer))
		p->pointer[p->n++] = '/';
	for (; *name && p->n + 2 < sizeof(p->pointer); name++) {
		bool escaped = *name == '~' || *name == '/';

		p->pointer[p->n++] = escaped ? '~' : *name;
		if (escaped)
			p->pointer[p->n++] = *name == '~' ? '0' : '1';
	}
	p->pointer[p->n] = '\0';
	return was;
}

static void leave(struct contract_place *p, size_t was)
{
	p->n = was;
	p->pointer[was] = '\0';
}

static void check_member(struct contract_place *p, const struct contract_schema *s,
			 const char *name, bool entry, const json_t *v)
{
	const char *outer = p->name;
	bool was_entry = p->entry;
	size_t was = enter(p, name);

	if (!entry)
		p->name = name;
	p->entry = entry;
	check_value(p, s, v);
	p->name = outer;
	p->entry = was_entry;
	leave(p, was);
}

static void check_twice(struct contract_place *p, const json_t *v)
{
	for (size_t i = 1; i < json_array_size(v); i++)
		for (size_t k = 0; k < i; k++) {
			char name[24];
			size_t was;

			if (!json_equal(json_array_get(v, i), json_array_get(v, k)))
				continue;
			(void)snprintf(name, sizeof(name), "%zu", i);
			was = enter(p, name);
			tell(p, "duplicate", "is in the list already");
			leave(p, was);
			break;
		}
}

static void check_array(struct contract_place *p, const struct contract_schema *s, const json_t *v)
{
	char name[24];

	if (!within(s, (int64_t)json_array_size(v))) {
		tell_range(p, s, "entries");
		return;
	}
	for (size_t i = 0; i < json_array_size(v); i++) {
		(void)snprintf(name, sizeof(name), "%zu", i);
		check_member(p, s->items, name, true, json_array_get(v, i));
	}
	if (s->unique)
		check_twice(p, v);
}

static const struct contract_schema *find_member(const struct contract_schema *s, const char *name)
{
	unsigned low = 0, high = s->n_members;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = strcmp(name, s->members[middle].name);

		if (order == 0)
			return s->members[middle].schema;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static void check_stranger(struct contract_place *p, const struct contract_schema *s,
			   const char *name, const json_t *v)
{
	size_t was;

	if (!s->closed) {
		if (s->items)
			check_member(p, s->items, name, false, v);
		return;
	}
	was = enter(p, name);
	tell(p, "unknown_member", "is not a member of this request: remove it");
	leave(p, was);
}

static void check_required(struct contract_place *p, const struct contract_schema *s,
			   const json_t *v)
{
	for (unsigned i = 0; i < s->n_members; i++) {
		size_t was;

		if (!s->members[i].required || json_object_get(v, s->members[i].name))
			continue;
		was = enter(p, s->members[i].name);
		tell(p, "required", "is required");
		leave(p, was);
	}
}

static void check_object(struct contract_place *p, const struct contract_schema *s, const json_t *v)
{
	const char *name;
	json_t *member;

	if (!s->closed && (int64_t)json_object_size(v) > s->max) {
		tell(p, "out_of_range", "must have at most %lld members", (long long)s->max);
		return;
	}
	check_required(p, s, v);
	json_object_foreach((json_t *)v, name, member)
	{
		const struct contract_schema *known = find_member(s, name);

		if (known)
			check_member(p, known, name, false, member);
		else
			check_stranger(p, s, name, member);
	}
}

/* ---- any value --------------------------------------------------------------------------- */

static const char *const type_names[] = {
	[CONTRACT_ANY] = "anything",           [CONTRACT_STRING] = "a string",
	[CONTRACT_INTEGER] = "a whole number", [CONTRACT_BOOLEAN] = "true or false",
	[CONTRACT_ARRAY] = "an array",         [CONTRACT_OBJECT] = "an object",
};

static bool has_type(const struct contract_schema *s, const json_t *v)
{
	switch (s->type) {
	case CONTRACT_ANY:
		return true;
	case CONTRACT_STRING:
		return json_is_string(v);
	case CONTRACT_INTEGER:
		return json_is_integer(v);
	case CONTRACT_BOOLEAN:
		return json_is_boolean(v);
	case CONTRACT_ARRAY:
		return json_is_array(v);
	case CONTRACT_OBJECT:
		return json_is_object(v);
	}
	return false;
}

static void nothing(void *arg UNUSED, const char *pointer UNUSED, const char *code UNUSED,
		    const char *detail UNUSED)
{
}

/* Told is what is wrong with the schema that the value comes nearest to. */
static void check_ways(struct contract_place *p, const struct contract_schema *s, const json_t *v)
{
	unsigned best = 0, least = UINT_MAX;

	for (unsigned i = 0; i < s->n_ways; i++) {
		struct contract_place quiet = *p;

		quiet.fault = nothing;
		quiet.faults = 0;
		check_value(&quiet, s->ways[i], v);
		if (quiet.faults < least) {
			least = quiet.faults;
			best = i;
		}
	}
	if (least)
		check_value(p, s->ways[best], v);
}

static void check_value(struct contract_place *p, const struct contract_schema *s, const json_t *v)
{
	if (s->null && json_is_null(v))
		return;
	if (s->n_ways) {
		check_ways(p, s, v);
		return;
	}
	if (!has_type(s, v))
		tell(p, "wrong_type", "must be %s", type_names[s->type]);
	else if (s->type == CONTRACT_STRING)
		check_string(p, s, slice_of(json_string_value(v), json_string_length(v)));
	else if (s->type == CONTRACT_INTEGER)
		check_integer(p, s, json_integer_value(v));
	else if (s->type == CONTRACT_ARRAY)
		check_array(p, s, v);
	else if (s->type == CONTRACT_OBJECT)
		check_object(p, s, v);
}

bool contract_check(const struct contract_schema *schema, const json_t *value,
		    contract_fault_fn *fault, void *arg)
{
	struct contract_place p = { .name = "body", .fault = fault, .arg = arg };

	check_value(&p, schema, value);
	return p.faults == 0;
}

bool contract_check_text(const struct contract_schema *schema, struct slice text, const char *name,
			 contract_fault_fn *fault, void *arg)
{
	struct contract_place p = { .name = name, .fault = fault, .arg = arg };
	uint64_t n = 0;

	if (schema->type == CONTRACT_STRING)
		check_string(&p, schema, text);
	else if (schema->type == CONTRACT_BOOLEAN) {
		if (!slice_eq(text, SLICE("true")) && !slice_eq(text, SLICE("false")))
			tell(&p, "wrong_type", "must be true or false");
	} else if (schema->type != CONTRACT_INTEGER || slice_u64(text, INT64_MAX, &n) < 0)
		tell_range(&p, schema, "be");
	else
		check_integer(&p, schema, (int64_t)n);
	return p.faults == 0;
}
