/* mta/route/routes.c - the file of routes, and who is meant by them. */
#include "mta/route/grant.h"

#include <stdio.h>

#include "base/file.h"
#include "base/hash.h"
#include "mta/policy/reporting.h"
#include "mta/route/inside.h"

#define AT(member) offsetof(struct smart_route, member)
enum { SUBMISSION_PORT = 587, SUBMISSIONS_PORT = 465 };

/* ---- life -------------------------------------------------------------------------------- */

struct smart_route *smart_route_ref(struct smart_route *r)
{
	if (r)
		atomic_fetch_add(&r->refs, 1);
	return r;
}

struct smart_route *smart_route_unref(struct smart_route *r)
{
	if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
		return NULL;
	for (unsigned k = 0; k < SMART_LISTS; k++)
		for (unsigned i = 0; i < r->n[k]; i++)
			free(r->lists[k][i]);
	free(r->name);
	free(r->host);
	free(r->credentials);
	free(r->token_url);
	free(r->token_file);
	if (r->secret)
		explicit_bzero(r->secret, strlen(r->secret));
	free(r->secret);
	free(r);
	return NULL;
}

void routes_clear(struct routes *r)
{
	for (unsigned i = 0; i < r->n; i++)
		r->at[i] = smart_route_unref(r->at[i]);
	r->n = 0;
}

/* ---- who is meant ------------------------------------------------------------------------ */

static bool domain_fits(struct slice pattern, struct slice domain)
{
	if (slice_eq(pattern, SLICE("*")))
		return true;
	if (!slice_strip(&pattern, SLICE("*")))
		return slice_eq_nocase(pattern, domain);
	return domain.n > pattern.n &&
	       slice_eq_nocase(slice_skip(domain, domain.n - pattern.n), pattern);
}

static bool entry_fits(enum smart_list k, struct slice entry, const struct smart_subject *q)
{
	uint64_t n;

	switch (k) {
	case SMART_DOMAINS:
		return domain_fits(entry, q->domain);
	case SMART_TENANTS:
		return slice_u64(entry, UINT64_MAX, &n) == 0 && n == q->tenant;
	case SMART_POOLS:
		return slice_eq(entry, q->pool);
	default:
		return slice_eq(entry, q->stream);
	}
}

static bool list_fits(const struct smart_route *r, enum smart_list k, const struct smart_subject *q)
{
	for (unsigned i = 0; i < r->n[k]; i++)
		if (entry_fits(k, slice_str(r->lists[k][i]), q))
			return true;
	return r->n[k] == 0;
}

bool routes_fit(const struct smart_route *r, const struct smart_subject *q)
{
	for (unsigned k = 0; k < SMART_LISTS; k++)
		if (!list_fits(r, (enum smart_list)k, q))
			return false;
	return true;
}

bool routes_same_whom(const struct smart_route *a, const struct smart_route *b)
{
	for (unsigned k = 0; k < SMART_LISTS; k++) {
		if (a->n[k] != b->n[k])
			return false;
		for (unsigned i = 0; i < a->n[k]; i++)
			if (strcmp(a->lists[k][i], b->lists[k][i]) != 0)
				return false;
	}
	return true;
}

struct smart_route *routes_find(const struct routes *r, const struct smart_subject *q)
{
	for (unsigned i = 0; i < r->n; i++)
		if (routes_fit(r->at[i], q))
			return r->at[i];
	return NULL;
}

struct smart_route *routes_named(const struct routes *r, struct slice name)
{
	for (unsigned i = 0; i < r->n; i++)
		if (slice_eq(slice_str(r->at[i]->name), name))
			return r->at[i];
	return NULL;
}

/* ---- the file ---------------------------------------------------------------------------- */

struct route_reading {
	struct routes *routes;
	struct smart_route *now; /* the section that is read; NULL before the first */
	const char *file;
	unsigned line;
	char *error;
};

static int fault(const struct route_reading *in, const char *what)
{
	(void)snprintf(in->error, OPTION_ERROR_MAX, "%s line %u: %s", in->file, in->line, what);
	return E_SYNTAX;
}

static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && (!c || !strchr("-_.", c)))
			return false;
	}
	return s.n > 0 && s.n <= 64;
}

static int set_text(char **to, struct slice v)
{
	if (*to || !v.n || v.n > 1024 || memchr(v.p, '\0', v.n))
		return E_SYNTAX;
	*to = must_copy(v);
	return 0;
}

static int set_url(char **to, struct slice v)
{
	struct reporting_uri url;

	return reporting_url(v, &url) < 0 ? E_SYNTAX : set_text(to, v);
}

