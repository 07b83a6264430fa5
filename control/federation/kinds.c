/* control/federation/kinds.c - the kinds of providers, and how the members of a configuration are
 * checked. */
#include "control/federation/kind.h"

#include <stdio.h>

#include "base/encode.h"
#include "control/federation/oidc.h"
#include "control/federation/sp.h"
#include "control/http/api.h"
#include "control/contract/plain.h"
#include "control/http/problem.h"

const struct federation_kind *const federation_kinds[] = { &oidc_kind, &sp_kind };
const size_t federation_kinds_n = ARRAY_LEN(federation_kinds);

const struct federation_kind *federation_kind_named(struct slice name)
{
	for (size_t i = 0; i < federation_kinds_n; i++)
		if (slice_eq(name, slice_str(federation_kinds[i]->name)))
			return federation_kinds[i];
	return NULL;
}

const struct federation_kind *federation_kind_of(int64_t code)
{
	for (size_t i = 0; i < federation_kinds_n; i++)
		if (code == federation_kinds[i]->code)
			return federation_kinds[i];
	return NULL;
}

const char *federation_start(const struct federation_kind *kind, uint32_t org, uint64_t provider,
			     char *buf)
{
	char of[ID_OUT_MAX], id[ID_OUT_MAX];

	(void)snprintf(buf, FEDERATION_START_MAX, "/v1/auth/%s/%s/%s", kind->name,
		       ids_out(ID_ORG, org, of), ids_out(ID_PROVIDER, provider, id));
	return buf;
}

/* ---- members of a configuration ------------------------------------------------------------ */

static const char *fault_of_text(const struct federation_member *m, struct slice s)
{
	if (m->type == CONFIG_TEXT ? !plain_text(s, true) : !plain_line(s))
		return "has characters that it must not have";
	if ((int64_t)s.n < m->min || (int64_t)s.n > m->max)
		return "is too short or too long";
	if (m->type == CONFIG_URL && !slice_strip(&s, SLICE("https://")) &&
	    !slice_strip(&s, SLICE("http://")))
		return "must be a URL that begins with https://";
	return NULL;
}

/* NULL, or what is wrong with it. */
static const char *fault_of(const struct federation_member *m, const json_t *v)
{
	if (m->type == CONFIG_BOOL)
		return json_is_boolean(v) ? NULL : "must be true or false";
	if (m->type == CONFIG_INT)
		return json_is_integer(v) && json_integer_value(v) >= m->min &&
			       json_integer_value(v) <= m->max
			   ? NULL
			   : "must be a whole number within its bounds";
	return json_is_string(v) ? fault_of_text(m, api_text_of(v)) : "must be a string";
}

static const struct federation_member *find(const struct federation_member *members, size_t n,
					    const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	return NULL;
}

static void add(struct call *c, const char *name, const char *code, const char *fault)
{
	char pointer[80];

	(void)snprintf(pointer, sizeof(pointer), "/config/%.60s", name);
	problem_add(c, pointer, code, "%s", fault);
}

void federation_config_check(struct call *c, const json_t *config,
			     const struct federation_member *members, size_t n)
{
	const struct federation_member *m;
	const char *name, *fault;
	json_t *value;

	json_object_foreach((json_t *)config, name, value)
	{
		m = find(members, n, name);
		fault = m ? fault_of(m, value) : NULL;
		if (!m)
			problem_add(c, "/config", "unknown_member",
				    "has a member that this kind does not know: %.60s", name);
		else if (fault)
			add(c, name, "invalid_value", fault);
	}
	for (size_t i = 0; i < n; i++)
		if (members[i].required && !json_object_get(config, members[i].name))
			add(c, members[i].name, "required", "is required");
}

const char *federation_config_text(const json_t *config, const char *member)
{
	const char *text = json_string_value(json_object_get(config, member));

	return text ? text : "";
}
