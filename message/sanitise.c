/* message/sanitise.c - walks through an HTML part, markup by markup, and leaves out what mail must
 * not carry.  Mustache tags take no room: what stands on either side of one is side by side. */
#include "message/sanitise.h"

#include <stdio.h>

#include "message/mustache.h"
#include "message/sanitise_int.h"
#include "message/template.h"

enum { NAME_MAX_LETTERS = 40 };

static void walk(struct sanitise *z, size_t from, size_t end);

/* ---- reading ----------------------------------------------------------------------------- */

enum { AT_TAG = -1, AT_END = -2 };

static int at(const struct sanitise *z, size_t i)
{
	if (i >= z->end)
		return AT_END;
	return z->mark[i] == MARK_TEXT ? (unsigned char)z->s[i] : AT_TAG;
}

static bool is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Does this text stand here?  A small letter in it stands for either case. */
static bool is_here(const struct sanitise *z, size_t i, const char *text)
{
	for (; *text; text++, i++)
		if (at(z, i) < 0 || ascii_lower((char)at(z, i)) != *text)
			return false;
	return true;
}

/* The first place of the text, or `to`. */
static size_t find(const struct sanitise *z, size_t i, size_t to, const char *text)
{
	while (i < to && !is_here(z, i, text))
		i++;
	return i;
}

static size_t skip_spaces(const struct sanitise *z, size_t i)
{
	while (is_space(at(z, i)))
		i++;
	return i;
}

static size_t skip_tags(const struct sanitise *z, size_t i)
{
	while (at(z, i) == AT_TAG)
		i++;
	return i;
}

static struct slice name_of(const struct sanitise *z, size_t from, size_t to,
			    char buf[NAME_MAX_LETTERS])
{
	size_t n = to - from;

	if (n > NAME_MAX_LETTERS)
		return (struct slice){ 0 };
	for (size_t i = 0; i < n; i++)
		buf[i] = ascii_lower(z->s[from + i]);
	return slice_of(buf, n);
}

/* ---- writing ----------------------------------------------------------------------------- */

static void emit(struct sanitise *z, size_t from, size_t to)
{
	buf_put(z->out, slice_of(z->s + from, to - from));
}

static void take_back(struct sanitise *z, size_t length)
{
	z->out->end = z->out->start + length;
}

static struct sanitise_finding *finding(struct sanitise *z, size_t i)
{
	struct sanitise_report *report = z->report;
	struct sanitise_finding *f;

	if (!report || report->total++ >= SANITISE_FINDINGS)
		return NULL;
	f = &report->findings[report->n++];
	f->line = f->column = 1;
	for (size_t k = 0; k < i; k++) {
		f->column += ((unsigned char)z->s[k] & 0xc0) != 0x80;
		if (z->s[k] == '\n') {
			f->line++;
			f->column = 1;
		}
	}
	return f;
}

static void tell(struct sanitise *z, size_t i, const char *what, struct slice name)
{
	struct sanitise_finding *f = finding(z, i);
	size_t n = MIN_OF(name.n, (size_t)NAME_MAX_LETTERS);

	while (n < name.n && n > 0 && ((unsigned char)name.p[n] & 0xc0) == 0x80)
		n--; /* whole characters */
	if (f)
		(void)snprintf(f->what, sizeof(f->what), "%s%s%.*s", what, n ? " " : "", (int)n,
			       name.p);
}

/* ---- attributes -------------------------------------------------------------------------- */

/* One tag while its attributes are read. */
struct tag {
	size_t from;
	enum sanitise_element element;
	bool keep; /* otherwise it is only skipped */
	bool odd;  /* a Mustache tag makes two readings of it */
	bool out;  /* what it says of itself puts it out */
	bool dropped, has_rel;
};
struct attr {
	size_t from, name_end, value, value_end, end;
	bool has_value, bad;
};

static bool ends_name(int c)
{
	return c < 0 || is_space(c) || c == '/' || c == '>';
}

/* A name or a bare value ends here at a Mustache tag.  With a section left out, what follows would
 * be part of it. */
static bool is_odd(const struct sanitise *z, size_t i)
{
	size_t k = skip_tags(z, i);

	for (size_t n = i; n < k; n++)
		if (z->mark[n] == MARK_OPEN)
			return true;
	return k != i && !ends_name(at(z, k));
}

