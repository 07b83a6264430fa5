/* control/submission/token_grant.c - checks, and the text. */
#include "control/submission/token_grant.h"

#include "control/http/problem.h"
#include "message/mailbox.h"

/* https://host[/path][?query]: no port, no user, no fragment.  The engine refuses the rest too, and
 * private addresses. */
static bool is_url(struct slice url)
{
	char text[MAILBOX_MAX + 2];
	struct slice host, name;
	struct ip ip;
	size_t n = 0;

	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == '#')
			return false;
	if (!slice_strip(&url, SLICE("https://")))
		return false;
	while (n < url.n && url.p[n] != '/' && url.p[n] != '?')
		n++;
	host = slice_of(url.p, n);
	return ip_parse(host, &ip) < 0 &&
	       mailbox_domain_parse(host, MAILBOX_CONTACT, text, &name) == 0;
}

static void check_edges(struct call *c, struct slice s, const char *pointer)
{
	if (s.n && (slice_trim(s).n != s.n || s.n > TOKEN_SECRET_MAX))
		problem_add(c, pointer, "invalid_text",
			    "must not begin or end with a blank, and have %d bytes at most",
			    TOKEN_SECRET_MAX);
}

static void check_none(struct call *c, const struct token_grant *g)
{
	if (g->client_secret.n || g->refresh.n)
		problem_add(c, "/token_url", "required",
			    "is required where there is a refresh token or a client's secret");
}

void token_grant_check(struct call *c, const struct token_grant *g, bool had)
{
	if (!g->url.n) {
		check_none(c, g);
		return;
	}
	if (!is_url(g->url))
		problem_add(c, "/token_url", "invalid_url",
			    "must be https:// and the name of a host, without a port");
	if (!g->client_id.n)
		problem_add(c, "/client_id", "required", "is required with token_url");
	if (!g->refresh.n && !had)
		problem_add(c, "/refresh_token", "required",
			    "is required with a token_url, and again with another host, token_url "
			    "or client_id");
	check_edges(c, g->client_id, "/client_id");
	check_edges(c, g->scope, "/scope");
	check_edges(c, g->client_secret, "/client_secret");
	check_edges(c, g->refresh, "/refresh_token");
}

static struct slice line_of(struct slice text, struct slice key)
{
	while (text.n) {
		struct slice line = slice_take(&text, '\n');

		if (slice_strip(&line, key))
			return line;
	}
	return SLICE("");
}

int token_grant_text(const struct token_grant *g, struct slice old, struct buf *out)
{
	struct slice secret_key = SLICE("client_secret = "),
		     refresh_key = SLICE("refresh_token = ");
	struct slice secret = g->client_secret.n ? g->client_secret : line_of(old, secret_key);
	struct slice refresh = g->refresh.n ? g->refresh : line_of(old, refresh_key);
	/* At once: a buffer that grows leaves copies. */
	int r = buf_reserve(out, secret.n + refresh.n + secret_key.n + refresh_key.n + 2);

	if (r < 0)
		return r;
	if (secret.n) {
		buf_put(out, secret_key);
		buf_put(out, secret);
		buf_put(out, SLICE("\n"));
	}
	buf_put(out, refresh_key);
	buf_put(out, refresh);
	return 0;
}
