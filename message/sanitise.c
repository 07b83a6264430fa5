/* message/sanitise.c - walks through an HTML part, markup by markup, and leaves out what mail must
 * not carry.  Mustache tags take no room: what stands on either side of one is side by side. */
#include "message/sanitise.h"

#include <stdio.h>

#include "message/mustache.h"
#include "message/sanitise_int.h"
#include "message/template.h"

enum { NAME_MAX_LETTERS = 40 };

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

void sanitise_emit(struct sanitise *z, size_t from, size_t to)
{
	buf_put(z->out, slice_of(z->s + from, to - from));
}

void sanitise_take_back(struct sanitise *z, size_t length)
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

void sanitise_tell(struct sanitise *z, size_t i, const char *what, struct slice name)
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
	return c < 0 || sanitise_is_space(c) || c == '/' || c == '>';
}

/* A name or a bare value ends here at a Mustache tag.  With a section left out, what follows would
 * be part of it. */
static bool is_odd(const struct sanitise *z, size_t i)
{
	size_t k = sanitise_skip_tags(z, i);

	for (size_t n = i; n < k; n++)
		if (z->mark[n] == MARK_OPEN)
			return true;
	return k != i && !ends_name(sanitise_at(z, k));
}

static size_t read_bare(const struct sanitise *z, struct tag *t, struct attr *a, size_t i)
{
	a->value = i;
	while (sanitise_at(z, i) >= 0 && !sanitise_is_space(sanitise_at(z, i)) &&
	       sanitise_at(z, i) != '>') {
		a->bad |= strchr(i == a->value ? "\"'<=`" : "\"'<`", sanitise_at(z, i)) != NULL;
		i++;
	}
	a->bad |= i == a->value;
	t->odd |= sanitise_at(z, i) == AT_TAG;
	a->value_end = i;
	return i;
}

static size_t read_value(const struct sanitise *z, struct tag *t, struct attr *a, size_t i)
{
	int quote;

	a->has_value = true;
	i = sanitise_skip_spaces(z, i);
	quote = sanitise_at(z, i);
	if (quote != '"' && quote != '\'') {
		t->odd |= quote == AT_TAG;
		return read_bare(z, t, a, i);
	}
	a->value = ++i;
	while (i < z->end && sanitise_at(z, i) != quote)
		i++;
	a->value_end = i;
	return i < z->end ? i + 1 : i;
}

static void read_attr(const struct sanitise *z, struct tag *t, struct attr *a, size_t i)
{
	size_t k;

	*a = (struct attr){ .from = i };
	if (sanitise_at(z, i) == '=')
		i++;
	while (!ends_name(sanitise_at(z, i)) && sanitise_at(z, i) != '=')
		i++;
	a->name_end = a->end = i;
	t->odd |= is_odd(z, i);
	k = sanitise_skip_spaces(z, i);
	if (sanitise_at(z, k) == '=')
		a->end = read_value(z, t, a, k + 1);
	else if (sanitise_at(z, k) == AT_TAG)
		while (sanitise_is_space(sanitise_at(z, k)) || sanitise_at(z, k) == AT_TAG)
			k++;
	t->odd |= a->end == i && sanitise_at(z, k) == '=';
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
	return z->conditional && sanitise_find(z, from, to, "</noscript") != to;
}

static void take_attr(struct sanitise *z, struct tag *t, size_t gap, const struct attr *a)
{
	char buf[NAME_MAX_LETTERS];
	struct slice name = name_of(z, a->from, a->name_end, buf);
	enum sanitise_attr kind = sanitise_attr_of(t->element, name);
	bool fine;

	sanitise_emit(z, gap, a->from); /* with its Mustache tags */
	fine = !a->bad && !ends_noscript(z, a->value, a->value_end) && judge(z, t, kind, a);
	if (!fine) {
		sanitise_tell(z, a->from,
			      kind == SANITISE_ATTR_UNKNOWN ? "the attribute"
							    : "the value of the attribute",
			      slice_of(z->s + a->from, a->name_end - a->from));
		t->dropped = true;
		return;
	}
	if (t->dropped && gap == a->from)
		buf_put(z->out, SLICE(" "));
	t->dropped = false;
	sanitise_emit(z, a->from, a->end);
}

