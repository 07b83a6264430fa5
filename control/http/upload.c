/* control/http/upload.c - one pass over the file for each wrapping that it has. */
#include "control/http/upload.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "control/http/gunzip.h"
#include "control/http/multipart.h"
#include "control/http/private.h"

enum { PIECE = 64 * 1024 };

struct unpacking {
	struct call *c;
	int out;
	int64_t written;
	struct gunzip *gunzip;
	struct multipart *form;
	/* of a form */
	const char *const *names;
	size_t n_names;
	json_t *fields;
	unsigned files;
	bool in_file;
	char name[64]; /* of the field at hand */
	struct buf value;
};

static int write_plain(void *arg, struct slice plain)
{
	struct unpacking *u = arg;

	u->written += (int64_t)plain.n;
	return (size_t)u->written > u->c->request->body_max ? E_LIMIT
							    : file_write_all(u->out, plain);
}

/* ---- forms ------------------------------------------------------------------------------- */

static void keep_field(struct unpacking *u)
{
	struct slice value = buf_data(&u->value);

	if (u->name[0]) /* what is no UTF-8 is NULL, and not kept */
		(void)json_object_set_new(u->fields, u->name, json_stringn(value.p, value.n));
	u->name[0] = '\0';
	buf_clear(&u->value);
}

static int on_part(void *arg, struct slice name, bool file)
{
	struct unpacking *u = arg;

	keep_field(u);
	u->in_file = file || slice_eq(name, SLICE("file"));
	if (u->in_file)
		return ++u->files > 1 ? problem(u->c, 422, "several_files", "a form has one file")
				      : 0;
	for (size_t i = 0; i < u->n_names; i++)
		if (slice_eq(name, slice_str(u->names[i]))) {
			slice_copy(u->name, sizeof(u->name), name);
			return 0;
		}
	return problem(u->c, 422, "unknown_part", "\"%.*s\" is no part of this form",
		       (int)MIN_OF(name.n, (size_t)60), name.p);
}

static int on_content(void *arg, struct slice bytes)
{
	struct unpacking *u = arg;

	return u->in_file ? write_plain(u, bytes) : buf_append(&u->value, bytes);
}

static const struct multipart_events form_events = { on_part, on_content };

/* ---- a pass ------------------------------------------------------------------------------ */

static int feed(struct unpacking *u, struct slice piece)
{
	return u->gunzip ? gunzip_feed(u->gunzip, piece) : multipart_feed(u->form, piece);
}

static int end(struct unpacking *u)
{
	int r = u->gunzip ? gunzip_end(u->gunzip) : multipart_end(u->form);

	if (r >= 0 && u->form) {
		keep_field(u);
		if (!u->files)
			r = problem(u->c, 422, "no_file", "the form has no file");
	}
	return r;
}

static int pump(struct unpacking *u, int in)
{
	OWNED_MEM char *piece = must_alloc(PIECE);
	ssize_t n;
	int r = 0;

	while (r >= 0 && (n = read(in, piece, PIECE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : feed(u, slice_of(piece, (size_t)n));
	}
	return r < 0 ? r : end(u);
}

static int answer(struct call *c, int r, const char *what)
{
	if (r == E_SYNTAX)
		return problem(c, 400, "invalid_body", "the body is no %s, or is cut short", what);
	if (r == E_LIMIT)
		return problem(c, 413, "too_large", "unpacked, the file may have %zu bytes",
			       c->request->body_max);
	return r == E_ANSWERED ? r : problem(c, 503, "no_room", "the body could not be kept");
}

/* Replaces the file by what the pass makes of it. */
static int pass(struct unpacking *u, const char *what)
{
	struct call_request *q = u->c->request;
	OWNED_FD int in = open(q->upload_path, O_RDONLY | O_CLOEXEC);
	size_t n = strlen(q->upload_path) + sizeof(".plain");
	OWNED_MEM char *path = must_alloc(n);
	int r;

	(void)snprintf(path, n, "%s.plain", q->upload_path);
	u->out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	u->written = 0;
	r = in < 0 || u->out < 0 ? -errno : pump(u, in);
	if (r >= 0 && rename(path, q->upload_path) < 0)
		r = -errno;
	if (u->out >= 0)
		(void)close(u->out);
	if (r < 0) {
		(void)unlink(path);
		return answer(u->c, r, what);
	}
	q->upload_bytes = u->written;
	return 0;
}

static int pass_gunzip(struct unpacking *u)
{
	int r = gunzip_open(&u->gunzip, write_plain, u);

	r = r < 0 ? answer(u->c, r, "gzip stream") : pass(u, "gzip stream");
	u->gunzip = gunzip_free(u->gunzip);
	return r;
}

static int pass_form(struct unpacking *u, struct slice boundary)
{
	int r = multipart_open(&u->form, boundary, &form_events, u);

	buf_init(&u->value, UPLOAD_FIELD_MAX);
	r = r < 0 ? answer(u->c, r, "form") : pass(u, "form");
	buf_free(&u->value);
	u->form = multipart_free(u->form);
	return r;
}

/* ---- the whole --------------------------------------------------------------------------- */

static bool is_form(struct slice type)
{
	return slice_starts_nocase(type, SLICE("multipart/"));
}

static int unwrap_coding(struct unpacking *u)
{
	struct slice coding = slice_trim(call_header(u->c, "Content-Encoding"));

	if (!coding.n || slice_eq_nocase(coding, SLICE("identity")))
		return 0;
	if (slice_eq_nocase(coding, SLICE("gzip")) || slice_eq_nocase(coding, SLICE("x-gzip")) ||
	    slice_eq_nocase(coding, SLICE("deflate")))
		return pass_gunzip(u);
	http_reply_header(u->c, "Accept-Encoding", "gzip"); /* RFC 9110 section 15.5.16 */
	return problem(u->c, 415, "unknown_coding", "a body is plain or gzip");
}

static bool is_gzip(const char *path)
{
	static const unsigned char magic[] = { 0x1f, 0x8b };
	OWNED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char front[2];

	return fd >= 0 && read(fd, front, sizeof(front)) == sizeof(front) &&
	       memcmp(front, magic, sizeof(front)) == 0;
}

int upload_unpack(struct call *c, const char *const *names, size_t n_names, json_t **ret_fields)
{
	struct unpacking u = { .c = c, .names = names, .n_names = n_names };
	struct slice type = call_header(c, "Content-Type");
	int r;

	u.fields = json_object();
	r = c->request->upload_path ? unwrap_coding(&u) : 0;
	if (r >= 0 && c->request->upload_path && is_form(type))
		r = pass_form(&u, multipart_boundary(type));
	if (r >= 0 && c->request->upload_path && is_gzip(c->request->upload_path))
		r = pass_gunzip(&u);
	if (r < 0)
		json_decref(u.fields);
	else
		*ret_fields = u.fields;
	return r;
}
