/* message/html.c - the states of the HTML tokenizer. */
#include "message/html.h"

/* The first byte of an attribute name that html_join() left unknown. */
enum { UNKNOWN = '\x02' };
enum attr_class { ATTR_PLAIN, ATTR_URL, ATTR_CSS, ATTR_REFUSED };

static const struct {
	const char *name;
	enum attr_class class;
} attrs[] = {
	{ "href", ATTR_URL },
	{ "src", ATTR_URL },
	{ "xlink:href", ATTR_URL },
	{ "action", ATTR_URL },
	{ "formaction", ATTR_URL },
	{ "background", ATTR_URL },
	{ "cite", ATTR_URL },
	{ "longdesc", ATTR_URL },
	{ "lowsrc", ATTR_URL },
	{ "dynsrc", ATTR_URL },
	{ "poster", ATTR_URL },
	{ "data", ATTR_URL },
	{ "ping", ATTR_URL },
	{ "manifest", ATTR_URL },
	{ "usemap", ATTR_URL },
	{ "codebase", ATTR_URL },
	{ "classid", ATTR_URL },
	{ "profile", ATTR_URL },
	{ "style", ATTR_CSS },
	{ "srcdoc", ATTR_REFUSED },
	{ "srcset", ATTR_REFUSED },
	{ "imagesrcset", ATTR_REFUSED },
	{ "archive", ATTR_REFUSED },
	{ "http-equiv", ATTR_REFUSED },
	{ "attributename", ATTR_REFUSED }, /* of SVG animations, whose values may become URLs */
	{ "values", ATTR_REFUSED },
	{ "from", ATTR_REFUSED },
	{ "to", ATTR_REFUSED },
};

