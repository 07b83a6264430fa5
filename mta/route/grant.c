/* mta/route/grant.c - files of a client, and the form that it sends. */
#include "mta/route/grant.h"

#include "base/encode.h"

enum { GRANT_BYTES = 64 * 1024 };

struct grant *grant_free(struct grant *g)
{
	if (!g)
		return NULL;
	if (g->bytes.p)
		explicit_bzero(g->bytes.p, g->bytes.cap);
	buf_free(&g->bytes);
	free(g);
	return NULL;
}

int grant_read(struct grant *g, struct slice text)
{
	const struct {
		const char *key;
		struct slice *to;
	} keys[] = { { "user", &g->user },
		     { "client_id", &g->client_id },
		     { "client_secret", &g->client_secret },
		     { "scope", &g->scope },
		     { "refresh_token", &g->refresh } };

	while (text.n) {
		struct slice line = slice_trim_set(slice_take(&text, '\n'), " \t\r"), key, value;
		size_t i = 0;

		if (!line.n || *line.p == '#')
			continue;
		if (!slice_cut(line, '=', &key, &value))
			return E_SYNTAX;
		while (i < ARRAY_LEN(keys) && !slice_eq(slice_trim(key), slice_str(keys[i].key)))
			i++;
		value = slice_trim(value);
		if (i == ARRAY_LEN(keys) || memchr(value.p, '\0', value.n))
			return E_SYNTAX;
		if (value.n > AUTH_SECRET_MAX)
			return E_LIMIT;
		*keys[i].to = value;
	}
	return g->user.n && g->client_id.n ? 0 : E_SYNTAX;
}

static int check_refresh(const struct grant *g)
{
	if (!g->refresh.n || memchr(g->refresh.p, '\0', g->refresh.n))
		return E_SYNTAX;
	return g->refresh.n > AUTH_SECRET_MAX ? E_LIMIT : 0;
}

static int fill_from_files(struct grant *g, const struct smart_route *r)
{
	struct slice text;
	int err = smart_secret_read(r->credentials, &g->bytes, &text);

	if (err == 0)
		err = grant_read(g, text);
	if (err == 0 && g->refresh.n) /* it stands in its own file */
		err = E_SYNTAX;
	if (err == 0)
		err = smart_secret_read(r->token_file, &g->bytes, &text);
	if (err == 0)
		g->refresh = slice_trim_set(text, " \t\r\n");
	return err;
}

static int fill(struct grant *g, const struct smart_route *r)
{
	int err;

	if (r->secret) {
		buf_put(&g->bytes, slice_str(r->secret));
		err = grant_read(g, buf_data(&g->bytes));
	} else {
		err = fill_from_files(g, r);
	}
	return err == 0 ? check_refresh(g) : err;
}

int grant_new(struct grant **ret, const struct smart_route *r)
{
	struct grant *g = must_alloc(sizeof(*g));
	/* Room for all of it at once: a buffer that grows would leave copies in memory. */
	int err = buf_reserve(&g->bytes, GRANT_BYTES);

	if (err == 0)
		err = fill(g, r);
	if (err < 0)
		g = grant_free(g);
	*ret = g;
	return err;
}

/* RFC 3986 section 2.3: what stands for itself. */
static void put_encoded(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]), code[3] = "%";
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c))) {
			buf_put(out, slice_of(s.p + i, 1));
			continue;
		}
		hex_put_upper(code + 1, (unsigned char)s.p[i]);
		buf_put(out, slice_of(code, 3));
	}
}

static void put_field(struct buf *out, const char *name, struct slice value)
{
	if (!value.n)
		return;
	buf_putf(out, "&%s=", name);
	put_encoded(out, value);
}

void grant_form(const struct grant *g, struct slice refresh, struct buf *out)
{
	if (buf_reserve(out, GRANT_BYTES) < 0) /* at once, as above */
		abort();
	buf_put(out, SLICE("grant_type=refresh_token"));
	put_field(out, "refresh_token", refresh);
	put_field(out, "client_id", g->client_id);
	put_field(out, "client_secret", g->client_secret);
	put_field(out, "scope", g->scope);
}
