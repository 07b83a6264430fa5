/* Attacks on a response: the rows of docs/THREATS.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/encode.h"
#include "tests/unit/control/saml/idp.h"

#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
static const struct idp_signing by_rsa = { .key = IDP_RSA };
#define VICTIM "the-admin"

static xmlDoc *plain_document(void)
{
	struct idp_response p = idp_plain();
	struct buf text = { 0 };
	xmlDoc *d;

	idp_write(&p, &text);
	d = idp_parse(buf_cstr(&text));
	buf_free(&text);
	return d;
}

static xmlDoc *signed_document(const char *element, const struct idp_signing *how)
{
	xmlDoc *d = plain_document();

	idp_sign(d, idp_find(d, element), how);
	return d;
}

static enum saml_fault fault_of(xmlDoc *d)
{
	struct saml_question q = idp_question();
	struct saml_answer a = idp_ask_document(&q, d);

	assert_false(slice_eq(a.subject, SLICE(VICTIM)));
	return a.fault;
}

static void assert_fault(enum saml_fault got, enum saml_fault wanted)
{
	assert_string_equal(saml_fault_name(got), saml_fault_name(wanted));
}

/* ---- wrapping ---------------------------------------------------------------------------- */

static void set_subject(xmlNode *in, const char *text)
{
	xmlNode *at = idp_below(in->children, "NameID");

	assert(at);
	xmlNodeSetContent(at, (const xmlChar *)text);
}

static void set_id(xmlNode *n, const char *id)
{
	(void)xmlSetProp(n, (const xmlChar *)"ID", (const xmlChar *)id);
}

static void drop_signature(xmlNode *n)
{
	for (xmlNode *k = n->children; k; k = k->next)
		if (!strcmp((const char *)k->name, "Signature")) {
			xmlUnlinkNode(k);
			xmlFreeNode(k);
			return;
		}
}

static xmlNode *copy_of(xmlDoc *d, xmlNode *n)
{
	return xmlDocCopyNode(n, d, 1);
}

static xmlNode *new_below(xmlNode *parent, xmlNs *ns, const char *name)
{
	return xmlNewChild(parent, ns, (const xmlChar *)name, NULL);
}

/* The names are those of the literature (Somorovsky and others, "On Breaking SAML", 2012).  With
 * evil_id the forged element has an ID of its own; otherwise it has the one that is signed. */
static void wrap(xmlDoc *d, int form, bool evil_id)
{
	xmlNode *response = xmlDocGetRootElement(d), *assertion = idp_find(d, "Assertion");
	xmlNode *signature = idp_find(d, "Signature"), *original, *evil;

	switch (form) {
	case 1: /* the signed response inside the signature of a forged one */
	case 2: /* the same, before the signature */
		original = copy_of(d, response);
		drop_signature(original);
		set_subject(response, VICTIM);
		if (evil_id)
			set_id(response, "_evil");
		if (form == 1)
			(void)xmlAddChild(signature, original);
		else
			(void)xmlAddPrevSibling(signature, original);
		return;
	case 3: /* a forged assertion before the signed one */
		evil = copy_of(d, assertion);
		drop_signature(evil);
		set_subject(evil, VICTIM);
		if (evil_id)
			set_id(evil, "_evil");
		(void)xmlAddPrevSibling(assertion, evil);
		return;
	case 4: /* the signed one inside a forged one */
		evil = copy_of(d, assertion);
		drop_signature(evil);
		set_subject(evil, VICTIM);
		if (evil_id)
			set_id(evil, "_evil");
		(void)xmlAddPrevSibling(assertion, evil);
		xmlUnlinkNode(assertion);
		(void)xmlAddChild(evil, assertion);
		return;
	case 5: /* the signature in the forged one, the signed one behind it */
	case 6: /* the signed one inside the signature of the forged one */
	case 8: /* the same, in an Object */
		original = copy_of(d, assertion);
		drop_signature(original);
		set_subject(assertion, VICTIM);
		if (evil_id)
			set_id(assertion, "_evil");
		if (form == 5)
			(void)xmlAddChild(response, original);
		else if (form == 6)
			(void)xmlAddChild(signature, original);
		else
			(void)xmlAddChild(new_below(signature, signature->ns, "Object"), original);
		return;
	case 7: /* a forged one in Extensions, where a schema takes anything */
		evil = copy_of(d, assertion);
		drop_signature(evil);
		set_subject(evil, VICTIM);
		if (evil_id)
			set_id(evil, "_evil");
		original = xmlNewDocNode(d, response->ns, (const xmlChar *)"Extensions", NULL);
		(void)xmlAddChild(original, evil);
		(void)xmlAddPrevSibling(assertion, original);
		return;
	default:
		fail();
	}
}

