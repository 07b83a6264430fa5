/* tests/unit/message/parsed.c - looks through gumbo's tree, and through conditional comments as
 * programs that honour them do. */
#include "tests/unit/message/parsed.h"

#include <gumbo.h>
#include <stdio.h>

static char bad[200];
static bool conditional; /* looking into a conditional comment */

static const char *note(const char *what, const char *name)
{
	(void)snprintf(bad, sizeof(bad), "%s %.100s", what, name);
	return bad;
}

static bool begins(const char *s, const char *start)
{
	return strncasecmp(s, start, strlen(start)) == 0;
}

/* As a browser reads a URL: no controls before it, no tab and line end in it. */
static void clean_url(const char *value, char *ret, size_t cap)
{
	size_t n = 0;

	while (*value && (unsigned char)*value <= ' ')
		value++;
	for (; *value && n + 1 < cap; value++)
		if (!strchr("\t\r\n", *value))
			ret[n++] = *value;
	ret[n] = '\0';
}

static const char *check_attr(const GumboAttribute *a)
{
	static const char *const never[] = { "formaction", "srcdoc", "action",   "data",   "ping",
					     "dynsrc",     "code",   "codebase", "archive" };
	char url[128];

	if (begins(a->name, "on"))
		return note("attribute", a->name);
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (strcmp(a->name, never[i]) == 0)
			return note("attribute", a->name);
	if (strcmp(a->name, "title") == 0 || strcmp(a->name, "alt") == 0)
		return NULL;
	clean_url(a->value, url, sizeof(url));
	if (begins(url, "javascript:") || begins(url, "vbscript:"))
		return note("URL in", a->name);
	if (begins(url, "data:") && !begins(url, "data:image/") && strcmp(a->name, "content"))
		return note("data in", a->name);
	if (strcmp(a->name, "href") == 0 && begins(url, "data:"))
		return note("data in", a->name);
	if (strcmp(a->name, "style") == 0 &&
	    (strcasestr(a->value, "expression(") || strcasestr(a->value, "-moz-binding")))
		return note("style", a->value);
	if (strcmp(a->name, "http-equiv") == 0 &&
	    (strcasestr(a->value, "refresh") || strcasestr(a->value, "set-cookie")))
		return note("meta", a->value);
	return NULL;
}

static const char *check_element(const GumboElement *e)
{
	static const char *const never[] = {
		"script",    "iframe", "object",   "embed",    "applet",  "base",          "form",
		"input",     "button", "textarea", "select",   "option",  "frameset",      "frame",
		"template",  "math",   "svg",      "noscript", "noembed", "noframes",      "xmp",
		"plaintext", "keygen", "isindex",  "portal",   "dialog",  "foreignobject",
	};
	char name[40] = "";
	GumboStringPiece tag = e->original_tag;

	if (e->tag_namespace != GUMBO_NAMESPACE_HTML)
		return note("namespace", "");
	if (e->tag == GUMBO_TAG_UNKNOWN && tag.data) {
		gumbo_tag_from_original_text(&tag);
		(void)snprintf(name, sizeof(name), "%.*s", (int)MIN_OF(tag.length, (size_t)39),
			       tag.data);
	} else {
		(void)snprintf(name, sizeof(name), "%s", gumbo_normalized_tagname(e->tag));
	}
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (strcasecmp(name, never[i]) == 0 &&
		    !(conditional && strcasecmp(name, "noscript") == 0))
			return note("element", name);
	for (unsigned i = 0; i < e->attributes.length; i++) {
		const char *found = check_attr(e->attributes.data[i]);
		if (found)
			return found;
	}
	return NULL;
}

static const char *check_comment(const char *text)
{
	const char *inner = strstr(text, "]>"), *found;
	bool before = conditional;

	while (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')
		text++;
	if (!begins(text, "[if") || !inner)
		return NULL;
	conditional = true;
	found = parsed_find_bad(slice_str(inner + 2));
	conditional = before;
	return found;
}

/* Depth first, without recursion: a page may be nested as deep as it is long. */
static const char *check_tree(const GumboNode *root)
{
	const GumboNode *node = root;

	while (node) {
		const GumboVector *children = NULL;
		const char *found = NULL;

		if (node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE) {
			found = check_element(&node->v.element);
			children = &node->v.element.children;
		} else if (node->type == GUMBO_NODE_DOCUMENT) {
			children = &node->v.document.children;
		} else if (node->type == GUMBO_NODE_COMMENT) {
			found = check_comment(node->v.text.text);
		}
		if (found)
			return found;
		if (children && children->length) {
			node = children->data[0];
			continue;
		}
		while (node && node != root) {
			const GumboNode *parent = node->parent;
			const GumboVector *row = parent->type == GUMBO_NODE_DOCUMENT
						     ? &parent->v.document.children
						     : &parent->v.element.children;

			if (node->index_within_parent + 1 < row->length) {
				node = row->data[node->index_within_parent + 1];
				break;
			}
			node = parent;
		}
		if (node == root)
			break;
	}
	return NULL;
}

const char *parsed_find_bad(struct slice html)
{
	GumboOutput *out = gumbo_parse_with_options(&kGumboDefaultOptions, html.p, html.n);
	const char *found = check_tree(out->document);

	gumbo_destroy_output(&kGumboDefaultOptions, out);
	return found;
}
