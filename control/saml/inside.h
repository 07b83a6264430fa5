/* control/saml/inside.h - what the files of the verifying process share. */
#pragma once
#include "control/saml/verify.h"
#include "control/saml/xml.h"

/* What an assertion says, read from signed bytes. */
enum saml_fault saml_assertion_read(const struct saml_question *q, const xmlNode *assertion,
				    struct saml_room *room, struct saml_answer *ret);
/* Is this element an Issuer that names the identity provider? */
bool saml_assertion_issuer(const struct saml_question *q, const xmlNode *parent);

enum saml_fault saml_metadata_read(const struct saml_question *q, struct saml_room *room,
				   struct saml_answer *ret);