static void no_wrapping_of_a_signature_names_anybody(void **state UNUSED)
{
	for (int form = 1; form <= 8; form++)
		for (int evil_id = 0; evil_id <= 1; evil_id++) {
			xmlDoc *d = signed_document(form <= 2 ? "Response" : "Assertion", &by_rsa);
			struct buf before = { 0 }, after = { 0 };
			enum saml_fault f;

			assert_fault(fault_of(d), SAML_FINE);
			idp_text(d, &before);
			wrap(d, form, evil_id);
			idp_text(d, &after);
			assert_non_null(
			    memmem(buf_data(&after).p, buf_len(&after), VICTIM, strlen(VICTIM)));
			f = fault_of(d);
			if (f != SAML_STRUCTURE)
				print_message("form %d, own id %d: %s\n", form, evil_id,
					      saml_fault_name(f));
			assert_fault(f, SAML_STRUCTURE);
			buf_free(&before);
			buf_free(&after);
			xmlFreeDoc(d);
		}
}

/* ---- the signature itself ---------------------------------------------------------------- */

static void refused(const char *element, const struct idp_signing *how, enum saml_fault wanted)
{
	xmlDoc *d = signed_document(element, how);

	assert_fault(fault_of(d), wanted);
	xmlFreeDoc(d);
}

static void without_a_signature_nobody_is_let_in(void **state UNUSED)
{
	xmlDoc *d = plain_document();

	assert_fault(fault_of(d), SAML_UNSIGNED);
	xmlFreeDoc(d);
	/* One of something else covers nothing. */
	d = signed_document("Assertion", &by_rsa);
	drop_signature(idp_find(d, "Assertion"));
	assert_fault(fault_of(d), SAML_UNSIGNED);
	xmlFreeDoc(d);
}

static void another_key_is_none_even_when_it_comes_along(void **state UNUSED)
{
	struct idp_signing how = { .key = IDP_OTHER };
	struct buf info = { 0 };

	refused("Assertion", &how, SAML_SIGNATURE);
	refused("Response", &how, SAML_SIGNATURE);
	buf_put(&info, SLICE("<ds:X509Data><ds:X509Certificate>"));
	assert_int_equal(base64_encode(&info, idp_certificate(IDP_OTHER)), 0);
	buf_put(&info, SLICE("</ds:X509Certificate></ds:X509Data>"));
	how.key_info = buf_cstr(&info);
	refused("Assertion", &how, SAML_SIGNATURE);
	/* The right key with a foreign certificate beside it is the right key. */
	how.key = IDP_RSA;
	refused("Assertion", &how, SAML_FINE);
	buf_free(&info);
}

static void both_signatures_must_be_right_when_there_are_two(void **state UNUSED)
{
	const struct idp_signing other = { .key = IDP_OTHER };
	xmlDoc *d = signed_document("Assertion", &other);

	idp_sign(d, xmlDocGetRootElement(d), &by_rsa);
	assert_fault(fault_of(d), SAML_SIGNATURE);
	xmlFreeDoc(d);
	d = signed_document("Assertion", &by_rsa);
	idp_sign(d, xmlDocGetRootElement(d), &other);
	assert_fault(fault_of(d), SAML_SIGNATURE);
	xmlFreeDoc(d);
}

