/* control/submission/route_body.c - the table of a body's members, and what fits together. */
#include "control/submission/route_body.h"

#include "control/http/api.h"
#include "control/http/problem.h"

enum {
	DOMAINS_MOST = 20,
	USERNAME_MAX = 255,
	SECRET_MAX = 2048,
	PORT_PLAIN = 25,
	PORT_OTHER = 2525,
};

static const char *const tls_names[] = { [SMTP_TLS_VERIFY] = "verify",
					 [SMTP_TLS_ENCRYPT] = "encrypt",
					 [SMTP_TLS_MAY] = "may",
					 [SMTP_TLS_NEVER] = "never" };
static const char *const auth_names[] = { [SMTP_AUTH_NONE] = "none",
					  [SMTP_AUTH_PASSWORD] = "password",
					  [SMTP_AUTH_PLAIN] = "plain",
					  [SMTP_AUTH_LOGIN] = "login",
					  [SMTP_AUTH_XOAUTH2] = "xoauth2" };

static const char *name_of(const char *const *names, size_t n, int64_t code)
{
	return code > 0 && (size_t)code < n ? names[code] : "";
}

const char *route_body_tls_name(int64_t code)
{
	return name_of(tls_names, ARRAY_LEN(tls_names), code);
}

const char *route_body_auth_name(int64_t code)
{
	return name_of(auth_names, ARRAY_LEN(auth_names), code);
}

#define AT(member) offsetof(struct route_body, member)
/* clang-format off */
#define FIELDS(required) { \
	[ROUTE_NAME]           = {"name",          BODY_NAME, AT(name),                required, 1, 100,              0}, \
	[ROUTE_HOST]           = {"host",          BODY_LINE, AT(host),                required, 1, 253,              0}, \
	[ROUTE_PORT]           = {"port",          BODY_INT,  AT(port),                0,        1, 65535,            0}, \
	[ROUTE_TLS]            = {"tls",           BODY_LINE, AT(tls_word),            0,        1, 20,               0}, \
	[ROUTE_TLS_FIRST]      = {"tls_first",     BODY_BOOL, AT(tls_first),           0,        0, 0,                0}, \
	[ROUTE_AUTH]           = {"auth",          BODY_LINE, AT(auth_word),           0,        1, 20,               0}, \
	[ROUTE_USERNAME]       = {"username",      BODY_LINE, AT(username),            0,        0, USERNAME_MAX,     0}, \
	[ROUTE_SECRET]         = {"secret",        BODY_LINE, AT(secret),              0,        1, SECRET_MAX,       0}, \
	[ROUTE_DOMAINS]        = {"domains",       BODY_LIST, AT(domains),             0,        1, DOMAINS_MOST,     0}, \
	[ROUTE_TOKEN_URL]      = {"token_url",     BODY_LINE, AT(grant.url),           0,        0, TOKEN_URL_MAX,    0}, \
	[ROUTE_CLIENT_ID]      = {"client_id",     BODY_LINE, AT(grant.client_id),     0,        0, TOKEN_CLIENT_MAX, 0}, \
	[ROUTE_CLIENT_SECRET]  = {"client_secret", BODY_LINE, AT(grant.client_secret), 0,        1, TOKEN_SECRET_MAX, 0}, \
	[ROUTE_SCOPE]          = {"scope",         BODY_LINE, AT(grant.scope),         0,        0, TOKEN_SCOPE_MAX,  0}, \
	[ROUTE_REFRESH_TOKEN]  = {"refresh_token", BODY_LINE, AT(grant.refresh),       0,        1, TOKEN_SECRET_MAX, 0}, \
}
/* clang-format on */
static const struct body_field post_fields[] = FIELDS(BODY_REQUIRED);
static const struct body_field patch_fields[] = FIELDS(0);

int route_body_read(struct call *c, bool whole, struct route_body *b, struct body_seen *ret_seen)
{
	return http_body_read(c, whole ? post_fields : patch_fields, ROUTE_MEMBERS, b, ret_seen);
}

static int code_of(struct call *c, const char *const *names, size_t n, struct slice word,
		   const char *pointer)
{
	for (size_t i = 1; i < n; i++)
		if (slice_eq(word, slice_str(names[i])))
			return (int)i;
	problem_add(c, pointer, "unknown_word", "is none of the words that stand in the document");
	return 0;
}