static size_t read_bare(const struct sanitise *z, struct tag *t, struct attr *a, size_t i)
{
	a->value = i;
	while (at(z, i) >= 0 && !is_space(at(z, i)) && at(z, i) != '>') {
		a->bad |= strchr(i == a->value ? "\"'<=`" : "\"'<`", at(z, i)) != NULL;
		i++;
	}
	a->bad |= i == a->value;
	t->odd |= at(z, i) == AT_TAG;
	a->value_end = i;
	return i;
}

static size_t read_value(const struct sanitise *z, struct tag *t, struct attr *a, size_t i)
{
	int quote;

	a->has_value = true;
	i = skip_spaces(z, i);
	quote = at(z, i);
	if (quote != '"' && quote != '\'') {
		t->odd |= quote == AT_TAG;
		return read_bare(z, t, a, i);
	}
	a->value = ++i;
	while (i < z->end && at(z, i) != quote)
		i++;
	a->value_end = i;
	return i < z->end ? i + 1 : i;
}

static void read_attr(const struct sanitise *z, struct tag *t, struct attr *a, size_t i)
{
	size_t k;

	*a = (struct attr){ .from = i };
	if (at(z, i) == '=')
		i++;
	while (!ends_name(at(z, i)) && at(z, i) != '=')
		i++;
	a->name_end = a->end = i;
	t->odd |= is_odd(z, i);
	k = skip_spaces(z, i);
	if (at(z, k) == '=')
		a->end = read_value(z, t, a, k + 1);
	else if (at(z, k) == AT_TAG)
		while (is_space(at(z, k)) || at(z, k) == AT_TAG)
			k++;
	t->odd |= a->end == i && at(z, k) == '=';
}

static bool judge(struct sanitise *z, struct tag *t, enum sanitise_attr kind, const struct attr *a)
{
	struct slice value;

	sanitise_read(z, a->value, a->value_end, true);
	value = buf_data(&z->scratch);
	switch (kind) {
	case SANITISE_ATTR_KEEP:
		return true;
	case SANITISE_ATTR_LINK:
		return sanitise_url_is_fine(value, false);
	case SANITISE_ATTR_IMAGE:
		return sanitise_url_is_fine(value, true);
	case SANITISE_ATTR_SET:
		return sanitise_set_is_fine(value);
	case SANITISE_ATTR_STYLE:
		return sanitise_css_is_fine(value);
	case SANITISE_ATTR_HARMLESS:
		return sanitise_harmless(value);
	case SANITISE_ATTR_EQUIV:
		t->out |= !sanitise_equiv_is_fine(value);
		return true;
	case SANITISE_ATTR_REL:
		t->has_rel = true;
		t->out |= t->element == ELEMENT_LINK && !sanitise_rel_is_fine(value);
		return true;
	default:
		return false;
	}
}

/* In a conditional comment <noscript> may be kept; a program that runs scripts reads no markup in
 * it, so nothing but markup may end it. */
static bool ends_noscript(const struct sanitise *z, size_t from, size_t to)
{
	return z->conditional && find(z, from, to, "</noscript") != to;
}

static void take_attr(struct sanitise *z, struct tag *t, size_t gap, const struct attr *a)
{
	char buf[NAME_MAX_LETTERS];
	struct slice name = name_of(z, a->from, a->name_end, buf);
	enum sanitise_attr kind = sanitise_attr_of(t->element, name);
	bool fine;

	emit(z, gap, a->from); /* with its Mustache tags */
	fine = !a->bad && !ends_noscript(z, a->value, a->value_end) && judge(z, t, kind, a);
	if (!fine) {
		tell(z, a->from,
		     kind == SANITISE_ATTR_UNKNOWN ? "the attribute" : "the value of the attribute",
		     slice_of(z->s + a->from, a->name_end - a->from));
		t->dropped = true;
		return;
	}
	if (t->dropped && gap == a->from)
		buf_put(z->out, SLICE(" "));
	t->dropped = false;
	emit(z, a->from, a->end);
}

/* Up to and with ">".  SIZE_MAX: the tag has no end. */
static size_t read_attrs(struct sanitise *z, struct tag *t, size_t i)
{
	for (;;) {
		size_t gap = i;
		struct attr a;

		while (is_space(at(z, i)) || at(z, i) == '/' || at(z, i) == AT_TAG)
			i++;
		if (at(z, i) == AT_END)
			return SIZE_MAX;
		if (at(z, i) == '>') {
			if (t->keep)
				emit(z, gap, i + 1);
			return i + 1;
		}
		read_attr(z, t, &a, i);
		if (a.end >= z->end)
			return SIZE_MAX;
		if (t->keep)
			take_attr(z, t, gap, &a);
		i = a.end;
	}
}

