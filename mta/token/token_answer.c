/* mta/token/token_answer.c - the JSON of a token endpoint. */
#include "mta/token/token_answer.h"

#include <jansson.h>
#include <stdio.h>

static struct slice text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? slice_str(s) : slice_of("", 0);
}

static void set_fault(struct token_answer *a, struct slice what, struct slice more)
{
	(void)snprintf(a->fault, sizeof(a->fault), "%.*s%s%.*s", (int)MIN_OF(what.n, (size_t)60),
		       what.p, more.n ? ": " : "", (int)MIN_OF(more.n, (size_t)90), more.p);
	for (char *c = a->fault; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* RFC 6750 section 2.1: a token has no blanks and no controls. */
static bool take_token(char *to, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n <= AUTH_SECRET_MAX && slice_copy(to, AUTH_SECRET_MAX + 1, s) == s.n;
}

static int take(const json_t *o, struct token_answer *a)
{
	const json_t *life = json_object_get(o, "expires_in");
	struct slice token = text_of(o, "access_token"), type = text_of(o, "token_type");
	struct slice error = text_of(o, "error");

	if (error.n) {
		set_fault(a, error, text_of(o, "error_description"));
		return E_DENIED;
	}
	if (!token.n || !take_token(a->token, token) ||
	    !take_token(a->refresh, text_of(o, "refresh_token")) ||
	    (type.n && !slice_eq_nocase(type, SLICE("bearer")))) {
		set_fault(a, SLICE("the answer has no bearer token"), slice_of("", 0));
		return E_SYNTAX;
	}
	a->life_s = ANSWER_LIFE_S;
	if (json_is_integer(life))
		a->life_s = MIN_OF(MAX_OF((int64_t)json_integer_value(life), (int64_t)0),
				   (int64_t)ANSWER_LIFE_MAX_S);
	return 0;
}

int token_answer_read(struct slice json, struct token_answer *ret)
{
	json_t *o = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!json_is_object(o)) {
		set_fault(ret, SLICE("the answer is no JSON object"), slice_of("", 0));
		json_decref(o);
		return E_SYNTAX;
	}
	r = take(o, ret);
	json_decref(o);
	return r;
}