/* "*", a name, or "*.name" for those below it. */
static void read_pattern(struct call *c, const json_t *item, size_t i, struct buf *out)
{
	char text[MAILBOX_MAX + 2];
	struct slice s = api_text_of(item), name;
	bool any = slice_eq(s, SLICE("*")), below = !any && slice_strip(&s, SLICE("*."));

	if (!json_is_string(item) ||
	    (!any && mailbox_domain_parse(s, MAILBOX_CONTACT, text, &name) < 0)) {
		problem_add(c, "/domains", "invalid_domain",
			    "entry %zu is neither a domain name, nor *.name, nor *", i);
		return;
	}
	if (buf_len(out))
		buf_put(out, SLICE(" "));
	if (any || below)
		buf_put(out, any ? SLICE("*") : SLICE("*."));
	if (!any)
		buf_put(out, name);
}

/* A host by its name; the engine asks DNS, and refuses private addresses. */
static void read_host(struct call *c, struct route_body *b)
{
	struct slice name;
	struct ip ip;

	if (ip_parse(b->host, &ip) >= 0 ||
	    mailbox_domain_parse(b->host, MAILBOX_CONTACT, b->host_text, &name) < 0)
		problem_add(c, "/host", "invalid_host",
			    "must be the name of a host with at least two labels, like "
			    "smtp.example.org");
	else
		b->host = name;
}

static void check_edges(struct call *c, struct slice s, const char *pointer)
{
	if (s.n && (slice_trim(s).n != s.n || s.n > SECRET_MAX))
		problem_add(c, pointer, "invalid_text",
			    "must not begin or end with a blank, and have %d bytes at most",
			    SECRET_MAX);
}

/* Mail is taken on these; others would make of us a probe for open ports. */
static bool port_fits(int64_t port)
{
	return port == PORT_PLAIN || port == SMTP_PORT_SUBMISSION ||
	       port == SMTP_PORT_SUBMISSIONS || port == PORT_OTHER;
}

static void check_secret(struct call *c, const struct route_body *b, bool has_secret)
{
	if (b->grant.url.n && b->auth != SMTP_AUTH_XOAUTH2)
		problem_add(c, "/auth", "xoauth2_needed",
			    "must be xoauth2 where there is a token_url");
	if (b->secret.n && (b->grant.url.n || b->auth == SMTP_AUTH_NONE))
		problem_add(c, "/secret", "not_needed",
			    "is of no use without auth, nor with token_url");
	if (b->auth == SMTP_AUTH_NONE)
		return;
	if (!b->username.n)
		problem_add(c, "/username", "required", "is required where there is auth");
	else if (!has_secret && !b->secret.n && !b->grant.url.n)
		problem_add(c, "/secret", "required",
			    "is required where there is auth, and again with another host");
}

static void check_tls(struct call *c, const struct route_body *b)
{
	if (b->auth > SMTP_AUTH_NONE && b->tls != SMTP_TLS_VERIFY)
		problem_add(c, "/tls", "verify_needed",
			    "must be verify where there is auth: a password is only told to a host "
			    "whose certificate was verified");
	if (b->tls_first && b->tls > SMTP_TLS_ENCRYPT)
		problem_add(c, "/tls_first", "tls_needed", "needs tls verify or encrypt");
}

int route_body_check(struct call *c, struct route_body *b, bool had_secret)
{
	json_t *item;
	size_t i;

	json_array_foreach(b->domains, i, item) read_pattern(c, item, i, &b->domain_text);
	read_host(c, b);
	check_edges(c, b->username, "/username");
	check_edges(c, b->secret, "/secret");
	if (!port_fits(b->port))
		problem_add(c, "/port", "invalid_port", "must be 25, 465, 587 or 2525");
	b->tls = code_of(c, tls_names, ARRAY_LEN(tls_names), b->tls_word, "/tls");
	b->auth = code_of(c, auth_names, ARRAY_LEN(auth_names), b->auth_word, "/auth");
	check_tls(c, b);
	check_secret(c, b, had_secret);
	token_grant_check(c, &b->grant, had_secret);
	if (!b->grant.url.n)
		b->grant.client_id = b->grant.scope = SLICE("");
	return problem_end(c);
}
