/* message/compose.c - a campaign's header, MIME parts and templates into one program. */
#include "message/compose.h"

#include <stdio.h>

#include "message/compile.h"
#include "message/mailbox.h"
#include "message/word.h"

/* No quoted-printable text holds "=_": "=" is always followed by a hex digit or a line end. */
#define BOUNDARY "=_postern_part"

enum { HEADER_NAME_MAX = 64, HEADER_VALUE_MAX = 4096 };

struct compose {
	const struct compose_in *in;
	struct compose_error *error;
	struct build build;
	struct compile *compile;
};

static int fail(struct compose *c, enum compose_where where, unsigned index, int code,
		const char *text)
{
	c->error->where = where;
	c->error->index = index;
	return compile_refuse(&c->error->template, TEMPLATE_SUBJECT, code, text);
}

static int too_large(struct compose *c, int code)
{
	return code < 0 ? fail(c, COMPOSE_TEMPLATE, 0, code, "the message is too large") : 0;
}

static int text(struct compose *c, const char *s)
{
	return too_large(c, build_text(&c->build, slice_str(s)));
}

static int op(struct compose *c, enum op_kind kind, uint32_t a)
{
	return too_large(c, build_op(&c->build, (struct op){ .kind = (uint8_t)kind, .a = a }));
}

/* An op after which literals are written in another way. */
static int region(struct compose *c, enum op_kind kind, uint32_t a, enum build_mode mode)
{
	int r = op(c, kind, a);

	c->build.mode = mode;
	return r;
}

static int part(struct compose *c, enum template_part which, struct slice source)
{
	c->error->where = COMPOSE_TEMPLATE;
	return compile_part(c->compile, which, source);
}

/* Runs the calls of a list until one fails. */
#define TRY(...)                                                                                   \
	do {                                                                                       \
		int try_ = (__VA_ARGS__);                                                          \
		if (try_ < 0)                                                                      \
			return try_;                                                               \
	} while (0)

static int address_line(struct compose *c, const char *name, struct slice address,
			enum compose_where where)
{
	struct mailbox_named m;
	struct buf line;
	int r = mailbox_named_parse(address, MAILBOX_CONTACT, &m);

	if (r < 0)
		return fail(
		    c, where, 0, r,
		    "this is not an address; write \"Name <a@b.example>\" or \"a@b.example\"");
	buf_init(&line, 0);
	buf_putf(&line, "%s: ", name);
	r = mailbox_named_put(&m, (unsigned)buf_len(&line), &line);
	buf_put(&line, SLICE("\r\n"));
	if (r == 0)
		r = build_text(&c->build, buf_data(&line));
	buf_free(&line);
	return too_large(c, r);
}

static int addresses(struct compose *c)
{
	TRY(text(c, "Date: "));
	TRY(op(c, OP_ENGINE, ENGINE_DATE));
	TRY(text(c, "\r\n"));
	TRY(address_line(c, "From", c->in->from, COMPOSE_FROM));
	if (c->in->reply_to.n)
		TRY(address_line(c, "Reply-To", c->in->reply_to, COMPOSE_REPLY_TO));
	TRY(text(c, "To: "));
	TRY(op(c, OP_ENGINE, ENGINE_TO));
	return text(c, "\r\n");
}

static int subject(struct compose *c)
{
	static const char name[] = "Subject: ";

	TRY(text(c, name));
	TRY(region(c, OP_HEADER, sizeof(name) - 1, BUILD_HEADER));
	TRY(part(c, TEMPLATE_SUBJECT, c->in->source.subject));
	TRY(region(c, OP_HEADER_END, 0, BUILD_RAW));
	TRY(text(c, "\r\nMessage-ID: <"));
	TRY(op(c, OP_ENGINE, ENGINE_MESSAGE_ID));
	return text(c, ">\r\nMIME-Version: 1.0\r\n");
}

