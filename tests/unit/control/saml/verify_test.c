/* Responses: who is let in, and which of the things that can be wrong with one is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/control/saml/idp.h"

static const struct idp_signing by_rsa = { .key = IDP_RSA };
enum { SIGN_RESPONSE = 1, SIGN_ASSERTION = 2 };

static xmlDoc *made(const struct idp_response *p, unsigned what, const struct idp_signing *how)
{
	struct buf text = { 0 };
	xmlDoc *d;

	idp_write(p, &text);
	d = idp_parse(buf_cstr(&text));
	if (what & SIGN_ASSERTION)
		idp_sign(d, idp_find(d, "Assertion"), how);
	if (what & SIGN_RESPONSE)
		idp_sign(d, xmlDocGetRootElement(d), how);
	buf_free(&text);
	return d;
}

static struct saml_answer asked(const struct idp_response *p, unsigned what,
				const struct idp_signing *how)
{
	struct saml_question q = idp_question();
	xmlDoc *d = made(p, what, how);
	struct saml_answer a = idp_ask_document(&q, d);

	xmlFreeDoc(d);
	return a;
}

static void assert_text(struct slice s, const char *text)
{
	char copy[1024];

	(void)slice_copy(copy, sizeof(copy), s);
	assert_string_equal(copy, text);
}

static void assert_fault(enum saml_fault got, enum saml_fault wanted)
{
	assert_string_equal(saml_fault_name(got), saml_fault_name(wanted));
}

/* ---- who is let in ----------------------------------------------------------------------- */

static void whoever_a_signature_names_is_read(void **state UNUSED)
{
	struct idp_response p = idp_plain();

	for (unsigned what = SIGN_RESPONSE; what <= (SIGN_RESPONSE | SIGN_ASSERTION); what++) {
		struct saml_answer a = asked(&p, what, &by_rsa);

		assert_fault(a.fault, SAML_FINE);
		assert_text(a.subject, IDP_SUBJECT);
		assert_text(a.format, p.format);
		assert_text(a.email, "ann@example.net");
		assert_text(a.name, "Ann Rivers");
		assert_text(a.session, "_session1");
		assert_text(a.assertion, "_assertion0001");
		assert_int_equal(a.until_ms, idp_now_ms() + (5 * 60 + 120) * 1000);
	}
}

static void every_method_that_is_taken_works(void **state UNUSED)
{
	static const char *const methods[][2] = { { "rsa-sha256", "ecdsa-sha256" },
						  { "rsa-sha384", "ecdsa-sha384" },
						  { "rsa-sha512", "ecdsa-sha512" } };
	static const char *const digests[] = { "http://www.w3.org/2001/04/xmlenc#sha256",
					       "http://www.w3.org/2001/04/xmldsig-more#sha384",
					       "http://www.w3.org/2001/04/xmlenc#sha512" };
	struct idp_response p = idp_plain();
	struct saml_question q = idp_question();
	char method[100];

	q.certificates[1] = idp_certificate(IDP_EC);
	q.n = 2;
	for (unsigned i = 0; i < 6; i++) {
		struct idp_signing how = { .key = i % 2 ? IDP_EC : IDP_RSA,
					   .method = method,
					   .digest = digests[i / 2] };
		(void)snprintf(method, sizeof(method), "http://www.w3.org/2001/04/xmldsig-more#%s",
			       methods[i / 2][i % 2]);
		xmlDoc *d = made(&p, SIGN_ASSERTION, &how);
		assert_fault(idp_ask_document(&q, d).fault, SAML_FINE);
		xmlFreeDoc(d);
	}
}

static void an_address_as_name_is_the_address(void **state UNUSED)
{
	struct idp_response p = idp_plain();
	struct saml_answer a;

	p.format = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
	p.subject = "bob@example.net";
	p.attributes = "<saml:Attribute Name=\"x\"/>";
	a = asked(&p, SIGN_ASSERTION, &by_rsa);
	assert_fault(a.fault, SAML_FINE);
	assert_text(a.email, "bob@example.net");
	assert_text(a.name, "");
}

/* ---- what is wrong ----------------------------------------------------------------------- */

