/* Metadata of identity providers: what is read, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/encode.h"
#include "tests/unit/control/saml/idp.h"

#define REDIRECT "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
#define POST "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

struct metadata {
	const char *attributes, *uses[4], *binding, *inside;
	unsigned keys[4], n;
};

static struct metadata plain(void)
{
	return (struct metadata){ .attributes = "entityID=\"" IDP_ENTITY "\"",
				  .binding = REDIRECT,
				  .uses = { "use=\"signing\"", "", "use=\"encryption\"", "" },
				  .keys = { IDP_RSA, IDP_EC, IDP_OTHER, IDP_RSA },
				  .n = 4,
				  .inside = "" };
}

static struct saml_answer read(const struct metadata *m)
{
	struct saml_question q = { .kind = SAML_METADATA, .now_ms = idp_now_ms() };
	struct buf text = { 0 };
	struct saml_answer a;

	buf_putf(&text,
		 "<?xml version=\"1.0\"?>\n<EntityDescriptor "
		 "xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" "
		 "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" %s>%s<IDPSSODescriptor "
		 "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">",
		 m->attributes, m->inside);
	for (unsigned i = 0; i < m->n; i++) {
		struct buf der = { 0 };

		assert_int_equal(base64_encode(&der, idp_certificate(m->keys[i])), 0);
		buf_putf(
		    &text,
		    "<KeyDescriptor %s><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n\t%.64s\n"
		    "%s\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>",
		    m->uses[i], buf_cstr(&der), buf_cstr(&der) + 64);
		buf_free(&der);
	}
	buf_putf(&text,
		 "<SingleSignOnService Binding=\"" POST
		 "\" Location=\"https://idp.example.net/post\"/>"
		 "<SingleSignOnService Binding=\"%s\" "
		 "Location=\"https://idp.example.net/sso?a=1&amp;b=2\"/>"
		 "</IDPSSODescriptor></EntityDescriptor>",
		 m->binding);
	a = idp_ask(&q, buf_data(&text));
	buf_free(&text);
	return a;
}

static void assert_fault(struct saml_answer a, enum saml_fault wanted)
{
	assert_string_equal(saml_fault_name(a.fault), saml_fault_name(wanted));
}

static void name_address_and_certificates_are_read(void **state UNUSED)
{
	struct metadata m = plain();
	struct saml_answer a = read(&m);

	assert_fault(a, SAML_FINE);
	assert_true(slice_eq(a.entity, SLICE(IDP_ENTITY)));
	assert_true(slice_eq(a.sso, SLICE("https://idp.example.net/sso?a=1&b=2")));
	/* Not the one for encryption, and none twice. */
	assert_int_equal(a.n, 2);
	assert_true(slice_eq(a.certificates[0], idp_certificate(IDP_RSA)));
	assert_true(slice_eq(a.certificates[1], idp_certificate(IDP_EC)));
}

static void metadata_that_cannot_be_used_is_refused(void **state UNUSED)
{
	struct metadata m = plain();

	m.n = 0;
	assert_fault(read(&m), SAML_CERTIFICATE);
	m = plain();
	m.keys[1] = IDP_SMALL;
	assert_fault(read(&m), SAML_CERTIFICATE);
	m = plain();
	m.binding = POST;
	assert_fault(read(&m), SAML_STRUCTURE);
	m = plain();
	m.attributes = "";
	assert_fault(read(&m), SAML_STRUCTURE);
	m.attributes = "entityID=\"" IDP_ENTITY "\" validUntil=\"2026-03-01T11:00:00Z\"";
	assert_fault(read(&m), SAML_TIME);
	m.attributes = "entityID=\"" IDP_ENTITY "\" validUntil=\"2026-03-02T11:00:00Z\"";
	assert_fault(read(&m), SAML_FINE);
	m.inside = "<IDPSSODescriptor/>";
	assert_fault(read(&m), SAML_STRUCTURE);
}

static void other_documents_are_refused(void **state UNUSED)
{
	struct saml_question q = { .kind = SAML_METADATA, .now_ms = idp_now_ms() };

	assert_fault(idp_ask(&q, SLICE("")), SAML_MALFORMED);
	assert_fault(idp_ask(&q, SLICE("{}")), SAML_MALFORMED);
	assert_fault(idp_ask(&q, SLICE("<EntityDescriptor/>")), SAML_STRUCTURE);
	assert_fault(idp_ask(&q, SLICE("<!DOCTYPE x><EntityDescriptor/>")), SAML_DOCTYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_address_and_certificates_are_read),
		cmocka_unit_test(metadata_that_cannot_be_used_is_refused),
		cmocka_unit_test(other_documents_are_refused),
	};

	idp_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