/* RFC 2369, RFC 8058 */
static int unsubscribe(struct compose *c)
{
	if (c->in->list_unsubscribe.n == 0)
		return 0;
	TRY(region(c, OP_GROUP, 0, BUILD_RAW));
	TRY(text(c, "List-Unsubscribe: <"));
	TRY(part(c, TEMPLATE_URL, c->in->list_unsubscribe));
	TRY(text(c, ">\r\n"));
	if (c->in->one_click)
		TRY(text(c, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
	return op(c, OP_GROUP_END, 0);
}

/* ---- extra headers ----------------------------------------------------------------------- */

/* Fields that the composer, the transport or the body writes.  A name that ends in "-" stands for
 * all that begin with it. */
static const char *const reserved[] = {
	"date",
	"from",
	"sender",
	"reply-to",
	"to",
	"cc",
	"bcc",
	"subject",
	"message-id",
	"mime-version",
	"list-unsubscribe",
	"list-unsubscribe-post",
	"content-",
	"resent-",
	"arc-",
	"received",
	"received-spf",
	"return-path",
	"dkim-signature",
	"domainkey-signature",
	"authentication-results",
	"delivered-to",
	"x-original-to",
	"errors-to",
	"dkim-",
};

static bool is_reserved(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		struct slice r = slice_str(reserved[i]);
		if (r.p[r.n - 1] == '-' ? slice_starts_nocase(name, r) : slice_eq_nocase(name, r))
			return true;
	}
	return false;
}

static const char *check_header(const struct compose_header *h)
{
	if (h->name.n == 0 || h->name.n > HEADER_NAME_MAX || h->value.n > HEADER_VALUE_MAX)
		return "the name of a header has 1 to 64 bytes, its value at most 4096";
	for (size_t i = 0; i < h->name.n; i++)
		if (h->name.p[i] <= 0x20 || h->name.p[i] >= 0x7f || h->name.p[i] == ':')
			return "the name of a header may have only printable ASCII characters, and "
			       "no \":\"";
	for (size_t i = 0; i < h->value.n; i++)
		if ((unsigned char)h->value.p[i] < 0x20 || h->value.p[i] == 0x7f)
			return "the value of a header may have no control characters and no line "
			       "ends";
	if (is_reserved(h->name))
		return "this header is written by Postern; leave it out";
	return NULL;
}

static int extra_header(struct compose *c, unsigned i)
{
	const struct compose_header *h = &c->in->headers[i];
	const char *why = check_header(h);
	struct buf line;
	int r;

	if (why)
		return fail(c, COMPOSE_HEADER, i, E_SYNTAX, why);
	buf_init(&line, 0);
	buf_put(&line, h->name);
	buf_put(&line, SLICE(": "));
	r = word_put(h->value, (unsigned)buf_len(&line), &line);
	buf_put(&line, SLICE("\r\n"));
	if (r == 0)
		r = build_text(&c->build, buf_data(&line));
	buf_free(&line);
	return too_large(c, r);
}

static int extra_headers(struct compose *c)
{
	if (c->in->n_headers > COMPOSE_HEADERS_MAX)
		return fail(c, COMPOSE_HEADER, COMPOSE_HEADERS_MAX, E_LIMIT,
			    "too many headers: 64 is the most");
	for (unsigned i = 0; i < c->in->n_headers; i++)
		TRY(extra_header(c, i));
	return 0;
}

/* ---- bodies ------------------------------------------------------------------------------ */

/* The last part: no boundary follows that would end its last line. */
static int body(struct compose *c, enum template_part which, const char *type, struct slice source,
		bool last)
{
	TRY(text(c, "Content-Type: "));
	TRY(text(c, type));
	TRY(text(c, "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"));
	TRY(region(c, OP_BODY, 0, BUILD_BODY));
	TRY(part(c, which, source));
	return region(c, OP_BODY_END, last, BUILD_RAW);
}

static int bodies(struct compose *c)
{
	const struct template_source *s = &c->in->source;

	if (s->html.n == 0 && s->text.n == 0)
		return fail(c, COMPOSE_TEMPLATE, 0, E_SYNTAX, "give html, text or both");
	if (s->html.n == 0)
		return body(c, TEMPLATE_TEXT, "text/plain", s->text, true);
	if (s->text.n == 0)
		return body(c, TEMPLATE_HTML, "text/html", s->html, true);
	TRY(text(c, "Content-Type: multipart/alternative;\r\n boundary=\"" BOUNDARY "\"\r\n\r\n"
		    "--" BOUNDARY "\r\n"));
	TRY(body(c, TEMPLATE_TEXT, "text/plain", s->text, false));
	TRY(text(c, "\r\n--" BOUNDARY "\r\n"));
	TRY(body(c, TEMPLATE_HTML, "text/html", s->html, false));
	return text(c, "\r\n--" BOUNDARY "--\r\n");
}

static int compose_all(struct compose *c)
{
	TRY(addresses(c));
	TRY(subject(c));
	TRY(unsubscribe(c));
	TRY(extra_headers(c));
	TRY(bodies(c));
	TRY(op(c, OP_RETURN, 0));
	return compile_end(c->compile);
}

int compose_campaign(const struct compose_in *in, struct buf *program_out,
		     struct compose_error *ret_error)
{
	struct compose c = { .in = in, .error = ret_error };
	int r;

	*ret_error = (struct compose_error){ .where = COMPOSE_TEMPLATE };
	build_init(&c.build, false);
	c.compile = compile_new(&in->env, &c.build, &ret_error->template);
	r = compose_all(&c);
	if (r >= 0)
		r = too_large(&c, build_finish(&c.build, program_out));
	c.compile = compile_free(c.compile);
	build_free(&c.build);
	return r;
}