static void methods_that_are_broken_or_not_meant_are_refused(void **state UNUSED)
{
	static const struct idp_signing rows[] = {
		{ .method = "http://www.w3.org/2000/09/xmldsig#rsa-sha1" },
		{ .digest = "http://www.w3.org/2000/09/xmldsig#sha1" },
		{ .hmac = true },
		{ .c14n = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315" },
		{ .c14n = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments" },
		{ .no_enveloped = true },
		{ .transform =
		      "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\">"
		      "<ds:XPath>true()</ds:XPath></ds:Transform>" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		refused("Assertion", &rows[i], SAML_ALGORITHM);
}

/* An empty URI stands for the whole document; what is signed then is not the element. */
static void a_reference_to_anything_else_is_refused(void **state UNUSED)
{
	refused("Assertion", &(struct idp_signing){ .uri = "" }, SAML_STRUCTURE);
	refused("Response", &(struct idp_signing){ .uri = "" }, SAML_STRUCTURE);
	refused("Assertion", &(struct idp_signing){ .uri = "#_response0001" }, SAML_STRUCTURE);
}

static void a_weak_key_is_not_taken(void **state UNUSED)
{
	struct saml_question q = idp_question();
	xmlDoc *d = signed_document("Assertion", &(struct idp_signing){ .key = IDP_SMALL });

	q.certificates[0] = idp_certificate(IDP_SMALL);
	assert_fault(idp_ask_document(&q, d).fault, SAML_CERTIFICATE);
	q.certificates[0] = SLICE("no certificate");
	assert_fault(idp_ask_document(&q, d).fault, SAML_CERTIFICATE);
	q.n = 0;
	assert_fault(idp_ask_document(&q, d).fault, SAML_CERTIFICATE);
	xmlFreeDoc(d);
}

static void what_was_signed_cannot_be_changed(void **state UNUSED)
{
	xmlDoc *d = signed_document("Assertion", &by_rsa);

	set_subject(xmlDocGetRootElement(d), VICTIM);
	assert_fault(fault_of(d), SAML_SIGNATURE);
	xmlFreeDoc(d);
}

/* ---- comments ---------------------------------------------------------------------------- */

/* The signature does not cover comments, so anybody may add them: the name stays whole. */
static void a_comment_does_not_shorten_a_name(void **state UNUSED)
{
	struct saml_question q = idp_question();
	struct idp_response p = idp_plain();
	struct buf text = { 0 }, changed = { 0 };
	struct saml_answer a;
	struct slice s;
	const char *at;
	xmlDoc *d;

	p.subject = VICTIM ".evil.example";
	idp_write(&p, &text);
	d = idp_parse(buf_cstr(&text));
	idp_sign(d, idp_find(d, "Assertion"), &by_rsa);
	idp_text(d, &text);
	s = buf_data(&text);
	at = memmem(s.p, s.n, ".evil.example", 13);
	assert_non_null(at);
	buf_put(&changed, slice_of(s.p, (size_t)(at - s.p)));
	buf_put(&changed, SLICE("<!-- -->"));
	buf_put(&changed, slice_skip(s, (size_t)(at - s.p)));
	a = idp_ask(&q, buf_data(&changed));
	assert_fault(a.fault, SAML_FINE);
	assert_true(slice_eq(a.subject, SLICE(VICTIM ".evil.example")));
	xmlFreeDoc(d);
	buf_free(&text);
	buf_free(&changed);
}

/* ---- XML --------------------------------------------------------------------------------- */

/* The text of a good response behind this head, and with this in place of the subject. */
static enum saml_fault with_head(const char *head, const char *subject)
{
	struct saml_question q = idp_question();
	struct idp_response p = idp_plain();
	struct buf text = { 0 }, whole = { 0 };
	enum saml_fault f;

	p.subject = subject;
	idp_write(&p, &text);
	buf_putf(&whole, "%s", head);
	buf_put(&whole, buf_data(&text));
	f = idp_ask(&q, buf_data(&whole)).fault;
	buf_free(&text);
	buf_free(&whole);
	return f;
}

static void entities_are_refused_before_they_are_read(void **state UNUSED)
{
	assert_fault(with_head("<?xml version=\"1.0\"?>", "ann"), SAML_UNSIGNED);
	assert_fault(with_head("<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>", "&x;"),
		     SAML_DOCTYPE);
	assert_fault(with_head("<!DOCTYPE r SYSTEM \"http://127.0.0.1:1/x.dtd\">", "ann"),
		     SAML_DOCTYPE);
	assert_fault(with_head("<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">"
			       "<!ENTITY c \"&b;&b;&b;&b;&b;\">]>",
			       "&c;"),
		     SAML_DOCTYPE);
	assert_fault(with_head("", "&x;"), SAML_MALFORMED);
}

static void other_encodings_are_refused(void **state UNUSED)
{
	struct saml_question q = idp_question();
	static const char utf16[] = "\xff\xfe<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0r\0>\0<\0r\0/\0>\0";
	static const char utf7[] =
	    "<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADwAIQ-DOCTYPE r+AD4-<r/>";

	assert_fault(idp_ask(&q, slice_of(utf16, sizeof(utf16) - 1)).fault, SAML_MALFORMED);
	assert_fault(idp_ask(&q, slice_of(utf7, sizeof(utf7) - 1)).fault, SAML_MALFORMED);
	assert_fault(idp_ask(&q, SLICE("<r>\xc3\x28</r>")).fault, SAML_MALFORMED);
}

static void put_often(struct buf *out, const char *text, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_put(out, slice_str(text));
}

static void size_depth_and_number_are_bounded(void **state UNUSED)
{
	struct saml_question q = idp_question();
	struct buf text = { 0 };

	put_often(&text, "<a>", 41);
	put_often(&text, "</a>", 41);
	assert_fault(idp_ask(&q, buf_data(&text)).fault, SAML_STRUCTURE);
	buf_clear(&text);
	put_often(&text, "<a>", 5000);
	assert_fault(idp_ask(&q, buf_data(&text)).fault, SAML_MALFORMED);
	buf_clear(&text);
	buf_put(&text, SLICE("<a>"));
	put_often(&text, "<b/>", 20001);
	buf_put(&text, SLICE("</a>"));
	assert_fault(idp_ask(&q, buf_data(&text)).fault, SAML_STRUCTURE);
	buf_clear(&text);
	buf_put(&text, SLICE("<a>"));
	put_often(&text, "          ", SAML_DOCUMENT_MAX / 10);
	buf_put(&text, SLICE("</a>"));
	assert_fault(idp_ask(&q, buf_data(&text)).fault, SAML_MALFORMED);
	buf_free(&text);
}

/* An ID of any kind twice makes a reference say two things. */
static void an_id_is_there_once(void **state UNUSED)
{
	struct saml_question q = idp_question();
	struct idp_response p = idp_plain();
	struct buf text = { 0 };

	p.attributes = "<saml:Attribute Name=\"x\" Id=\"_assertion0001\"/>";
	idp_write(&p, &text);
	assert_fault(idp_ask(&q, buf_data(&text)).fault, SAML_STRUCTURE);
	p.attributes = "<saml:Attribute Name=\"x\" xml:id=\"_assertion0001\"/>";
	idp_write(&p, &text);
	assert_fault(idp_ask(&q, buf_data(&text)).fault, SAML_STRUCTURE);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_wrapping_of_a_signature_names_anybody),
		cmocka_unit_test(without_a_signature_nobody_is_let_in),
		cmocka_unit_test(another_key_is_none_even_when_it_comes_along),
		cmocka_unit_test(both_signatures_must_be_right_when_there_are_two),
		cmocka_unit_test(methods_that_are_broken_or_not_meant_are_refused),
		cmocka_unit_test(a_reference_to_anything_else_is_refused),
		cmocka_unit_test(a_weak_key_is_not_taken),
		cmocka_unit_test(what_was_signed_cannot_be_changed),
		cmocka_unit_test(a_comment_does_not_shorten_a_name),
		cmocka_unit_test(entities_are_refused_before_they_are_read),
		cmocka_unit_test(other_encodings_are_refused),
		cmocka_unit_test(size_depth_and_number_are_bounded),
		cmocka_unit_test(an_id_is_there_once),
	};

	idp_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