/* Each is right but for one thing, and signed. */
static void whatever_does_not_fit_is_refused(void **state UNUSED)
{
/* clang-format off */
#define ROW(fault, member, value) { fault, offsetof(struct idp_response, member), value }
	static const struct {
		enum saml_fault fault;
		size_t member;
		const char *value;
	} rows[] = {
		ROW(SAML_ISSUER, entity, "https://other.example.net/saml"),
		ROW(SAML_AUDIENCE, audience, "https://mail.example.org/v1/auth/saml/org_2/idp_2/metadata"),
		ROW(SAML_AUDIENCE, conditions, "<saml:AudienceRestriction><saml:Audience>https://else.example"
				   "</saml:Audience></saml:AudienceRestriction>"),
		ROW(SAML_STRUCTURE, conditions, "<saml:Condition/>"),
		ROW(SAML_RECIPIENT, acs, "https://else.example.org/acs"),
		ROW(SAML_RECIPIENT, method, "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"),
		ROW(SAML_REQUEST, request, "_request0002"),
		ROW(SAML_REQUEST, request, ""),
		ROW(SAML_REQUEST, response_to, "InResponseTo=\"_request0002\""),
		ROW(SAML_REQUEST, response_to, ""),
		ROW(SAML_DESTINATION, destination, "Destination=\"https://else.example.org/acs\""),
		ROW(SAML_DESTINATION, destination, ""),
		ROW(SAML_STATUS, status, "urn:oasis:names:tc:SAML:2.0:status:Responder"),
		ROW(SAML_TIME, not_before, "2026-03-01T12:02:01Z"),
		ROW(SAML_TIME, not_after, "2026-03-01T11:58:00Z"),
		ROW(SAML_TIME, not_after, "soon"),
		ROW(SAML_TIME, confirmed_until, "NotOnOrAfter=\"2026-03-01T11:58:00Z\""),
		ROW(SAML_TIME, confirmed_until, ""),
		ROW(SAML_TIME, confirmed_until,
		    "NotOnOrAfter=\"2026-03-01T12:05:00Z\" NotBefore=\"2026-03-01T11:00:00Z\""),
		ROW(SAML_TIME, issued, "2026-03-01T12:02:01Z"),
		ROW(SAML_TIME, session, "SessionNotOnOrAfter=\"2026-03-01T11:50:00Z\""),
		ROW(SAML_STRUCTURE, version, "1.1"),
		ROW(SAML_STRUCTURE, assertion_id, "_response0001"),
		ROW(SAML_SUBJECT, format, "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"),
		ROW(SAML_SUBJECT, subject, ""),
		ROW(SAML_SUBJECT, subject, " ann"),
		ROW(SAML_SUBJECT, subject, "ann&#9;7"),
		ROW(SAML_SUBJECT, subject, "ann<saml:x/>"),
		ROW(SAML_STRUCTURE, subject, "ann<?x y?>"),
		ROW(SAML_STRUCTURE, assertion_more, "<saml:Advice><saml:Assertion/></saml:Advice>"),
		ROW(SAML_STRUCTURE, response_more, "<samlp:Extensions><Response/></samlp:Extensions>"),
	};
#undef ROW
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct idp_response p = idp_plain();
		enum saml_fault got;

		*(const char **)(void *)((char *)&p + rows[i].member) = rows[i].value;
		got = asked(&p, SIGN_RESPONSE | (i % 2 ? SIGN_ASSERTION : 0), &by_rsa).fault;
		if (got != rows[i].fault)
			print_message("row %zu: %s\n", i, rows[i].value);
		assert_fault(got, rows[i].fault);
	}
}

static void the_clock_of_the_provider_may_differ_by_two_minutes(void **state UNUSED)
{
	struct idp_response p = idp_plain();

	p.issued = p.not_before = "2026-03-01T12:02:00Z";
	p.not_after = "2026-03-01T11:58:01Z";
	p.confirmed_until = "NotOnOrAfter=\"2026-03-01T11:58:01Z\"";
	assert_fault(asked(&p, SIGN_ASSERTION, &by_rsa).fault, SAML_FINE);
}

/* One confirmation that fits is enough, wherever it stands. */
static void another_confirmation_does_no_harm(void **state UNUSED)
{
	struct idp_response p = idp_plain();

	p.acs = "https://else.example.org/acs";
	p.subject_more =
	    "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">"
	    "<saml:SubjectConfirmationData Recipient=\"" IDP_ACS "\" InResponseTo=\"" IDP_REQUEST
	    "\" NotOnOrAfter=\"2026-03-01T12:05:00Z\"/></saml:SubjectConfirmation>";
	assert_fault(asked(&p, SIGN_ASSERTION, &by_rsa).fault, SAML_FINE);
}

static void a_failure_is_told_from_a_forgery(void **state UNUSED)
{
	struct saml_question q = idp_question();
	char text[600];

#define STATUS_ONLY                                                                                \
	"<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_r\" "          \
	"Version=\"2.0\" InResponseTo=\"" IDP_REQUEST "\"><samlp:Status><samlp:StatusCode "        \
	"Value=\"urn:oasis:names:tc:SAML:2.0:status:%s\"/></samlp:Status></samlp:Response>"
	(void)snprintf(text, sizeof(text), STATUS_ONLY, "Requester");
	assert_fault(idp_ask(&q, slice_str(text)).fault, SAML_STATUS);
	(void)snprintf(text, sizeof(text), STATUS_ONLY, "Success");
	assert_fault(idp_ask(&q, slice_str(text)).fault, SAML_STRUCTURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_a_signature_names_is_read),
		cmocka_unit_test(every_method_that_is_taken_works),
		cmocka_unit_test(an_address_as_name_is_the_address),
		cmocka_unit_test(whatever_does_not_fit_is_refused),
		cmocka_unit_test(the_clock_of_the_provider_may_differ_by_two_minutes),
		cmocka_unit_test(another_confirmation_does_no_harm),
		cmocka_unit_test(a_failure_is_told_from_a_forgery),
	};

	idp_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
