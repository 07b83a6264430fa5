/* tests/unit/control/saml/idp.c - responses and their signatures. */
#include "tests/unit/control/saml/idp.h"

#include <libxml/parser.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <xmlsec/crypto.h>
#include <xmlsec/keysdata.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmltree.h>

#include "base/encode.h"
#include "control/contract/rfc3339.h"
#include "control/saml/reader.h"
#include "control/saml/signed.h"

static EVP_PKEY *keys[IDP_KEYS];
static struct buf certificates[IDP_KEYS];

static void certify(EVP_PKEY *key, struct buf *out)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	unsigned char *der = NULL;
	int n;

	(void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"idp", -1,
					 -1, 0);
	(void)X509_set_issuer_name(x, name);
	(void)X509_set_pubkey(x, key);
	assert(X509_sign(x, key, EVP_sha256()) > 0);
	n = i2d_X509(x, &der);
	assert(n > 0);
	buf_put(out, slice_of(der, (size_t)n));
	OPENSSL_free(der);
	X509_free(x);
}

void idp_start(void)
{
	if (keys[0])
		return;
	assert(saml_signed_prepare() == 0);
	keys[IDP_RSA] = EVP_RSA_gen(2048);
	keys[IDP_OTHER] = EVP_RSA_gen(2048);
	keys[IDP_EC] = EVP_EC_gen("P-256");
	keys[IDP_SMALL] = EVP_RSA_gen(1024);
	for (unsigned i = 0; i < IDP_KEYS; i++) {
		assert(keys[i]);
		certify(keys[i], &certificates[i]);
	}
}

struct slice idp_certificate(unsigned key)
{
	return buf_data(&certificates[key]);
}

int64_t idp_now_ms(void)
{
	int64_t now;

	assert(rfc3339_parse(SLICE("2026-03-01T12:00:00Z"), &now) == 0);
	return now;
}

/* ---- the XML ----------------------------------------------------------------------------- */

struct idp_response idp_plain(void)
{
	return (struct idp_response){
		.entity = IDP_ENTITY,
		.audience = IDP_AUDIENCE,
		.acs = IDP_ACS,
		.request = IDP_REQUEST,
		.destination = "Destination=\"" IDP_ACS "\"",
		.response_to = "InResponseTo=\"" IDP_REQUEST "\"",
		.subject = IDP_SUBJECT,
		.format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
		.attributes =
		    "<saml:Attribute Name=\"mail\"><saml:AttributeValue "
		    "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" "
		    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
		    "xsi:type=\"xs:string\">ann@example.net</saml:AttributeValue></saml:Attribute>"
		    "<saml:Attribute Name=\"displayName\"><saml:AttributeValue>Ann Rivers"
		    "</saml:AttributeValue></saml:Attribute>",
		.conditions = "",
		.status = "urn:oasis:names:tc:SAML:2.0:status:Success",
		.method = "urn:oasis:names:tc:SAML:2.0:cm:bearer",
		.subject_more = "",
		.response_more = "",
		.assertion_more = "",
		.assertion_id = "_assertion0001",
		.response_id = "_response0001",
		.not_before = "2026-03-01T11:59:30Z",
		.not_after = "2026-03-01T12:05:00Z",
		.confirmed_until = "NotOnOrAfter=\"2026-03-01T12:05:00Z\"",
		.version = "2.0",
		.issued = "2026-03-01T12:00:00Z",
		.session = "AuthnInstant=\"2026-03-01T12:00:00Z\" SessionIndex=\"_session1\"",
	};
}

