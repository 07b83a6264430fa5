/* control/campaigns/footer.c - is there a link in this part, where does the footer go, and how is
 * it written there? */
#include "control/campaigns/footer.h"

#include "message/html.h"
#include "message/mustache.h"
#include "message/template.h"

#define LINK_FIELD SLICE("unsubscribe_url")

/* ---- what the part holds ----------------------------------------------------------------- */

struct footer_place {
	struct mustache m;
	struct html html;
	bool is_html, linked;
	bool in_link; /* an <a> with the link is open, and there is nothing in it to see yet */
	unsigned depth, foreign; /* sections that are open; those that are not over the link */
	bool over_link[TEMPLATE_DEPTH_MAX];
	size_t lt;   /* the last "<" */
	size_t body; /* of </body>, or of the end */
	struct slice open, close;
};

static void place_here(struct footer_place *p, size_t at)
{
	p->body = at;
	p->open = p->m.open;
	p->close = p->m.close;
}

/* A link with nothing to click on is none. */
static void place_seen(struct footer_place *p)
{
	p->linked |= p->in_link && !p->foreign && !p->html.conditional;
}

/* What one more byte of the source made of the page. */
static void place_in_link(struct footer_place *p, uint8_t before, char c)
{
	struct html *h = &p->html;

	if (!p->in_link || h->state != HTML_TEXT)
		return;
	if (before == HTML_TEXT && !strchr(" \t\r\n", c))
		place_seen(p);
	else if (before != HTML_TEXT && h->end_tag && strcmp(h->tag, "a") == 0)
		p->in_link = false;
	else if (before != HTML_TEXT && !h->end_tag && strcmp(h->tag, "img") == 0)
		place_seen(p);
}

static void place_literal(struct footer_place *p, struct slice s)
{
	for (size_t i = 0; p->is_html && i < s.n; i++) {
		struct html *h = &p->html;
		uint8_t before = h->state;

		(void)html_feed(h, s.p[i]);
		if (before == HTML_TEXT && h->state == HTML_LT)
			p->lt = (size_t)(s.p - p->m.source.p) + i;
		place_in_link(p, before, s.p[i]);
		if ((before == HTML_END_TAG || before == HTML_GAP) && h->state == HTML_TEXT &&
		    h->end_tag && !p->depth && !h->conditional && strcmp(h->tag, "body") == 0)
			place_here(p, p->lt);
	}
}

static bool is_href(const struct html *h)
{
	return (h->state == HTML_DOUBLE || h->state == HTML_SINGLE) && h->at_start &&
	       !h->conditional && strcmp(h->tag, "a") == 0 && strcmp(h->name, "href") == 0;
}

static void place_slot(struct footer_place *p, struct slice name)
{
	enum escape escape;

	if (p->is_html && p->html.state == HTML_TEXT)
		place_seen(p);
	if (!p->foreign && slice_eq(name, LINK_FIELD)) {
		p->linked |= !p->is_html;
		p->in_link |= p->is_html && is_href(&p->html);
	}
	if (p->is_html)
		(void)html_slot(&p->html, false, &escape);
}

static void place_section(struct footer_place *p, const struct mustache_tag *t)
{
	bool over = t->kind == TAG_SECTION && slice_eq(t->name, LINK_FIELD);

	if (p->depth < TEMPLATE_DEPTH_MAX)
		p->over_link[p->depth] = over;
	p->depth++;
	p->foreign += !over;
}

static void place_close(struct footer_place *p)
{
	if (!p->depth)
		return;
	p->depth--;
	p->foreign -= p->depth >= TEMPLATE_DEPTH_MAX || !p->over_link[p->depth];
}

static void place_tag(struct footer_place *p, const struct mustache_tag *t)
{
	switch (t->kind) {
	case TAG_SLOT:
	case TAG_RAW:
		place_slot(p, t->name);
		break;
	case TAG_SECTION:
	case TAG_INVERTED:
		place_section(p, t);
		break;
	case TAG_CLOSE:
		place_close(p);
		break;
	default:
		break;
	}
}

static void place_find(struct footer_place *p, struct slice source, bool is_html)
{
	struct mustache_tag t;
	const char *why;

	*p = (struct footer_place){ .is_html = is_html, .body = SIZE_MAX };
	mustache_init(&p->m, source);
	/* A template that cannot be read is refused when it is compiled. */
	while (mustache_next(&p->m, &t, &why) >= 0) {
		place_literal(p, t.literal);
		if (t.kind == TAG_END)
			break;
		place_tag(p, &t);
	}
	if (p->body == SIZE_MAX)
		place_here(p, source.n);
}

