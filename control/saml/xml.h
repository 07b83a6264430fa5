/* control/saml/xml.h - XML that strangers wrote, read strictly: UTF-8 only, no document type, no
 * entities of its own, nothing from elsewhere, bounded in bytes, depth and nodes, and no value of
 * an attribute ID twice.  Only for the verifying process (reader.h).
 *
 * Owns:  saml_xml_read() gives the caller the document; xmlFreeDoc() frees it.
 * Fails: a fault (question.h).
 * Limits: SAML_XML_DEPTH elements inside one another; SAML_XML_NODES nodes and attributes. */
#pragma once
#include <libxml/tree.h>

#include "control/saml/question.h"

enum { SAML_XML_DEPTH = 40, SAML_XML_NODES = 20000, SAML_XML_IDS = 64 };

#define SAML_NS_PROTOCOL "urn:oasis:names:tc:SAML:2.0:protocol"
#define SAML_NS_ASSERTION "urn:oasis:names:tc:SAML:2.0:assertion"
#define SAML_NS_METADATA "urn:oasis:names:tc:SAML:2.0:metadata"
#define SAML_NS_DSIG "http://www.w3.org/2000/09/xmldsig#"

typedef struct _xmlDoc saml_xml;
static inline void saml_xml_free_owned(saml_xml **d)
{
	if (*d)
		xmlFreeDoc(*d);
}
#define SAML_XML __attribute__((cleanup(saml_xml_free_owned))) saml_xml *

enum saml_fault saml_xml_read(struct slice text, saml_xml **ret) MUST_CHECK;

bool saml_xml_is(const xmlNode *n, const char *ns, const char *name);
/* The first child element that is one, or the next one after `after`; NULL. */
xmlNode *saml_xml_next(const xmlNode *parent, const xmlNode *after, const char *ns,
		       const char *name);
/* The only one: NULL when there is none, or more than one. */
xmlNode *saml_xml_only(const xmlNode *parent, const char *ns, const char *name);
/* How many elements of any namespace have this name, at any depth. */
unsigned saml_xml_count(saml_xml *d, const char *name);
/* An attribute without namespace; empty when absent.  It lives as long as the document. */
struct slice saml_xml_attribute(const xmlNode *n, const char *name);
/* All text of an element that has nothing but text; false when it has anything else, or no room.
 * ret lies in buf. */
bool saml_xml_text(const xmlNode *n, char *buf, size_t size, struct slice *ret);
/* The same without white space at the ends. */
bool saml_xml_token(const xmlNode *n, char *buf, size_t size, struct slice *ret);