static int set_port(struct smart_route *r, struct slice v)
{
	uint64_t n;

	if (slice_u64(v, 65535, &n) < 0 || !n)
		return E_SYNTAX;
	r->port = (uint16_t)n;
	return 0;
}

static int set_mx(struct smart_route *r, struct slice v)
{
	r->mx = slice_eq(v, SLICE("yes"));
	return r->mx || slice_eq(v, SLICE("no")) ? 0 : E_SYNTAX;
}

/* "verify", or "at-once verify" (TLS before the greeting). */
static int set_tls(struct smart_route *r, struct slice v)
{
	static const struct {
		const char *word;
		enum tls_word tls;
	} words[] = { { "never", TLS_WORD_NEVER },
		      { "may", TLS_WORD_MAY },
		      { "encrypt", TLS_WORD_ENCRYPT },
		      { "verify", TLS_WORD_VERIFY } };

	r->tls_at_once = slice_strip(&v, SLICE("at-once "));
	v = slice_trim(v);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_eq(v, slice_str(words[i].word))) {
			r->tls = words[i].tls;
			return r->tls_at_once && r->tls < TLS_WORD_ENCRYPT ? E_SYNTAX : 0;
		}
	return E_SYNTAX;
}

static int set_auth(struct smart_route *r, struct slice v)
{
	for (unsigned m = 0; m < AUTH_MECHANISMS; m++)
		if (slice_eq(v, slice_str(smtp_auth_name((enum auth_mechanism)m)))) {
			r->auth = (enum auth_mechanism)m;
			return 0;
		}
	return E_SYNTAX;
}

static int add_entries(struct smart_route *r, enum smart_list k, struct slice v)
{
	uint64_t tenant;

	while (v.n) {
		struct slice entry = slice_trim(slice_take(&v, ','));

		if (!entry.n || entry.n > 255 || r->n[k] == ROUTES_LIST_MAX ||
		    (k == SMART_TENANTS && slice_u64(entry, UINT64_MAX, &tenant) < 0))
			return E_SYNTAX;
		r->lists[k][r->n[k]++] = must_copy(entry);
	}
	return r->n[k] ? 0 : E_SYNTAX;
}

int routes_set_key(struct smart_route *r, struct slice key, struct slice v)
{
	static const char *const lists[SMART_LISTS] = { "domain", "tenant", "pool", "stream" };

	for (unsigned k = 0; k < SMART_LISTS; k++)
		if (slice_eq(key, slice_str(lists[k])))
			return add_entries(r, (enum smart_list)k, v);
	if (slice_eq(key, SLICE("host")))
		return set_text(&r->host, v);
	if (slice_eq(key, SLICE("credentials")))
		return set_text(&r->credentials, v);
	if (slice_eq(key, SLICE("token_file")))
		return set_text(&r->token_file, v);
	if (slice_eq(key, SLICE("token_url")))
		return set_url(&r->token_url, v);
	if (slice_eq(key, SLICE("port")))
		return set_port(r, v);
	if (slice_eq(key, SLICE("mx")))
		return set_mx(r, v);
	if (slice_eq(key, SLICE("tls")))
		return set_tls(r, v);
	return slice_eq(key, SLICE("auth")) ? set_auth(r, v) : E_UNKNOWN;
}

static uint64_t print_of(const struct smart_route *r)
{
	struct buf all = { 0 };
	uint64_t print;

	buf_putf(&all, "%s:%u %d %d %d %d %s %s %s", r->host, r->port, r->mx, r->tls_at_once,
		 (int)r->tls, (int)r->auth, r->credentials ? r->credentials : "",
		 r->token_file ? r->token_file : "", r->token_url ? r->token_url : "");
	if (r->secret)
		buf_putf(&all, " %s", r->secret);
	print = hash_stable(buf_data(&all));
	if (r->secret)
		explicit_bzero(all.p, all.cap);
	buf_free(&all);
	return print;
}

const char *routes_finish(struct smart_route *r)
{
	bool meant = false, authentic = r->credentials || r->secret;

	for (unsigned k = 0; k < SMART_LISTS; k++)
		meant = meant || r->n[k];
	if (!r->host)
		return "the route before has no host";
	if (!meant)
		return "the route before does not say for whom it is: domain = *";
	if ((r->auth != AUTH_NONE) != authentic)
		return "in the route before, auth and credentials belong together";
	if (r->auth != AUTH_NONE && r->tls != TLS_WORD_VERIFY)
		return "in the route before, auth needs tls = verify";
	if (r->token_file && r->auth != AUTH_XOAUTH2)
		return "in the route before, token_file needs auth = xoauth2";
	if (r->token_url && r->auth != AUTH_XOAUTH2)
		return "in the route before, token_url needs auth = xoauth2";
	if (r->token_url && !r->token_file && !r->secret)
		return "in the route before, token_url needs a token_file";
	if (!r->port)
		r->port = r->tls_at_once ? SUBMISSIONS_PORT : SUBMISSION_PORT;
	r->print = print_of(r);
	return NULL;
}

