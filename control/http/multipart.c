/* control/http/multipart.c - from boundary to boundary. */
#include "control/http/multipart.h"

#include "base/buf.h"

enum form_place { AT_PREAMBLE, AT_BOUNDARY, AT_HEAD, AT_CONTENT, AT_END };

struct multipart {
	const struct multipart_events *events;
	void *arg;
	enum form_place state;
	char delimiter[MULTIPART_BOUNDARY_MAX + 4]; /* CRLF "--" boundary */
	size_t delimiter_n;
	unsigned parts;
	struct buf pending;
	int err;
};

struct multipart *multipart_free(struct multipart *m)
{
	if (!m)
		return NULL;
	buf_free(&m->pending);
	free(m);
	return NULL;
}

int multipart_open(struct multipart **ret, struct slice boundary,
		   const struct multipart_events *events, void *arg)
{
	struct multipart *m;

	if (!boundary.n || boundary.n > MULTIPART_BOUNDARY_MAX)
		return E_SYNTAX;
	m = must_alloc(sizeof(*m));
	m->events = events;
	m->arg = arg;
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary.p, boundary.n);
	m->delimiter_n = boundary.n + 4;
	buf_init(&m->pending, 0);
	buf_put(&m->pending, SLICE("\r\n")); /* so that a boundary at the very start is one */
	*ret = m;
	return 0;
}

/* ---- headers ----------------------------------------------------------------------------- */

/* Takes one ';'-separated parameter: ret_name=ret_value, the value without its quotes. */
static void take_parameter(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
	bool quoted = false;
	size_t n = 0;

	for (; n < rest->n && (quoted || rest->p[n] != ';'); n++) {
		if (quoted && rest->p[n] == '\\' && n + 1 < rest->n)
			n++;
		else if (rest->p[n] == '"')
			quoted = !quoted;
	}
	struct slice one = slice_trim(slice_of(rest->p, n));
	*rest = slice_skip(*rest, n < rest->n ? n + 1 : n);
	*ret_value = SLICE("");
	*ret_name = one;
	if (!slice_cut(one, '=', ret_name, ret_value))
		return;
	*ret_name = slice_trim(*ret_name);
	*ret_value = slice_trim(*ret_value);
	if (ret_value->n >= 2 && ret_value->p[0] == '"' && ret_value->p[ret_value->n - 1] == '"')
		*ret_value = slice_of(ret_value->p + 1, ret_value->n - 2);
}

struct slice multipart_boundary(struct slice content_type)
{
	struct slice name, value;

	take_parameter(&content_type, &name, &value);
	if (!slice_eq_nocase(name, SLICE("multipart/form-data")))
		return SLICE("");
	while (content_type.n) {
		take_parameter(&content_type, &name, &value);
		if (slice_eq_nocase(name, SLICE("boundary")))
			return value;
	}
	return SLICE("");
}

struct form_part {
	struct slice name;
	bool file, form, encoded;
};

static void read_header(struct slice line, struct form_part *p)
{
	struct slice name, value, text = SLICE("");

	if (!slice_cut(line, ':', &name, &text))
		return;
	if (slice_eq_nocase(name, SLICE("Content-Transfer-Encoding"))) {
		text = slice_trim(text);
		p->encoded = !slice_eq_nocase(text, SLICE("binary")) &&
			     !slice_eq_nocase(text, SLICE("8bit")) &&
			     !slice_eq_nocase(text, SLICE("7bit"));
	}
	if (!slice_eq_nocase(name, SLICE("Content-Disposition")))
		return;
	take_parameter(&text, &name, &value);
	p->form = slice_eq_nocase(name, SLICE("form-data"));
	while (text.n) {
		take_parameter(&text, &name, &value);
		if (slice_eq_nocase(name, SLICE("name")))
			p->name = value;
		p->file |= slice_eq_nocase(name, SLICE("filename")) ||
			   slice_eq_nocase(name, SLICE("filename*"));
	}
}

/* head begins with the CRLF of the boundary's line, and ends before the empty line. */
static int begin_part(struct multipart *m, struct slice head)
{
	struct form_part p = { .name = SLICE("") };

	while (head.n) {
		struct slice line = slice_take(&head, '\n');

		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		read_header(line, &p);
	}
	if (!p.form || p.encoded)
		return E_SYNTAX;
	if (++m->parts > MULTIPART_PARTS_MAX)
		return E_LIMIT;
	return m->events->part(m->arg, p.name, p.file);
}

/* ---- states: each returns 1 when it went on, 0 when it needs more ------------------------- */

static int to_boundary(struct multipart *m)
{
	struct slice have = buf_data(&m->pending);
	const char *found = memmem(have.p, have.n, m->delimiter, m->delimiter_n);
	size_t n = found                      ? (size_t)(found - have.p)
		   : have.n >= m->delimiter_n ? have.n - (m->delimiter_n - 1)
					      : 0;
	int r = 0;

	if (m->state == AT_CONTENT && n)
		r = m->events->content(m->arg, slice_of(have.p, n));
	buf_consume(&m->pending, found ? n + m->delimiter_n : n);
	if (r < 0 || !found)
		return r < 0 ? r : 0;
	m->state = AT_BOUNDARY;
	return 1;
}

static int after_boundary(struct multipart *m)
{
	struct slice have = buf_data(&m->pending);
	size_t n = 0;

	if (have.n >= 2 && memcmp(have.p, "--", 2) == 0) {
		m->state = AT_END;
		return 1;
	}
	while (n < have.n && (have.p[n] == ' ' || have.p[n] == '\t'))
		n++;
	if (n > MULTIPART_HEAD_MAX)
		return E_LIMIT;
	if (have.n < n + 2)
		return n < have.n && have.p[n] != '\r' && have.p[n] != '-' ? E_SYNTAX : 0;
	if (memcmp(have.p + n, "\r\n", 2) != 0)
		return E_SYNTAX;
	buf_consume(&m->pending, n);
	m->state = AT_HEAD;
	return 1;
}

static int through_head(struct multipart *m)
{
	struct slice have = buf_data(&m->pending);
	const char *end = memmem(have.p, have.n, "\r\n\r\n", 4);
	int r;

	if ((end ? (size_t)(end - have.p) : have.n - MIN_OF(have.n, (size_t)3)) >
	    MULTIPART_HEAD_MAX)
		return E_LIMIT; /* the end may have begun in the last three bytes */
	if (!end)
		return 0;
	r = begin_part(m, slice_of(have.p, (size_t)(end - have.p)));
	buf_consume(&m->pending, (size_t)(end - have.p) + 4);
	m->state = AT_CONTENT;
	return r < 0 ? r : 1;
}

static int go_on(struct multipart *m)
{
	switch (m->state) {
	case AT_BOUNDARY:
		return after_boundary(m);
	case AT_HEAD:
		return through_head(m);
	case AT_PREAMBLE:
	case AT_CONTENT:
		return to_boundary(m);
	case AT_END:
		buf_clear(&m->pending);
		return 0;
	}
	return 0;
}

int multipart_feed(struct multipart *m, struct slice piece)
{
	int r = m->err < 0 ? m->err : buf_append(&m->pending, piece);

	if (r < 0)
		return m->err = r;
	do
		r = go_on(m);
	while (r > 0);
	return m->err = r;
}

int multipart_end(struct multipart *m)
{
	if (m->err >= 0 && m->state != AT_END)
		m->err = E_SYNTAX;
	return m->err < 0 ? m->err : 0;
}
