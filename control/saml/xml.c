/* control/saml/xml.c - the strict reading of XML. */
#include "control/saml/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "base/encode.h"

static void refuse_doctype(void *ctx, const xmlChar *name UNUSED, const xmlChar *external UNUSED,
			   const xmlChar *system UNUSED)
{
	xmlStopParser(ctx);
}

static saml_xml *parse(struct slice text)
{
	xmlParserCtxt *ctx = xmlNewParserCtxt();
	saml_xml *doc = NULL;

	if (!ctx)
		return NULL;
	ctx->sax->internalSubset = refuse_doctype;
	ctx->sax->externalSubset = refuse_doctype;
	doc = xmlCtxtReadMemory(ctx, text.p, (int)text.n, NULL, "UTF-8",
				XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR |
				    XML_PARSE_NOWARNING);
	if (doc && (!ctx->wellFormed || !ctx->nsWellFormed || doc->intSubset || doc->extSubset)) {
		xmlFreeDoc(doc);
		doc = NULL;
	}
	xmlFreeParserCtxt(ctx);
	return doc;
}

/* ---- bounds ------------------------------------------------------------------------------ */

struct counting {
	unsigned nodes, depth, n;
	const xmlChar *ids[SAML_XML_IDS];
};

static bool is_id(const xmlAttr *a)
{
	return slice_eq_nocase(slice_str((const char *)a->name), SLICE("id"));
}

static bool count_id(struct counting *k, const xmlAttr *a)
{
	const xmlNode *value = a->children;

	if (!value || value->next || value->type != XML_TEXT_NODE || k->n == SAML_XML_IDS)
		return false;
	for (unsigned i = 0; i < k->n; i++)
		if (xmlStrEqual(k->ids[i], value->content))
			return false;
	k->ids[k->n++] = value->content;
	return true;
}

/* One node with its attributes; entities are never in a tree that has no document type. */
static bool count_node(struct counting *k, const xmlNode *n)
{
	k->nodes++;
	if (n->type == XML_ENTITY_REF_NODE || n->type == XML_PI_NODE)
		return false;
	if (n->type != XML_ELEMENT_NODE)
		return true;
	for (const xmlAttr *a = n->properties; a; a = a->next) {
		k->nodes++;
		if (is_id(a) && !count_id(k, a))
			return false;
	}
	for (const xmlNs *ns = n->nsDef; ns; ns = ns->next)
		k->nodes++;
	return true;
}

/* The node after n in document order, below root. */
static const xmlNode *walk(const xmlNode *root, const xmlNode *n, unsigned *depth)
{
	if (n->type == XML_ELEMENT_NODE && n->children) {
		(*depth)++;
		return n->children;
	}
	while (n != root && !n->next) {
		n = n->parent;
		(*depth)--;
	}
	return n == root ? NULL : n->next;
}

static bool is_bounded(saml_xml *d)
{
	const xmlNode *root = xmlDocGetRootElement(d);
	struct counting k = { 0 };

	for (const xmlNode *n = root; n; n = walk(root, n, &k.depth))
		if (!count_node(&k, n) || k.depth > SAML_XML_DEPTH || k.nodes > SAML_XML_NODES)
			return false;
	return root != NULL;
}

enum saml_fault saml_xml_read(struct slice text, saml_xml **ret)
{
	SAML_XML d = NULL;

	if (!text.p || !text.n || text.n > SAML_DOCUMENT_MAX || !utf8_valid(text))
		return SAML_MALFORMED;
	if (memmem(text.p, text.n, "<!DOCTYPE", 9) || memmem(text.p, text.n, "<!ENTITY", 8))
		return SAML_DOCTYPE;
	d = parse(text);
	if (!d)
		return SAML_MALFORMED;
	if (!is_bounded(d))
		return SAML_STRUCTURE;
	*ret = TAKE(d);
	return SAML_FINE;
}

/* ---- looking ----------------------------------------------------------------------------- */

bool saml_xml_is(const xmlNode *n, const char *ns, const char *name)
{
	return n && n->type == XML_ELEMENT_NODE && n->ns &&
	       strcmp((const char *)n->ns->href, ns) == 0 &&
	       strcmp((const char *)n->name, name) == 0;
}

xmlNode *saml_xml_next(const xmlNode *parent, const xmlNode *after, const char *ns,
		       const char *name)
{
	xmlNode *n = after ? after->next : parent ? parent->children : NULL;

	while (n && !saml_xml_is(n, ns, name))
		n = n->next;
	return n;
}

xmlNode *saml_xml_only(const xmlNode *parent, const char *ns, const char *name)
{
	xmlNode *n = saml_xml_next(parent, NULL, ns, name);

	return n && !saml_xml_next(parent, n, ns, name) ? n : NULL;
}

unsigned saml_xml_count(saml_xml *d, const char *name)
{
	const xmlNode *root = xmlDocGetRootElement(d);
	unsigned n = 0, depth = 0;

	for (const xmlNode *at = root; at; at = walk(root, at, &depth))
		n += at->type == XML_ELEMENT_NODE && strcmp((const char *)at->name, name) == 0;
	return n;
}

struct slice saml_xml_attribute(const xmlNode *n, const char *name)
{
	for (const xmlAttr *a = n->properties; a; a = a->next)
		if (!a->ns && strcmp((const char *)a->name, name) == 0)
			return a->children && !a->children->next &&
				       a->children->type == XML_TEXT_NODE
				   ? slice_str((const char *)a->children->content)
				   : slice_of("", 0);
	return slice_of("", 0);
}

bool saml_xml_text(const xmlNode *n, char *buf, size_t size, struct slice *ret)
{
	size_t used = 0;

	for (const xmlNode *k = n->children; k; k = k->next) {
		struct slice s;

		if (k->type != XML_TEXT_NODE && k->type != XML_CDATA_SECTION_NODE)
			return false;
		s = slice_str((const char *)k->content);
		if (s.n >= size - used)
			return false;
		memcpy(buf + used, s.p, s.n);
		used += s.n;
	}
	*ret = slice_of(buf, used);
	return true;
}

bool saml_xml_token(const xmlNode *n, char *buf, size_t size, struct slice *ret)
{
	if (!saml_xml_text(n, buf, size, ret))
		return false;
	*ret = slice_trim_set(*ret, " \t\r\n");
	return true;
}