void idp_write(const struct idp_response *p, struct buf *out)
{
	buf_clear(out);
	buf_putf(out,
		 "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
		 "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"%s\" "
		 "Version=\"2.0\" IssueInstant=\"%s\" %s %s><saml:Issuer>%s</saml:Issuer>%s"
		 "<samlp:Status><samlp:StatusCode Value=\"%s\"/></samlp:Status>",
		 p->response_id, p->issued, p->destination, p->response_to, p->entity,
		 p->response_more, p->status);
	buf_putf(out,
		 "<saml:Assertion ID=\"%s\" Version=\"%s\" IssueInstant=\"%s\">"
		 "<saml:Issuer>%s</saml:Issuer><saml:Subject><saml:NameID Format=\"%s\">%s"
		 "</saml:NameID><saml:SubjectConfirmation Method=\"%s\">"
		 "<saml:SubjectConfirmationData Recipient=\"%s\" InResponseTo=\"%s\" %s/>"
		 "</saml:SubjectConfirmation>%s</saml:Subject>",
		 p->assertion_id, p->version, p->issued, p->entity, p->format, p->subject,
		 p->method, p->acs, p->request, p->confirmed_until, p->subject_more);
	buf_putf(out,
		 "<saml:Conditions NotBefore=\"%s\" NotOnOrAfter=\"%s\">"
		 "<saml:AudienceRestriction><saml:Audience>%s</saml:Audience>"
		 "</saml:AudienceRestriction>%s</saml:Conditions><saml:AuthnStatement %s>"
		 "<saml:AuthnContext/></saml:AuthnStatement><saml:AttributeStatement>%s"
		 "</saml:AttributeStatement>%s</saml:Assertion></samlp:Response>",
		 p->not_before, p->not_after, p->audience, p->conditions, p->session, p->attributes,
		 p->assertion_more);
}

xmlDoc *idp_parse(const char *text)
{
	xmlDoc *d = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);

	assert(d);
	return d;
}

xmlNode *idp_below(xmlNode *n, const char *name)
{
	for (; n; n = n->next) {
		xmlNode *found;

		if (n->type != XML_ELEMENT_NODE)
			continue;
		if (!strcmp((const char *)n->name, name))
			return n;
		found = idp_below(n->children, name);
		if (found)
			return found;
	}
	return NULL;
}

xmlNode *idp_find(xmlDoc *d, const char *name)
{
	return idp_below(xmlDocGetRootElement(d), name);
}

/* ---- signing ----------------------------------------------------------------------------- */

static void write_template(const struct idp_signing *how, const char *id, struct buf *out)
{
	const char *more = "http://www.w3.org/2001/04/xmldsig-more#";
	const char *c14n = how->c14n ? how->c14n : "http://www.w3.org/2001/10/xml-exc-c14n#";
	char method[120];

	(void)snprintf(method, sizeof(method), "%s%s", more,
		       how->hmac            ? "hmac-sha256"
		       : how->key == IDP_EC ? "ecdsa-sha256"
					    : "rsa-sha256");
	buf_putf(out,
		 "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>"
		 "<ds:CanonicalizationMethod Algorithm=\"%s\"/><ds:SignatureMethod "
		 "Algorithm=\"%s\"/><ds:Reference URI=\"%s%s\"><ds:Transforms>",
		 c14n, how->method ? how->method : method, how->uri ? how->uri : "#",
		 how->uri ? "" : id);
	if (!how->no_enveloped)
		buf_putf(out, "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#"
			      "enveloped-signature\"/>");
	if (how->transform)
		buf_putf(out, "%s", how->transform);
	buf_putf(out,
		 "<ds:Transform Algorithm=\"%s\"/></ds:Transforms><ds:DigestMethod "
		 "Algorithm=\"%s\"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>"
		 "<ds:SignatureValue/>",
		 c14n, how->digest ? how->digest : "http://www.w3.org/2001/04/xmlenc#sha256");
	if (how->key_info)
		buf_putf(out, "<ds:KeyInfo>%s</ds:KeyInfo>", how->key_info);
	buf_putf(out, "</ds:Signature>");
}

