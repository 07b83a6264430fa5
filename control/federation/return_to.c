/* control/federation/return_to.c - return addresses, checked. */
#include "control/federation/return_to.h"

#include <stdio.h>

#include "control/http/cors.h"
#include "control/http/options.h"
#include "control/http/origin.h"
#include "control/http/problem.h"
#include "control/mail/options.h"

static bool is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\\#\"<>", s.p[i]))
			return false;
	return s.n > 0;
}

static bool is_path(struct slice s)
{
	return s.p[0] == '/' && !(s.n > 1 && s.p[1] == '/');
}

/* What stands before the path; all of it where there is none. */
static struct slice origin_of(struct slice url)
{
	size_t i = 0;

	if (!slice_strip(&(struct slice){ url.p, url.n }, SLICE("https://")) &&
	    !slice_strip(&(struct slice){ url.p, url.n }, SLICE("http://")))
		return SLICE("");
	for (i = url.p[4] == 's' ? 8 : 7; i < url.n && url.p[i] != '/' && url.p[i] != '?'; i++)
		;
	return slice_of(url.p, i);
}

static bool is_listed(struct call *c, uint32_t org, struct slice origin)
{
	struct slice e, console = origin_of(slice_str(mail_options(c->app)->console));
	struct origin parts;

	if (origin_parse(origin, &parts))
		return false;
	if (slice_eq(origin, console) || http_cors_lists(org, origin))
		return true;
	for (size_t pos = 0; option_list_next(http_options(c->app)->api_origins, &pos, &e);)
		if (slice_eq(e, origin))
			return true;
	return false;
}

int return_to_read(struct call *c, uint32_t org, struct slice given, char *ret)
{
	struct slice s = given.n ? given : SLICE("/");
	bool good = is_plain(s);
	int n = 0;

	if (good && is_path(s))
		n = snprintf(ret, JOURNEY_RETURN_MAX + 1, "%s%.*s", mail_options(c->app)->console,
			     (int)s.n, s.p);
	else if (good && is_listed(c, org, origin_of(s)))
		n = snprintf(ret, JOURNEY_RETURN_MAX + 1, "%.*s", (int)s.n, s.p);
	if (n <= 0 || n > JOURNEY_RETURN_MAX)
		return problem(
		    c, 400, "invalid_return_to",
		    "return_to must be a path that begins with one slash, or a URL of at "
		    "most %d bytes whose origin is listed in /v1/org",
		    JOURNEY_RETURN_MAX);
	return 0;
}