/* Elements whose content is not markup. */
static const struct {
	const char *name;
	enum html_state state;
} contents[] = {
	{ "title", HTML_RCDATA },      { "textarea", HTML_RCDATA },  { "script", HTML_RAWTEXT },
	{ "style", HTML_RAWTEXT },     { "xmp", HTML_RAWTEXT },      { "iframe", HTML_RAWTEXT },
	{ "noembed", HTML_RAWTEXT },   { "noframes", HTML_RAWTEXT }, { "noscript", HTML_RAWTEXT },
	{ "plaintext", HTML_RAWTEXT },
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_letter(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

/* A name longer than all in the tables is cut and equals none of them. */
static void add(char *name, size_t size, uint8_t *n, char c)
{
	if (*n == size - 1) {
		name[*n - 1] = '\x01';
		return;
	}
	name[(*n)++] = ascii_lower(c);
	name[*n] = '\0';
}

static void begin_tag(struct html *h, bool end)
{
	h->state = end ? HTML_END_TAG : HTML_TAG;
	h->end_tag = end;
	h->n = 0;
	h->tag[0] = '\0';
}

static void begin_attr(struct html *h, char c)
{
	h->state = HTML_NAME;
	h->n = 0;
	h->name[0] = '\0';
	add(h->name, sizeof(h->name), &h->n, c);
}

static enum attr_class classify(const struct html *h)
{
	if (h->name[0] == 'o' && h->name[1] == 'n')
		return ATTR_REFUSED;
	if (h->name[0] == UNKNOWN)
		return ATTR_REFUSED;
	if (strcmp(h->tag, "meta") == 0 && strcmp(h->name, "content") == 0)
		return ATTR_REFUSED;
	for (size_t i = 0; i < ARRAY_LEN(attrs); i++)
		if (strcmp(h->name, attrs[i].name) == 0)
			return attrs[i].class;
	return ATTR_PLAIN;
}

static void end_tag(struct html *h) /* at ">" */
{
	h->state = HTML_TEXT;
	h->n = 0;
	for (size_t i = 0; i < ARRAY_LEN(contents) && !h->end_tag; i++)
		if (strcmp(h->tag, contents[i].name) == 0)
			h->state = (uint8_t)contents[i].state;
}

static void feed_text(struct html *h, char c)
{
	if (c == '<')
		h->state = HTML_LT;
}

static void feed_lt(struct html *h, char c)
{
	if (c == '/') {
		begin_tag(h, true);
	} else if (c == '!') {
		h->state = HTML_BANG;
		h->n = 0;
	} else if (c == '?') {
		h->state = HTML_DECL;
	} else if (is_letter(c)) {
		begin_tag(h, false);
		add(h->tag, sizeof(h->tag), &h->n, c);
	} else {
		h->state = c == '<' ? HTML_LT : HTML_TEXT;
	}
}

static void feed_tag(struct html *h, char c)
{
	if (h->state == HTML_END_TAG && h->n == 0 && !is_letter(c))
		h->state = c == '>' ? HTML_TEXT : HTML_DECL; /* "</ x>" is a bogus comment */
	else if (c == '>')
		end_tag(h);
	else if (is_space(c) || c == '/')
		h->state = HTML_GAP;
	else
		add(h->tag, sizeof(h->tag), &h->n, c);
}

static void feed_gap(struct html *h, char c)
{
	if (c == '>')
		end_tag(h);
	else if (!is_space(c) && c != '/')
		begin_attr(h, c);
}

static void feed_name(struct html *h, char c)
{
	if (c == '=') {
		h->attr = (uint8_t)classify(h);
		h->state = HTML_BEFORE_VALUE;
		h->at_start = true;
	} else if (c == '>') {
		end_tag(h);
	} else if (is_space(c)) {
		h->state = HTML_AFTER_NAME;
	} else if (c == '/') {
		h->state = HTML_GAP;
	} else if (h->state == HTML_AFTER_NAME) {
		begin_attr(h, c);
	} else {
		add(h->name, sizeof(h->name), &h->n, c);
	}
}

static void feed_before_value(struct html *h, char c)
{
	if (c == '"')
		h->state = HTML_DOUBLE;
	else if (c == '\'')
		h->state = HTML_SINGLE;
	else if (c == '>')
		end_tag(h);
	else if (!is_space(c))
		h->state = HTML_BARE;
}

static void feed_value(struct html *h, char c)
{
	char quote = h->state == HTML_DOUBLE ? '"' : '\'';

	if (h->state == HTML_BARE && c == '>')
		end_tag(h);
	else if (h->state == HTML_BARE ? is_space(c) : c == quote)
		h->state = HTML_GAP;
	else if (!is_space(c))
		h->at_start = false; /* browsers strip white space before a URL */
}

static void feed_bang(struct html *h, char c)
{
	if (c == '-' && ++h->n == 2) {
		h->state = HTML_COMMENT;
		h->n = 0;
		h->dashes = 2; /* so that "<!-->" is whole */
	} else if (c == '>') {
		h->state = HTML_TEXT;
	} else if (c != '-') {
		if (c == '[')
			h->conditional = false; /* <![endif]--> */
		h->state = HTML_DECL;
	}
}

static void feed_decl(struct html *h, char c)
{
	if (c == '>')
		h->state = HTML_TEXT;
}

static void feed_comment(struct html *h, char c)
{
	static const char condition[] = "[if";

	if (c == '>' && h->dashes >= 2) {
		h->state = HTML_TEXT;
		h->conditional = false;
		return;
	}
	if (h->n < 3 && ascii_lower(c) == condition[h->n]) {
		if (++h->n == 3)
			h->state = HTML_IF;
	} else {
		h->n = 4; /* only right after "<!--" */
	}
	if (c == '-')
		h->dashes = h->dashes < 2 ? h->dashes + 1 : 2;
	else if (c != '!' || h->dashes < 2) /* "--!>" ends it too */
		h->dashes = 0;
}

static void feed_if(struct html *h, char c)
{
	if (c == '>') {
		h->state = HTML_TEXT;
		h->conditional = true;
	}
}

/* Only its own end tag ends such an element. */
static void feed_content(struct html *h, char c)
{
	size_t tag_n = strlen(h->tag);
	bool match = h->n == 0   ? c == '<'
		     : h->n == 1 ? c == '/'
				 : h->n < tag_n + 2 && ascii_lower(c) == h->tag[h->n - 2];

	if (match) {
		h->n++;
	} else if (h->n == tag_n + 2 && (is_space(c) || c == '/' || c == '>')) {
		h->end_tag = true;
		h->state = HTML_GAP;
		if (c == '>')
			end_tag(h);
	} else {
		h->n = c == '<';
	}
}

static void (*const feeders[])(struct html *h, char c) = {
	[HTML_TEXT] = feed_text,       [HTML_LT] = feed_lt,
	[HTML_TAG] = feed_tag,         [HTML_END_TAG] = feed_tag,
	[HTML_GAP] = feed_gap,         [HTML_NAME] = feed_name,
	[HTML_AFTER_NAME] = feed_name, [HTML_DOUBLE] = feed_value,
	[HTML_SINGLE] = feed_value,    [HTML_BEFORE_VALUE] = feed_before_value,
	[HTML_BARE] = feed_value,      [HTML_BANG] = feed_bang,
	[HTML_DECL] = feed_decl,       [HTML_COMMENT] = feed_comment,
	[HTML_IF] = feed_if,           [HTML_RCDATA] = feed_content,
	[HTML_RAWTEXT] = feed_content,
};

const char *html_feed(struct html *h, char c)
{
	bool in_comment = h->state == HTML_COMMENT || h->conditional;
	bool after = h->after_slot;

	h->after_slot = false;
	/* A value may end in "-": the text after it must not end the comment. */
	if (after && in_comment && (c == '-' || c == '>' || c == '!'))
		return "put a space between this field and what follows: together they could end "
		       "the comment";
	feeders[h->state](h, c);
	return NULL;
}

static const char *const refusals[] = {
	[HTML_LT] = "a field cannot be a tag's name",
	[HTML_TAG] = "a field cannot be part of a tag's name",
	[HTML_END_TAG] = "a field cannot be part of a tag's name",
	[HTML_GAP] = "a field cannot stand in a tag outside of an attribute's value",
	[HTML_NAME] = "a field cannot be part of an attribute's name",
	[HTML_AFTER_NAME] = "a field cannot stand in a tag outside of an attribute's value",
	[HTML_BEFORE_VALUE] = "put the attribute's value in quotes",
	[HTML_BARE] = "put the attribute's value in quotes",
	[HTML_BANG] = "a field cannot stand here",
	[HTML_DECL] = "a field cannot stand in a declaration",
	[HTML_IF] = "a field cannot stand in the condition of a comment",
	[HTML_RAWTEXT] = "a field cannot stand in <script>, <style> and the like",
};

static const char *slot_in_value(struct html *h, enum escape *ret)
{
	switch ((enum attr_class)h->attr) {
	case ATTR_URL:
		*ret = h->at_start ? ESCAPE_URL : ESCAPE_URL_PART;
		break;
	case ATTR_CSS:
		*ret = ESCAPE_CSS;
		break;
	case ATTR_PLAIN:
		*ret = ESCAPE_ATTR;
		break;
	default:
		return "a field cannot stand in this attribute";
	}
	h->at_start = false;
	return NULL;
}

const char *html_slot(struct html *h, bool raw, enum escape *ret)
{
	if (refusals[h->state])
		return refusals[h->state];
	if (raw && (h->state != HTML_TEXT || h->conditional))
		return "an unescaped field can stand only in the text of the page; use {{ }}";
	h->after_slot = true;
	if (h->state == HTML_DOUBLE || h->state == HTML_SINGLE)
		return slot_in_value(h, ret);
	*ret = raw ? ESCAPE_RAW : ESCAPE_HTML;
	if (h->state == HTML_COMMENT)
		h->n = 4;
	else if (h->state != HTML_TEXT)
		h->n = 0;
	return NULL;
}

static bool in_tag(const struct html *h)
{
	return h->state == HTML_GAP || h->state == HTML_NAME || h->state == HTML_AFTER_NAME;
}

bool html_join(struct html *h, const struct html *before)
{
	bool same_tag = strcmp(h->tag, before->tag) == 0 && h->end_tag == before->end_tag;

	if (h->conditional != before->conditional)
		return false;
	h->after_slot |= before->after_slot;
	if (in_tag(h) && in_tag(before)) {
		/* The values decide which name was begun, so it is not known. */
		if (h->state != before->state || strcmp(h->name, before->name) != 0)
			begin_attr(h, UNKNOWN);
		return same_tag;
	}
	if (h->state != before->state)
		return false;
	switch (h->state) {
	case HTML_TEXT:
		return true;
	case HTML_DOUBLE:
	case HTML_SINGLE:
		h->at_start |= before->at_start;
		return same_tag && h->attr == before->attr;
	case HTML_COMMENT:
		h->dashes = MAX_OF(h->dashes, before->dashes);
		return true;
	case HTML_RCDATA:
	case HTML_RAWTEXT:
		return same_tag && h->n == before->n;
	default:
		return false;
	}
}