static xmlSecKey *signing_key(const struct idp_signing *how)
{
	EVP_PKEY *own = keys[how->key];
	xmlSecKey *key = xmlSecKeyCreate();
	xmlSecKeyData *data;

	if (how->hmac) {
		BIO *pem = BIO_new(BIO_s_mem());
		char *text;
		long n;

		assert(PEM_write_bio_PUBKEY(pem, own));
		n = BIO_get_mem_data(pem, &text);
		xmlSecKeyDestroy(key);
		key = xmlSecKeyReadMemory(xmlSecKeyDataHmacId, (const xmlSecByte *)text,
					  (xmlSecSize)n);
		BIO_free(pem);
		return key;
	}
	(void)EVP_PKEY_up_ref(own);
	data = xmlSecOpenSSLEvpKeyAdopt(own);
	assert(data && xmlSecKeySetValue(key, data) == 0);
	return key;
}

/* "#id" leads to the element. */
static void name(xmlDoc *d, xmlNode *element)
{
	xmlAttr *id = xmlHasProp(element, (const xmlChar *)"ID");

	if (!xmlGetID(d, id->children->content))
		(void)xmlAddID(NULL, d, id->children->content, id);
}

void idp_sign(xmlDoc *d, xmlNode *element, const struct idp_signing *how)
{
	xmlNode *issuer = idp_below(element->children, "Issuer"), *signature;
	xmlChar *id_text = xmlGetProp(element, (const xmlChar *)"ID");
	xmlSecDSigCtx *ctx = xmlSecDSigCtxCreate(NULL);
	struct buf text = { 0 };
	xmlDoc *t;

	write_template(how, (const char *)id_text, &text);
	t = idp_parse(buf_cstr(&text));
	signature = xmlDocCopyNode(xmlDocGetRootElement(t), d, 1);
	xmlFreeDoc(t);
	(void)xmlAddNextSibling(issuer, signature);
	name(d, element);
	name(d, xmlDocGetRootElement(d));
	ctx->signKey = signing_key(how);
	assert(xmlSecDSigCtxSign(ctx, signature) == 0);
	xmlSecDSigCtxDestroy(ctx);
	xmlFree(id_text);
	buf_free(&text);
}

void idp_text(xmlDoc *d, struct buf *out)
{
	xmlChar *p;
	int n;

	xmlDocDumpMemoryEnc(d, &p, &n, "UTF-8");
	buf_clear(out);
	buf_put(out, slice_of(p, (size_t)n));
	xmlFree(p);
}

/* ---- asking ------------------------------------------------------------------------------ */

struct saml_question idp_question(void)
{
	return (struct saml_question){
		.kind = SAML_RESPONSE,
		.issuer = SLICE(IDP_ENTITY),
		.audience = SLICE(IDP_AUDIENCE),
		.acs = SLICE(IDP_ACS),
		.request = SLICE(IDP_REQUEST),
		.now_ms = idp_now_ms(),
		.certificates = { idp_certificate(IDP_RSA) },
		.n = 1,
	};
}

struct saml_answer idp_ask(const struct saml_question *question, struct slice xml)
{
	static struct buf asked, answer, encoded;
	struct saml_question q = *question;
	struct saml_answer a;

	buf_clear(&asked);
	buf_clear(&answer);
	buf_clear(&encoded);
	assert(base64_encode(&encoded, xml) == 0);
	q.document = q.kind == SAML_RESPONSE ? buf_data(&encoded) : xml;
	if (saml_question_put(&asked, &q) < 0)
		return (struct saml_answer){ .fault = SAML_MALFORMED };
	assert(saml_reader_answer(buf_data(&asked), &answer) == 0);
	assert(saml_answer_get(buf_data(&answer), &a) == 0);
	return a;
}

struct saml_answer idp_ask_document(const struct saml_question *q, xmlDoc *d)
{
	struct buf text = { 0 };
	struct saml_answer a;

	idp_text(d, &text);
	a = idp_ask(q, buf_data(&text));
	buf_free(&text);
	return a;
}
