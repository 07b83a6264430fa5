/* control/saml/verify.c - from a response to the assertion that a signature covers. */
#include "control/saml/verify.h"

#include "base/encode.h"
#include "control/contract/plain.h"
#include "control/saml/inside.h"
#include "control/saml/signed.h"

#define SUCCESS "urn:oasis:names:tc:SAML:2.0:status:Success"

/* ---- the document as it came ------------------------------------------------------------- */

/* One response with one assertion as its child, and no signature elsewhere than in these two: what
 * is not signed has no place where it could be taken for what is. */
static enum saml_fault look_at_shape(saml_xml *d, xmlNode **ret_response, xmlNode **ret_assertion)
{
	xmlNode *response = xmlDocGetRootElement(d);
	xmlNode *assertion = saml_xml_only(response, SAML_NS_ASSERTION, "Assertion");
	unsigned signatures;

	if (!saml_xml_is(response, SAML_NS_PROTOCOL, "Response") ||
	    saml_xml_count(d, "Response") != 1)
		return SAML_STRUCTURE;
	if (!assertion && saml_xml_only(response, SAML_NS_ASSERTION, "EncryptedAssertion"))
		return SAML_ENCRYPTED;
	*ret_response = response;
	*ret_assertion = assertion;
	if (!assertion) /* only a failure has none: the caller looks */
		return saml_xml_count(d, "Assertion") ? SAML_STRUCTURE : SAML_FINE;
	signatures = (saml_signed_by(response) != NULL) + (saml_signed_by(assertion) != NULL);
	return saml_xml_count(d, "Assertion") == 1 &&
		       saml_xml_count(d, "EncryptedAssertion") == 0 &&
		       saml_xml_count(d, "Signature") == signatures
		   ? SAML_FINE
		   : SAML_STRUCTURE;
}

/* What the response itself says, whether it is signed or only the assertion is. */
static enum saml_fault look_at_response(const struct saml_question *q, const xmlNode *response,
					bool is_signed)
{
	const xmlNode *status = saml_xml_only(response, SAML_NS_PROTOCOL, "Status");
	const xmlNode *code = saml_xml_only(status, SAML_NS_PROTOCOL, "StatusCode");
	struct slice to = saml_xml_attribute(response, "Destination");

	if (!slice_eq(saml_xml_attribute(response, "Version"), SLICE("2.0")) || !code)
		return SAML_STRUCTURE;
	if (saml_xml_next(response, NULL, SAML_NS_ASSERTION, "Issuer") &&
	    !saml_assertion_issuer(q, response))
		return SAML_ISSUER;
	if (!slice_eq(saml_xml_attribute(response, "InResponseTo"), q->request) || !q->request.n)
		return SAML_REQUEST;
	/* Bindings 3.5.5.2: a signed message says where it goes. */
	if ((is_signed || to.n) && !slice_eq(to, q->acs))
		return SAML_DESTINATION;
	return slice_eq(saml_xml_attribute(code, "Value"), SLICE(SUCCESS)) ? SAML_FINE
									   : SAML_STATUS;
}

/* ---- what is signed ---------------------------------------------------------------------- */

/* The same element, read again from the bytes that its signature covers. */
static enum saml_fault reread(saml_xml *d, xmlNode *element, const struct saml_keys *keys,
			      struct buf *bytes, saml_xml **ret)
{
	enum saml_fault f = saml_signed_bytes(d, element, keys, bytes);

	if (f == SAML_FINE)
		f = saml_xml_read(buf_data(bytes), ret);
	if (f == SAML_FINE &&
	    !saml_xml_is(xmlDocGetRootElement(*ret), (const char *)element->ns->href,
			 (const char *)element->name))
		f = SAML_STRUCTURE;
	return f;
}

struct covered {
	saml_xml *response;
	saml_xml *assertion;
};

static enum saml_fault cover(const struct saml_question *q, saml_xml *d, xmlNode *response,
			     xmlNode *assertion, struct saml_room *room, struct covered *ret)
{
	struct saml_keys keys = { 0 };
	enum saml_fault f;

	if (!saml_signed_by(response) && !saml_signed_by(assertion))
		return SAML_UNSIGNED;
	f = saml_signed_keys(q->certificates, q->n, &keys);
	if (f == SAML_FINE && saml_signed_by(response))
		f = reread(d, response, &keys, &room->response, &ret->response);
	if (f == SAML_FINE && saml_signed_by(assertion))
		f = reread(d, assertion, &keys, &room->assertion, &ret->assertion);
	saml_signed_keys_free(&keys);
	return f;
}

