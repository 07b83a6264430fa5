/* An identity provider for tests: responses with everything that can be wrong with them, signed by
 * xmlsec itself. */
#pragma once
#include <libxml/tree.h>

#include "base/buf.h"
#include "control/saml/question.h"

#define IDP_ENTITY "https://idp.example.net/saml"
#define IDP_AUDIENCE "https://mail.example.org/v1/auth/saml/org_1/idp_1/metadata"
#define IDP_ACS "https://mail.example.org/v1/auth/saml/acs"
#define IDP_REQUEST "_request0001"
#define IDP_SUBJECT "ann-7"

enum { IDP_RSA, IDP_OTHER, IDP_EC, IDP_SMALL, IDP_KEYS };
void idp_start(void);
struct slice idp_certificate(unsigned key); /* DER */
int64_t idp_now_ms(void);

/* What stands in a response; idp_plain() fills in what is right. */
struct idp_response {
	const char *entity, *audience, *acs, *request, *destination, *response_to;
	const char *subject, *format, *attributes, *conditions, *status, *method, *subject_more;
	const char *response_more, *assertion_more, *assertion_id, *response_id;
	const char *not_before, *not_after, *confirmed_until, *version, *issued, *session;
};
struct idp_response idp_plain(void);
/* The XML, not signed. */
void idp_write(const struct idp_response *p, struct buf *out);

struct idp_signing {
	unsigned key;
	const char *method, *digest, *c14n, *transform; /* NULL: RSA or EC with SHA-256, exc-c14n */
	const char *uri;                                /* NULL: "#" and the element's ID */
	bool hmac;                                      /* with the public key of `key` as secret */
	bool no_enveloped;
	const char *key_info; /* XML that goes into KeyInfo */
};
xmlDoc *idp_parse(const char *text);
/* The first element of this name, at any depth. */
xmlNode *idp_find(xmlDoc *d, const char *name);
xmlNode *idp_below(xmlNode *first, const char *name); /* among it, its siblings and theirs */
/* Signs the element; the signature comes after its Issuer. */
void idp_sign(xmlDoc *d, xmlNode *element, const struct idp_signing *how);
void idp_text(xmlDoc *d, struct buf *out);

/* Asks about XML; the answer's texts live until the next question. */
struct saml_question idp_question(void);
struct saml_answer idp_ask(const struct saml_question *q, struct slice xml);
struct saml_answer idp_ask_document(const struct saml_question *q, xmlDoc *d);
