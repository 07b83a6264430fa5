/* message/sanitise_list.c - the elements and attributes that mail may have. */
#include "message/sanitise_int.h"

static const struct {
	const char *name;
	enum sanitise_element element;
} elements[] = {
	{ "title", ELEMENT_TITLE }, { "style", ELEMENT_STYLE }, { "meta", ELEMENT_META },
	{ "link", ELEMENT_LINK },   { "script", ELEMENT_GONE }, { "iframe", ELEMENT_GONE },
};

/* Not here, because a parser treats their content in a way of its own: select, option, textarea,
 * noscript, noembed, noframes, frameset, xmp, plaintext, listing, template, svg, math, button. */
static const char *const kept[] = {
	"html",    "head",       "body",   "table",    "thead",      "tbody",    "tfoot",
	"tr",      "td",         "th",     "caption",  "col",        "colgroup", "div",
	"span",    "p",          "br",     "hr",       "a",          "img",      "center",
	"font",    "b",          "strong", "i",        "em",         "u",        "s",
	"strike",  "del",        "ins",    "small",    "big",        "sub",      "sup",
	"tt",      "pre",        "code",   "kbd",      "samp",       "var",      "cite",
	"q",       "blockquote", "abbr",   "acronym",  "address",    "dfn",      "bdo",
	"bdi",     "h1",         "h2",     "h3",       "h4",         "h5",       "h6",
	"ul",      "ol",         "li",     "dl",       "dt",         "dd",       "dir",
	"menu",    "map",        "area",   "article",  "section",    "header",   "footer",
	"main",    "nav",        "aside",  "figure",   "figcaption", "hgroup",   "details",
	"summary", "mark",       "time",   "wbr",      "nobr",       "ruby",     "rt",
	"rp",      "rb",         "rtc",    "data",     "picture",    "source",   "video",
	"audio",   "track",      "label",  "basefont", "multicol",   "spacer",   "progress",
	"meter",   "xml",
};
static const char *const office[] = { "v:", "o:", "w:", "x:", "m:", "st1:", "u1:", "w10:" };

static const struct {
	const char *name;
	enum sanitise_attr attr;
} special[] = {
	{ "href", SANITISE_ATTR_LINK },        { "cite", SANITISE_ATTR_LINK },
	{ "longdesc", SANITISE_ATTR_LINK },    { "usemap", SANITISE_ATTR_LINK },
	{ "src", SANITISE_ATTR_IMAGE },        { "background", SANITISE_ATTR_IMAGE },
	{ "poster", SANITISE_ATTR_IMAGE },     { "srcset", SANITISE_ATTR_SET },
	{ "imagesrcset", SANITISE_ATTR_SET },  { "style", SANITISE_ATTR_STYLE },
	{ "http-equiv", SANITISE_ATTR_EQUIV }, { "rel", SANITISE_ATTR_REL },
	{ "xmlns", SANITISE_ATTR_HARMLESS },   { "content", SANITISE_ATTR_HARMLESS },
};
static const char *const attrs[] = {
	"abbr",
	"accesskey",
	"align",
	"alink",
	"alt",
	"axis",
	"autoplay",
	"border",
	"bordercolor",
	"bordercolordark",
	"bordercolorlight",
	"bgcolor",
	"bgproperties",
	"cellpadding",
	"cellspacing",
	"char",
	"charoff",
	"charset",
	"class",
	"clear",
	"color",
	"cols",
	"colspan",
	"compact",
	"contenteditable",
	"controls",
	"coords",
	"crossorigin",
	"datetime",
	"decoding",
	"dir",
	"download",
	"draggable",
	"face",
	"fetchpriority",
	"for",
	"frame",
	"frameborder",
	"gutter",
	"headers",
	"height",
	"hidden",
	"high",
	"hreflang",
	"hspace",
	"id",
	"integrity",
	"ismap",
	"itemid",
	"itemprop",
	"itemref",
	"itemscope",
	"itemtype",
	"kind",
	"label",
	"lang",
	"language",
	"layout",
	"leftmargin",
	"link",
	"loading",
	"loop",
	"low",
	"marginheight",
	"marginwidth",
	"max",
	"media",
	"min",
	"muted",
	"name",
	"nohref",
	"noshade",
	"nosize",
	"nowrap",
	"open",
	"optimum",
	"padding",
	"playsinline",
	"prefix",
	"preload",
	"property",
	"referrerpolicy",
	"resource",
	"rev",
	"reversed",
	"rightmargin",
	"role",
	"rows",
	"rowspan",
	"rules",
	"scheme",
	"scope",
	"scroll",
	"shape",
	"size",
	"sizes",
	"span",
	"spellcheck",
	"srclang",
	"start",
	"summary",
	"tabindex",
	"target",
	"text",
	"title",
	"topmargin",
	"bottommargin",
	"translate",
	"type",
	"typeof",
	"unselectable",
	"valign",
	"value",
	"vertical-align",
	"vlink",
	"vocab",
	"vspace",
	"width",
	"xml:lang",
	"xml:space",
	"yahoo",
};
static const char *const attr_groups[] = { "data-", "aria-", "mc:", "xmlns:", "v:",
					   "o:",    "w:",    "x:",  "esd-" };

static bool has(const char *const *names, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(name, slice_str(names[i])))
			return true;
	return false;
}

static bool begins(const char *const *names, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_starts_nocase(name, slice_str(names[i])))
			return true;
	return false;
}

static bool is_plain(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!(name.p[i] >= 'a' && name.p[i] <= 'z') &&
		    !(name.p[i] >= '0' && name.p[i] <= '9') &&
		    (!name.p[i] || !strchr("-_:.", name.p[i])))
			return false;
	return name.n > 0;
}

enum sanitise_element sanitise_element_of(struct slice name, bool conditional)
{
	/* Tools write it around settings for Office, which runs no scripts. */
	if (conditional && slice_eq(name, SLICE("noscript")))
		return ELEMENT_KEEP;
	for (size_t i = 0; i < ARRAY_LEN(elements); i++)
		if (slice_eq(name, slice_str(elements[i].name)))
			return elements[i].element;
	if (has(kept, ARRAY_LEN(kept), name))
		return ELEMENT_KEEP;
	/* The frame of VML loads a document. */
	if (begins(office, ARRAY_LEN(office), name) && is_plain(name) &&
	    !slice_eq(name, SLICE("v:vmlframe")))
		return ELEMENT_OFFICE;
	return ELEMENT_UNKNOWN;
}

enum sanitise_attr sanitise_attr_of(enum sanitise_element element, struct slice name)
{
	if (!is_plain(name) || slice_starts_nocase(name, SLICE("on")))
		return SANITISE_ATTR_UNKNOWN;
	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		if (slice_eq(name, slice_str(special[i].name)))
			return special[i].attr;
	if (has(attrs, ARRAY_LEN(attrs), name))
		return SANITISE_ATTR_KEEP;
	if (element == ELEMENT_OFFICE || begins(attr_groups, ARRAY_LEN(attr_groups), name))
		return SANITISE_ATTR_HARMLESS;
	return SANITISE_ATTR_UNKNOWN;
}