/* ---- elements ---------------------------------------------------------------------------- */

/* Where the end tag of an element stands whose content is not markup; the end when it has none. */
static size_t find_end_tag(const struct sanitise *z, size_t i, struct slice name)
{
	char end[NAME_MAX_LETTERS + 3];

	(void)snprintf(end, sizeof(end), "</%.*s", (int)name.n, name.p);
	for (;; i++) {
		i = find(z, i, z->end, end);
		if (i == z->end ||
		    (at(z, i + name.n + 2) != AT_TAG && ends_name(at(z, i + name.n + 2))))
			return i;
	}
}

/* A Mustache tag right behind "<", or within what may be an end tag. */
static bool content_is_odd(const struct sanitise *z, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t k = i + 1;

		if (at(z, i) != '<')
			continue;
		k += at(z, k) == '/';
		while (k < to && is_letter(at(z, k)))
			k++;
		if (k < to && at(z, k) == AT_TAG)
			return true;
	}
	return false;
}

/* Takes what follows a start tag that was written at `start`. */
static size_t take_content(struct sanitise *z, const struct tag *t, struct slice name, size_t i,
			   size_t start)
{
	size_t end = find_end_tag(z, i, name), after;
	struct tag skipped = { 0 };
	bool fine = end < z->end && !content_is_odd(z, i, end) && !ends_noscript(z, i, end);

	after = end < z->end ? read_attrs(z, &skipped, end + 2 + name.n) : SIZE_MAX;
	fine &= after != SIZE_MAX;
	if (fine && t->element == ELEMENT_STYLE) {
		sanitise_read(z, i, end, false);
		fine = sanitise_css_is_fine(buf_data(&z->scratch));
	}
	if (!fine) {
		take_back(z, start);
		tell(z, t->from, "the element and its content:", name);
		return MIN_OF(after, z->end);
	}
	emit(z, i, end);
	buf_put(z->out, SLICE("</"));
	emit(z, end + 2, end + 2 + name.n);
	buf_put(z->out, SLICE(">"));
	return after;
}

static size_t skip_content(struct sanitise *z, struct slice name, size_t i)
{
	struct tag skipped = { 0 };
	size_t end = find_end_tag(z, i, name);

	if (end == z->end)
		return end;
	return MIN_OF(read_attrs(z, &skipped, end + 2 + name.n), z->end);
}

static size_t end_name(const struct sanitise *z, size_t i)
{
	while (!ends_name(at(z, i)))
		i++;
	return i;
}

static bool tag_stays(const struct tag *t)
{
	return t->keep && !t->odd && !t->out && (t->element != ELEMENT_LINK || t->has_rel);
}

static size_t start_tag(struct sanitise *z, size_t i)
{
	char buf[NAME_MAX_LETTERS];
	size_t name_end = end_name(z, i + 1), start = buf_len(z->out), after;
	struct slice name = name_of(z, i + 1, name_end, buf);
	struct tag t = { .from = i,
			 .element = sanitise_element_of(name, z->conditional),
			 .odd = at(z, name_end) == AT_TAG };

	t.keep = t.element != ELEMENT_UNKNOWN && t.element != ELEMENT_GONE;
	if (t.keep)
		emit(z, i, name_end);
	after = read_attrs(z, &t, name_end);
	if (after == SIZE_MAX) {
		take_back(z, start);
		tell(z, i, "a tag without an end", name);
		return z->end;
	}
	if (!tag_stays(&t)) {
		take_back(z, start);
		tell(z, i, "the element", slice_of(z->s + i + 1, name_end - i - 1));
	}
	if (t.element == ELEMENT_GONE)
		return skip_content(z, name, after);
	if (tag_stays(&t) && (t.element == ELEMENT_STYLE || t.element == ELEMENT_TITLE))
		return take_content(z, &t, name, after, start);
	return after;
}

