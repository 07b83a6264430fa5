/* control/saml/question.h - what the verifying process is asked, and what it answers.
 *
 *	question = kind document issuer audience acs request now certificates
 *	answer   = fault subject format email name session assertion until entity sso certificates
 *	each     = length: u32 little-endian, bytes;  numbers are 8 bytes;  certificates = *each
 *
 * Guarantee: what saml_answer_get() gives has bounded texts of UTF-8 without controls, and no text
 *            of a sign-in when there is a fault.
 * Owns:      texts point into what was read.
 * Fails:     E_SYNTAX for what is no question or answer; E_LIMIT. */
#pragma once
#include "base/buf.h"

enum {
	SAML_DOCUMENT_MAX = 256 * 1024, /* XML; base64 of it is a third more */
	SAML_CERTIFICATES_MAX = 5,
	SAML_CERTIFICATE_MAX = 8 * 1024, /* DER */
	SAML_TEXT_MAX = 320,
	SAML_URL_MAX = 1000,
	SAML_QUESTION_MAX = 400 * 1024,
	SAML_ANSWER_MAX = 48 * 1024,
};

/* Why a document is refused.  The names are in question.c. */
enum saml_fault {
	SAML_FINE,
	SAML_MALFORMED,   /* no base64, no XML, or beyond a bound */
	SAML_DOCTYPE,     /* it has a document type, and so could have entities */
	SAML_STRUCTURE,   /* not one Response with one Assertion; an ID twice; a foreign part */
	SAML_ENCRYPTED,   /* an encrypted assertion or name */
	SAML_UNSIGNED,    /* no signature covers the assertion */
	SAML_ALGORITHM,   /* a method or transform that is not taken */
	SAML_SIGNATURE,   /* no given certificate made it */
	SAML_ISSUER,      /* somebody else says it */
	SAML_STATUS,      /* the identity provider says that it failed */
	SAML_DESTINATION, /* it was meant for another address */
	SAML_REQUEST,     /* it answers another request, or none */
	SAML_TIME,        /* too early, or too late */
	SAML_AUDIENCE,    /* it is meant for another service */
	SAML_RECIPIENT,   /* no bearer confirmation fits */
	SAML_SUBJECT,     /* no name that stands for the same person next time */
	SAML_CERTIFICATE, /* what was given is no certificate with a key that is taken */
	SAML_BROKEN,      /* the process died, or took too long */
	SAML_FAULTS,
};
const char *saml_fault_name(enum saml_fault f);
const char *saml_fault_text(enum saml_fault f); /* for people: what is wrong, and what to do */

enum saml_kind { SAML_RESPONSE = 1, SAML_METADATA };
struct saml_question {
	enum saml_kind kind;
	struct slice document; /* a response as it came, in base64; metadata as XML */
	/* of a response */
	struct slice issuer;   /* the identity provider's entity id */
	struct slice audience; /* our entity id */
	struct slice acs;      /* our address for responses */
	struct slice request;  /* the id of the request that it must answer */
	int64_t now_ms;
	struct slice certificates[SAML_CERTIFICATES_MAX]; /* DER */
	unsigned n;
};
struct saml_answer {
	enum saml_fault fault;
	/* of a response */
	struct slice subject, format; /* NameID */
	struct slice email, name;     /* as it says; may be empty */
	struct slice session, assertion;
	int64_t until_ms; /* the assertion could be shown again until then */
	/* of metadata */
	struct slice entity, sso;
	struct slice certificates[SAML_CERTIFICATES_MAX]; /* DER */
	unsigned n;
};
int saml_question_put(struct buf *out, const struct saml_question *q) MUST_CHECK;
int saml_question_get(struct slice s, struct saml_question *ret) MUST_CHECK;
int saml_answer_put(struct buf *out, const struct saml_answer *a) MUST_CHECK;
int saml_answer_get(struct slice s, struct saml_answer *ret) MUST_CHECK;