static int end_section(struct route_reading *in)
{
	const char *why = in->now ? routes_finish(in->now) : NULL;

	if (why)
		return fault(in, why);
	in->now = NULL;
	return 0;
}

static int begin_section(struct route_reading *in, struct slice name)
{
	int r = end_section(in);

	if (r < 0)
		return r;
	if (!is_name(name))
		return fault(in, "a route's name has letters, digits, \"-\", \"_\" and \".\"");
	if (routes_named(in->routes, name))
		return fault(in, "there is a route of this name already");
	if (in->routes->n == ROUTES_MAX)
		return fault(in, "there are too many routes");
	in->now = must_alloc(sizeof(*in->now));
	in->now->refs = 1;
	in->now->tls = TLS_WORD_VERIFY;
	in->now->name = must_copy(name);
	in->routes->at[in->routes->n++] = in->now;
	return 0;
}

static int read_line(struct route_reading *in, struct slice line)
{
	struct slice key, value;
	int r;

	line = slice_trim_set(line, " \t\r");
	if (!line.n || *line.p == '#')
		return 0;
	if (*line.p == '[')
		return line.p[line.n - 1] == ']'
			   ? begin_section(in, slice_of(line.p + 1, line.n - 2))
			   : fault(in, "a section ends in \"]\"");
	if (!slice_cut(line, '=', &key, &value))
		return fault(in, "expected key = value");
	if (!in->now)
		return fault(in, "before the first [name] there is nothing to set");
	r = routes_set_key(in->now, slice_trim(key), slice_trim(value));
	if (r == E_UNKNOWN)
		return fault(in, "no such key");
	return r < 0 ? fault(in, "this value does not fit, or was set before") : 0;
}

int routes_parse(struct routes *routes, struct slice text, const char *name, char *error)
{
	struct route_reading in = { .routes = routes, .file = name, .error = error };
	int r = 0;

	while (text.n && r == 0) {
		in.line++;
		r = read_line(&in, slice_take(&text, '\n'));
	}
	return r < 0 ? r : end_section(&in);
}

/* ---- options ----------------------------------------------------------------------------- */

struct smart_options {
	struct routes routes; /* first: routes_of() */
	char *file_list;
};

static const struct option rows[] = {
	{ "route.file", T_LIST, offsetof(struct smart_options, file_list), 0, 0, "", true,
	  "Files of smart-host routes (postern-routes(5)); the first route that fits counts." },
};

/* Its credentials are there, whole, and nobody else's. */
static int check_auth(const struct smart_route *r, char *error)
{
	struct smart_auth *a = NULL;
	int err = smart_auth_new(&a, r);

	(void)smart_auth_free(a);
	if (err == 0 && r->token_url) {
		struct grant *g;
		err = grant_new(&g, r);
		(void)grant_free(g);
	}
	if (err < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "route %s: credentials: %s", r->name,
			       err == E_DENIED ? "others can read the file: chmod 600 it"
					       : err_text(err));
	return err;
}

static int read_file(struct routes *routes, const char *path, char *error)
{
	struct buf text = { 0 };
	int r = file_read(path, SMART_FILE_MAX, &text);

	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "%s: %s", path, err_text(r));
	else
		r = routes_parse(routes, buf_data(&text), path, error);
	buf_free(&text);
	return r;
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct smart_options *o = options;
	struct slice entry;
	size_t pos = 0;
	int r = 0;

	(void)all;
	while (r == 0 && option_list_next(o->file_list, &pos, &entry)) {
		OWNED_MEM char *path = must_copy(entry);
		r = read_file(&o->routes, path, f->error);
	}
	for (unsigned i = 0; i < o->routes.n && r == 0; i++)
		r = check_auth(o->routes.at[i], f->error);
	return r < 0 ? E_SYNTAX : 0;
}

static void clear(void *options)
{
	routes_clear(&((struct smart_options *)options)->routes);
}

const struct option_set routes_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct smart_options),
	.derive = derive,
	.clear = clear,
};