static size_t end_tag(struct sanitise *z, size_t i)
{
	char buf[NAME_MAX_LETTERS];
	size_t name_end = end_name(z, i + 2);
	struct tag t = { 0 };
	enum sanitise_element element =
	    sanitise_element_of(name_of(z, i + 2, name_end, buf), z->conditional);
	bool odd = at(z, name_end) == AT_TAG;
	size_t after = read_attrs(z, &t, name_end);

	if (after == SIZE_MAX)
		return z->end;
	if (odd || t.odd || element == ELEMENT_UNKNOWN || element == ELEMENT_GONE)
		return after;
	if (skip_spaces(z, name_end) + 1 == after) {
		emit(z, i, after);
		return after;
	}
	emit(z, i, name_end);
	buf_put(z->out, SLICE(">"));
	return after;
}

/* ---- comments and declarations ----------------------------------------------------------- */

static size_t comment_end(const struct sanitise *z, size_t i)
{
	if (at(z, i) == '>')
		return i + 1;
	if (is_here(z, i, "->"))
		return i + 2;
	for (; i < z->end; i++) {
		if (is_here(z, i, "-->"))
			return i + 3;
		if (is_here(z, i, "--!>"))
			return i + 4;
	}
	return SIZE_MAX;
}

/* Would the comment end elsewhere with a section left out? */
static bool comment_is_odd(const struct sanitise *z, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t k;

		if (at(z, i) != AT_TAG)
			continue;
		k = skip_tags(z, i);
		if (at(z, i - 1) == '-' || at(z, k) == '-' || at(z, k) == '>' || at(z, k) == '!')
			return true;
		i = k;
	}
	return false;
}

static bool is_condition(const struct sanitise *z, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (at(z, i) < 0 ||
		    (!is_letter(at(z, i)) && !strchr(" 0123456789.()!&|", at(z, i))))
			return false;
	return true;
}

static bool ends_comment(struct slice s)
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if (s.p[i] == '-' && s.p[i + 1] == '-')
			for (size_t k = i + 2; k < s.n && k < i + 4; k++)
				if (s.p[k] == '>')
					return true;
	return false;
}

/* <!--[if mso]> ... <![endif]-->: some programs read it as markup, so it is judged as markup. */
static void take_conditional(struct sanitise *z, size_t i, size_t inner, size_t after)
{
	size_t end = z->end, start = buf_len(z->out), mark;
	size_t close = z->s[after - 2] == '!' ? 4 : 3;
	bool before = z->conditional;

	emit(z, i, inner);
	mark = buf_len(z->out);
	z->conditional = true;
	/* <!--[if !mso]><!--> has no content: the dashes of its end are those of a beginning. */
	if (inner + close <= after)
		walk(z, inner, after - close);
	z->conditional = before;
	z->end = end;
	if (ends_comment(slice_skip(buf_data(z->out), mark))) {
		take_back(z, start);
		tell(z, i, "a conditional comment", (struct slice){ 0 });
		return;
	}
	emit(z, MAX_OF(inner, after - close), after);
}

static size_t comment(struct sanitise *z, size_t i)
{
	size_t after = comment_end(z, i + 4), first = skip_spaces(z, i + 4), inner;

	if (after == SIZE_MAX) {
		size_t k = i + 4;

		while (is_space(at(z, k)) || at(z, k) == '-')
			k++;
		if (z->conditional && k == z->end)
			emit(z, i, z->end);
		else
			tell(z, i, "a comment without an end", (struct slice){ 0 });
		return z->end;
	}
	if (comment_is_odd(z, i + 4, after)) {
		tell(z, i, "a comment with a field beside its dashes", (struct slice){ 0 });
		return after;
	}
	if (!is_here(z, first, "[if")) {
		emit(z, i, after);
		return after;
	}
	inner = find(z, first, after, "]>");
	if (inner + 2 > after || !is_condition(z, first + 3, inner))
		tell(z, i, "a conditional comment", (struct slice){ 0 });
	else
		take_conditional(z, i, inner + 2, after);
	return after;
}

static bool is_plain(const struct sanitise *z, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (at(z, i) < 0 || strchr("<[]", at(z, i)))
			return false;
	return true;
}

/* <!doctype ...>, <![if ...]>, <![endif]>, <?xml ...>; the end of each is the first ">". */
static bool declaration_stays(const struct sanitise *z, size_t i, size_t end)
{
	if (is_here(z, i, "<!doctype"))
		return is_plain(z, i + 9, end);
	if (is_here(z, i, "<?xml ") || is_here(z, i, "<?xml:namespace "))
		return is_plain(z, i + 5, end);
	if (!is_here(z, i, "<![if") && !is_here(z, i, "<![endif"))
		return false;
	return end > i + 4 && at(z, end - 1) == ']' && is_condition(z, i + 3, end - 1);
}

