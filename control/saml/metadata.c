/* control/saml/metadata.c - what an identity provider says of itself (SAML 2.0 metadata, 2): its
 * name, where browsers go, and the certificates that it signs with. */
#include "base/encode.h"
#include "control/contract/rfc3339.h"
#include "control/saml/inside.h"
#include "control/saml/signed.h"

#define REDIRECT "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"

static bool is_known(const struct saml_answer *a, struct slice der)
{
	for (unsigned i = 0; i < a->n; i++)
		if (slice_eq(a->certificates[i], der))
			return true;
	return false;
}

/* The base64 of an X509Certificate may have white space anywhere. */
static enum saml_fault read_certificate(const xmlNode *n, struct saml_room *room,
					struct saml_answer *ret)
{
	char text[SAML_CERTIFICATE_MAX / 3 * 4 + 1024];
	struct buf *out = &room->certificates[ret->n];
	struct slice s;
	size_t used = 0;

	if (!saml_xml_text(n, text, sizeof(text), &s))
		return SAML_CERTIFICATE;
	for (size_t i = 0; i < s.n; i++)
		if (!strchr(" \t\r\n", s.p[i]))
			text[used++] = s.p[i];
	buf_clear(out);
	if (base64_decode(out, slice_of(text, used)) < 0 || !buf_len(out) ||
	    buf_len(out) > SAML_CERTIFICATE_MAX)
		return SAML_CERTIFICATE;
	if (!is_known(ret, buf_data(out)))
		ret->certificates[ret->n++] = buf_data(out);
	return SAML_FINE;
}

static enum saml_fault read_key(const xmlNode *key, struct saml_room *room, struct saml_answer *ret)
{
	const xmlNode *info = saml_xml_only(key, SAML_NS_DSIG, "KeyInfo"), *data, *n;
	enum saml_fault f = SAML_FINE;

	for (data = NULL; (data = saml_xml_next(info, data, SAML_NS_DSIG, "X509Data")) != NULL;)
		for (n = NULL; f == SAML_FINE && (n = saml_xml_next(data, n, SAML_NS_DSIG,
								    "X509Certificate")) != NULL;)
			f = ret->n < SAML_CERTIFICATES_MAX ? read_certificate(n, room, ret)
							   : SAML_CERTIFICATE;
	return f;
}

/* A key without a use is for every use. */
static enum saml_fault read_keys(const xmlNode *idp, struct saml_room *room,
				 struct saml_answer *ret)
{
	enum saml_fault f = SAML_FINE;

	for (const xmlNode *n = NULL;
	     f == SAML_FINE &&
	     (n = saml_xml_next(idp, n, SAML_NS_METADATA, "KeyDescriptor")) != NULL;) {
		struct slice use = saml_xml_attribute(n, "use");

		if (!use.n || slice_eq(use, SLICE("signing")))
			f = read_key(n, room, ret);
	}
	return f;
}

static bool read_address(const xmlNode *idp, struct saml_room *room, struct saml_answer *ret)
{
	for (const xmlNode *n = NULL;
	     (n = saml_xml_next(idp, n, SAML_NS_METADATA, "SingleSignOnService")) != NULL;) {
		struct slice to = saml_xml_attribute(n, "Location");

		if (!slice_eq(saml_xml_attribute(n, "Binding"), SLICE(REDIRECT)) || !to.n ||
		    to.n >= sizeof(room->sso))
			continue;
		ret->sso = slice_of(room->sso, slice_copy(room->sso, sizeof(room->sso), to));
		return true;
	}
	return false;
}

static bool is_over(const struct saml_question *q, const xmlNode *n)
{
	struct slice s = saml_xml_attribute(n, "validUntil");
	int64_t until;

	return s.n && (rfc3339_parse(s, &until) < 0 || until <= q->now_ms);
}

enum saml_fault saml_metadata_read(const struct saml_question *q, struct saml_room *room,
				   struct saml_answer *ret)
{
	SAML_XML d = NULL;
	enum saml_fault f = saml_xml_read(q->document, &d);
	const xmlNode *root = f == SAML_FINE ? xmlDocGetRootElement(d) : NULL;
	const xmlNode *idp = saml_xml_only(root, SAML_NS_METADATA, "IDPSSODescriptor");
	struct saml_keys keys;
	struct slice id;

	if (f != SAML_FINE)
		return f;
	if (!saml_xml_is(root, SAML_NS_METADATA, "EntityDescriptor") || !idp)
		return SAML_STRUCTURE;
	id = saml_xml_attribute(root, "entityID");
	if (!id.n || id.n >= sizeof(room->entity) || !read_address(idp, room, ret))
		return SAML_STRUCTURE;
	if (is_over(q, root) || is_over(q, idp))
		return SAML_TIME;
	ret->entity = slice_of(room->entity, slice_copy(room->entity, sizeof(room->entity), id));
	f = read_keys(idp, room, ret);
	if (f == SAML_FINE)
		f = saml_signed_keys(ret->certificates, ret->n, &keys);
	if (f == SAML_FINE)
		saml_signed_keys_free(&keys);
	return f;
}