/* Up to and with ">".  SIZE_MAX: the tag has no end. */
static size_t read_attrs(struct sanitise *z, struct tag *t, size_t i)
{
	for (;;) {
		size_t gap = i;
		struct attr a;

		while (sanitise_is_space(sanitise_at(z, i)) || sanitise_at(z, i) == '/' ||
		       sanitise_at(z, i) == AT_TAG)
			i++;
		if (sanitise_at(z, i) == AT_END)
			return SIZE_MAX;
		if (sanitise_at(z, i) == '>') {
			if (t->keep)
				sanitise_emit(z, gap, i + 1);
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
		i = sanitise_find(z, i, z->end, end);
		if (i == z->end || (sanitise_at(z, i + name.n + 2) != AT_TAG &&
				    ends_name(sanitise_at(z, i + name.n + 2))))
			return i;
	}
}

/* A Mustache tag right behind "<", or within what may be an end tag. */
static bool content_is_odd(const struct sanitise *z, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t k = i + 1;

		if (sanitise_at(z, i) != '<')
			continue;
		k += sanitise_at(z, k) == '/';
		while (k < to && sanitise_is_letter(sanitise_at(z, k)))
			k++;
		if (k < to && sanitise_at(z, k) == AT_TAG)
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
		sanitise_take_back(z, start);
		sanitise_tell(z, t->from, "the element and its content:", name);
		return MIN_OF(after, z->end);
	}
	sanitise_emit(z, i, end);
	buf_put(z->out, SLICE("</"));
	sanitise_emit(z, end + 2, end + 2 + name.n);
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
	while (!ends_name(sanitise_at(z, i)))
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
			 .odd = sanitise_at(z, name_end) == AT_TAG };

	t.keep = t.element != ELEMENT_UNKNOWN && t.element != ELEMENT_GONE;
	if (t.keep)
		sanitise_emit(z, i, name_end);
	after = read_attrs(z, &t, name_end);
	if (after == SIZE_MAX) {
		sanitise_take_back(z, start);
		sanitise_tell(z, i, "a tag without an end", name);
		return z->end;
	}
	if (!tag_stays(&t)) {
		sanitise_take_back(z, start);
		sanitise_tell(z, i, "the element", slice_of(z->s + i + 1, name_end - i - 1));
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
	bool odd = sanitise_at(z, name_end) == AT_TAG;
	size_t after = read_attrs(z, &t, name_end);

	if (after == SIZE_MAX)
		return z->end;
	if (odd || t.odd || element == ELEMENT_UNKNOWN || element == ELEMENT_GONE)
		return after;
	if (sanitise_skip_spaces(z, name_end) + 1 == after) {
		sanitise_emit(z, i, after);
		return after;
	}
	sanitise_emit(z, i, name_end);
	buf_put(z->out, SLICE(">"));
	return after;
}

/* ---- the walk ---------------------------------------------------------------------------- */

static size_t bare_lt(struct sanitise *z, size_t i)
{
	/* What follows may be left out, and what is behind it would then make a tag. */
	bool alone = sanitise_at(z, i + 1) >= 0 && sanitise_at(z, i + 1) != '<';

	buf_put(z->out, alone ? SLICE("<") : SLICE("&lt;"));
	return i + 1;
}

static size_t markup(struct sanitise *z, size_t i)
{
	int c = sanitise_at(z, i + 1), d = sanitise_at(z, i + 2);

	if (sanitise_is_letter(c))
		return start_tag(z, i);
	if (c == '/' && sanitise_is_letter(d))
		return end_tag(z, i);
	if (sanitise_is_here(z, i, "<!--"))
		return sanitise_comment(z, i);
	if (c == '!' || c == '?')
		return sanitise_declaration(z, i);
	if (c != '/')
		return bare_lt(z, i);
	if (d < 0) {
		buf_put(z->out, SLICE("&lt;"));
		return i + 1;
	}
	sanitise_tell(z, i, "a tag without a name", (struct slice){ 0 });
	return MIN_OF(sanitise_find(z, i, z->end, ">") + 1, z->end);
}

void sanitise_walk(struct sanitise *z, size_t from, size_t end)
{
	z->end = end;
	while (from < end) {
		size_t i = from;

		while (i < end && sanitise_at(z, i) != '<')
			i++;
		sanitise_emit(z, from, i);
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
		sanitise_walk(&z, 0, html.n);
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