/* ---- the footer -------------------------------------------------------------------------- */

/* Between other delimiters the footer's own tags are written with the usual ones. */
static bool has_own_delimiters(const struct footer_place *p)
{
	return !slice_eq(p->open, SLICE("{{")) || !slice_eq(p->close, SLICE("}}"));
}

static void put_delimiters(struct buf *out, const struct footer_place *p, bool usual)
{
	if (!has_own_delimiters(p))
		return;
	buf_put(out, usual ? p->open : SLICE("{{"));
	buf_put(out, SLICE("="));
	buf_put(out, usual ? SLICE("{{") : p->open);
	buf_put(out, SLICE(" "));
	buf_put(out, usual ? SLICE("}}") : p->close);
	buf_put(out, SLICE("="));
	buf_put(out, usual ? p->close : SLICE("}}"));
}

static void skip_blanks(struct slice *s)
{
	while (slice_strip(s, SLICE(" ")))
		;
}

/* Takes what stands before the place of the link; false: there is no such place. */
static bool take_mark(struct slice *rest, struct slice *ret_before)
{
	for (size_t i = 0; i + 1 < rest->n; i++) {
		struct slice s = slice_skip(*rest, i);

		if (!slice_strip(&s, SLICE("{{")))
			continue;
		skip_blanks(&s);
		if (!slice_strip(&s, LINK_FIELD))
			continue;
		skip_blanks(&s);
		if (!slice_strip(&s, SLICE("}}")))
			continue;
		*ret_before = slice_of(rest->p, i);
		*rest = s;
		return true;
	}
	*ret_before = *rest;
	return false;
}

static struct slice entity_of(char c)
{
	switch (c) {
	case '&':
		return SLICE("&amp;");
	case '<':
		return SLICE("&lt;");
	case '>':
		return SLICE("&gt;");
	case '"':
		return SLICE("&quot;");
	case '{':
		return SLICE("&#123;");
	case '\n':
		return SLICE("<br>\n");
	case '\r':
		return SLICE("");
	default:
		return (struct slice){ 0 };
	}
}

static void put_words(struct buf *out, struct slice s, bool is_html)
{
	for (size_t i = 0; i < s.n; i++) {
		struct slice entity = is_html ? entity_of(s.p[i]) : (struct slice){ 0 };

		if (entity.p)
			buf_put(out, entity);
		else if (!is_html && i && s.p[i] == '{' && s.p[i - 1] == '{')
			buf_put(out, SLICE(" {")); /* no tag */
		else
			buf_put(out, slice_of(s.p + i, 1));
	}
}

static void put_link(struct buf *out, bool is_html)
{
	buf_put(out, is_html ? SLICE("<a href=\"{{unsubscribe_url}}\">Unsubscribe</a>")
			     : SLICE("{{unsubscribe_url}}"));
}

static void put_footer(struct buf *out, struct slice footer, bool is_html)
{
	struct slice words;
	bool marked = false;

	while (take_mark(&footer, &words)) {
		put_words(out, words, is_html);
		put_link(out, is_html);
		marked = true;
	}
	put_words(out, words, is_html);
	if (marked)
		return;
	buf_put(out, is_html ? SLICE("<br>\n") : SLICE("\n\nUnsubscribe: "));
	put_link(out, is_html);
}

void footer_put_html(struct buf *out, struct slice html, struct slice footer)
{
	struct footer_place p;

	place_find(&p, html, true);
	if (!html.n || !footer.n || p.linked) {
		buf_put(out, html);
		return;
	}
	buf_put(out, slice_of(html.p, p.body));
	put_delimiters(out, &p, true);
	buf_put(out, SLICE("<div style=\"margin:24px 0 0;padding:16px;text-align:center;"
			   "font:12px/18px sans-serif;color:#555555\">\n"));
	put_footer(out, footer, true);
	buf_put(out, SLICE("\n</div>\n"));
	put_delimiters(out, &p, false);
	buf_put(out, slice_skip(html, p.body));
}

void footer_put_text(struct buf *out, struct slice text, struct slice footer)
{
	struct footer_place p;

	place_find(&p, text, false);
	buf_put(out, text);
	if (!text.n || !footer.n || p.linked)
		return;
	put_delimiters(out, &p, true);
	buf_put(out, SLICE("\n\n-- \n"));
	put_footer(out, footer, false);
	buf_put(out, SLICE("\n"));
}