static size_t declaration(struct sanitise *z, size_t i)
{
	size_t end = find(z, i, z->end, ">");
	bool stays = declaration_stays(z, i, end);

	if (end == z->end) {
		/* <![endif]--> and <!--[if !mso]><!--> */
		stays &= is_here(z, i, "<![");
		if (z->conditional && (stays || i + 2 == end))
			emit(z, i, end);
		else
			tell(z, i, "a declaration without an end", (struct slice){ 0 });
		return end;
	}
	if (stays)
		emit(z, i, end + 1);
	else
		tell(z, i, "a declaration", (struct slice){ 0 });
	return end + 1;
}

/* ---- the walk ---------------------------------------------------------------------------- */

static size_t bare_lt(struct sanitise *z, size_t i)
{
	/* What follows may be left out, and what is behind it would then make a tag. */
	bool alone = at(z, i + 1) >= 0 && at(z, i + 1) != '<';

	buf_put(z->out, alone ? SLICE("<") : SLICE("&lt;"));
	return i + 1;
}

static size_t markup(struct sanitise *z, size_t i)
{
	int c = at(z, i + 1), d = at(z, i + 2);

	if (is_letter(c))
		return start_tag(z, i);
	if (c == '/' && is_letter(d))
		return end_tag(z, i);
	if (is_here(z, i, "<!--"))
		return comment(z, i);
	if (c == '!' || c == '?')
		return declaration(z, i);
	if (c != '/')
		return bare_lt(z, i);
	if (d < 0) {
		buf_put(z->out, SLICE("&lt;"));
		return i + 1;
	}
	tell(z, i, "a tag without a name", (struct slice){ 0 });
	return MIN_OF(find(z, i, z->end, ">") + 1, z->end);
}

static void walk(struct sanitise *z, size_t from, size_t end)
{
	z->end = end;
	while (from < end) {
		size_t i = from;

		while (i < end && at(z, i) != '<')
			i++;
		emit(z, from, i);
		from = i < end ? markup(z, i) : end;
	}
}

static enum sanitise_mark mark_of(enum tag_kind kind)
{
	switch (kind) {
	case TAG_SECTION:
	case TAG_INVERTED:
		return MARK_OPEN;
	case TAG_CLOSE:
		return MARK_CLOSE;
	case TAG_NONE:
	case TAG_END:
		return MARK_NONE;
	default:
		return MARK_SLOT;
	}
}

/* Marks what is not literal text. */
static int mark_tags(struct sanitise *z, struct slice source)
{
	struct mustache m;
	struct mustache_tag t;
	const char *why;

	mustache_init(&m, source);
	do {
		int r = mustache_next(&m, &t, &why);
		size_t from = (size_t)(t.literal.p - source.p) + t.literal.n;

		if (r < 0)
			return r;
		for (size_t i = from; i < m.pos; i++)
			z->mark[i] = (uint8_t)(i == from ? mark_of(t.kind) : MARK_MORE);
	} while (t.kind != TAG_END);
	return 0;
}

static int sanitise_once(struct buf *out, struct slice html, struct sanitise_report *report)
{
	struct sanitise z = { .s = html.p, .n = html.n, .out = out, .report = report };
	int r;

	z.mark = must_alloc(html.n + 1);
	buf_init(&z.scratch, 0);
	r = mark_tags(&z, html);
	if (r >= 0)
		walk(&z, 0, html.n);
	buf_free(&z.scratch);
	free(z.mark);
	return r;
}

/* What was left out may have changed the delimiters; then the rest is read in another way now. */
enum { ROUNDS_MAX = 8 };

int sanitise_html(struct buf *out, struct slice html, struct sanitise_report *report)
{
	struct buf before;
	int r = html.n > TEMPLATE_SOURCE_MAX ? E_LIMIT : 0;
	bool same = false;

	if (report)
		*report = (struct sanitise_report){ 0 };
	buf_init(&before, 0);
	buf_put(&before, html);
	for (unsigned i = 0; r >= 0 && !same; i++) {
		if (i == ROUNDS_MAX)
			r = E_LIMIT;
		buf_clear(out);
		if (r >= 0)
			r = sanitise_once(out, buf_data(&before), i ? NULL : report);
		same = slice_eq(buf_data(&before), buf_data(out));
		buf_clear(&before);
		buf_put(&before, buf_data(out));
	}
	buf_free(&before);
	return r;
}
