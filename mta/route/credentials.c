/* mta/route/credentials.c - who we are to a smart host: a file of "user", "password" and "token",
 * and a file that holds a token alone, which another process keeps fresh. */
#include <sys/stat.h>

#include "base/file.h"
#include "mta/route/grant.h"

enum { SECRET_FILE_MAX = 16 * 1024 };

struct smart_auth *smart_auth_free(struct smart_auth *a)
{
	if (!a)
		return NULL;
	if (a->bytes.p)
		explicit_bzero(a->bytes.p, a->bytes.cap);
	buf_free(&a->bytes);
	free(a);
	return NULL;
}

/* Appends; *ret is where.  Only its owner and group may read it. */
int smart_secret_read(const char *path, struct buf *bytes, struct slice *ret)
{
	size_t before = buf_len(bytes);
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return -errno;
	if (st.st_mode & (S_IWGRP | S_IRWXO))
		return E_DENIED;
	r = file_read(path, SECRET_FILE_MAX, bytes);
	*ret = slice_skip(buf_data(bytes), before);
	return r;
}

static int check(const struct session_auth *a)
{
	if (!a->user.n || !a->secret.n || memchr(a->user.p, '\0', a->user.n) ||
	    memchr(a->secret.p, '\0', a->secret.n))
		return E_SYNTAX;
	return a->user.n > AUTH_SECRET_MAX || a->secret.n > AUTH_SECRET_MAX ? E_LIMIT : 0;
}

/* "user = x", "password = y" or "token = z". */
static int read_fields(struct session_auth *a, struct slice text)
{
	while (text.n) {
		struct slice line = slice_trim_set(slice_take(&text, '\n'), " \t\r"), key, value;

		if (!line.n || *line.p == '#')
			continue;
		if (!slice_cut(line, '=', &key, &value))
			return E_SYNTAX;
		key = slice_trim(key);
		if (slice_eq(key, SLICE("user")))
			a->user = slice_trim(value);
		else if (slice_eq(key, SLICE("password")) || slice_eq(key, SLICE("token")))
			a->secret = slice_trim(value);
		else
			return E_SYNTAX;
	}
	return 0;
}

int smart_auth_read(struct session_auth *a, struct slice text)
{
	int r = read_fields(a, text);

	return r < 0 ? r : check(a);
}

/* Of a route with a token_url the name counts alone; the token comes later. */
static int fill_user(struct smart_auth *a, struct slice text)
{
	struct grant g = { .user = { NULL, 0 } };
	int err = grant_read(&g, text);

	a->auth.user = g.user;
	return err;
}

void smart_auth_token(struct smart_auth *a, struct slice token)
{
	if (buf_len(&a->bytes) + token.n > a->bytes.cap) /* there is room for two files */
		abort();
	a->auth.secret = slice_of(buf_tail(&a->bytes), token.n);
	buf_put(&a->bytes, token);
}

/* A tenant's own are in memory; its file is nobody's. */
static int read_text(const struct smart_route *r, struct buf *bytes, struct slice *ret)
{
	int err;

	if (!r->secret)
		return smart_secret_read(r->credentials, bytes, ret);
	err = buf_append(bytes, slice_str(r->secret));
	*ret = buf_data(bytes);
	return err;
}

static int fill(struct smart_auth *a, const struct smart_route *r)
{
	struct slice text, token;
	int err = read_text(r, &a->bytes, &text);

	if (err == 0 && r->token_url)
		return fill_user(a, text);
	if (err == 0)
		err = read_fields(&a->auth, text);
	if (err == 0 && r->token_file) {
		err = smart_secret_read(r->token_file, &a->bytes, &token);
		a->auth.secret = slice_trim_set(token, " \t\r\n");
	}
	return err < 0 ? err : check(&a->auth);
}

int smart_auth_new(struct smart_auth **ret, const struct smart_route *r)
{
	struct smart_auth *a;
	int err;

	*ret = NULL;
	if (r->auth == AUTH_NONE)
		return 0;
	a = must_alloc(sizeof(*a));
	a->auth.mechanism = r->auth;
	/* Room for all of it at once: a buffer that grows would leave copies in memory, and
	 * move. */
	err = buf_reserve(&a->bytes, 2 * SECRET_FILE_MAX + 16384);
	if (err == 0)
		err = fill(a, r);
	if (err < 0) {
		(void)smart_auth_free(a);
		return err;
	}
	*ret = a;
	return 0;
}