static enum saml_fault judge_covered(const struct saml_question *q,
				     const xmlNode *unsigned_response, const struct covered *k,
				     struct saml_room *room, struct saml_answer *ret)
{
	const xmlNode *response =
	    k->response ? xmlDocGetRootElement(k->response) : unsigned_response;
	const xmlNode *assertion = k->assertion
				       ? xmlDocGetRootElement(k->assertion)
				       : saml_xml_only(response, SAML_NS_ASSERTION, "Assertion");
	enum saml_fault f = look_at_response(q, response, k->response != NULL);

	if (f != SAML_FINE)
		return f;
	return assertion ? saml_assertion_read(q, assertion, room, ret) : SAML_STRUCTURE;
}

static enum saml_fault judge_document(const struct saml_question *q, saml_xml *d,
				      struct saml_room *room, struct saml_answer *ret)
{
	xmlNode *response = NULL, *assertion = NULL;
	enum saml_fault f = look_at_shape(d, &response, &assertion);
	struct covered k = { 0 };

	if (f == SAML_FINE && !assertion) {
		f = look_at_response(q, response, false);
		return f == SAML_FINE ? SAML_STRUCTURE : f;
	}
	if (f == SAML_FINE)
		f = cover(q, d, response, assertion, room, &k);
	if (f == SAML_FINE)
		f = judge_covered(q, response, &k, room, ret);
	saml_xml_free_owned(&k.response);
	saml_xml_free_owned(&k.assertion);
	return f;
}

/* ---- all of it --------------------------------------------------------------------------- */

/* Lines of base64, as some make them. */
static int decode(struct slice text, struct buf *out)
{
	struct buf joined = { 0 };
	int r = text.n > SAML_DOCUMENT_MAX / 3 * 4 + 4096 ? E_LIMIT : 0;

	while (r == 0 && text.n) {
		struct slice line = slice_take(&text, '\n');

		buf_put(&joined, slice_trim_set(line, " \t\r"));
	}
	if (r == 0)
		r = base64_decode(out, buf_data(&joined));
	buf_free(&joined);
	return r;
}

/* Texts that a name or a header could not hold are as if they were absent; a name must be there. */
static enum saml_fault look_at_texts(struct saml_answer *a)
{
	struct slice *const optional[] = { &a->email, &a->name, &a->session };

	for (size_t i = 0; i < ARRAY_LEN(optional); i++)
		if (!plain_text(*optional[i], false))
			*optional[i] = slice_of("", 0);
	return plain_text(a->subject, false) && plain_text(a->format, false) &&
		       plain_text(a->assertion, false)
		   ? SAML_FINE
		   : SAML_SUBJECT;
}

static enum saml_fault judge_response(const struct saml_question *q, struct saml_room *room,
				      struct saml_answer *ret)
{
	SAML_XML d = NULL;
	enum saml_fault f;

	if (decode(q->document, &room->document) < 0)
		return SAML_MALFORMED;
	f = saml_xml_read(buf_data(&room->document), &d);
	if (f == SAML_FINE)
		f = judge_document(q, d, room, ret);
	return f == SAML_FINE ? look_at_texts(ret) : f;
}

void saml_verify(const struct saml_question *q, struct saml_room *room, struct saml_answer *ret)
{
	struct saml_answer a = { 0 };
	enum saml_fault f;

	f = q->kind == SAML_RESPONSE ? judge_response(q, room, &a)
				     : saml_metadata_read(q, room, &a);
	if (f != SAML_FINE)
		a = (struct saml_answer){ .fault = f };
	*ret = a;
}

void saml_verify_free(struct saml_room *room)
{
	buf_free(&room->document);
	buf_free(&room->response);
	buf_free(&room->assertion);
	for (unsigned i = 0; i < SAML_CERTIFICATES_MAX; i++)
		buf_free(&room->certificates[i]);
}
