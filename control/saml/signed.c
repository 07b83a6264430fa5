/* control/saml/signed.c - XML signatures: their shape by us, the arithmetic by xmlsec. */
#include "control/saml/signed.h"

#include <libxml/xmlerror.h>
#include <openssl/x509.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/io.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>

#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define C14N "http://www.w3.org/2001/10/xml-exc-c14n#"
#define ENVELOPED SAML_NS_DSIG "enveloped-signature"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, ID_MAX = 256 };

static void silent(void *ctx UNUSED, const char *format UNUSED, ...)
{
}

static void silent_structured(void *ctx UNUSED, xmlError *error UNUSED)
{
}

static void silent_xmlsec(const char *file UNUSED, int line UNUSED, const char *function UNUSED,
			  const char *object UNUSED, const char *subject UNUSED, int reason UNUSED,
			  const char *text UNUSED)
{
}

int saml_signed_prepare(void)
{
	static bool done;

	if (done)
		return 0;
	xmlInitParser();
	xmlSetGenericErrorFunc(NULL, silent);
	xmlSetStructuredErrorFunc(NULL, silent_structured);
	if (xmlSecInit() < 0 || xmlSecCheckVersion() != 1 || xmlSecCryptoAppInit(NULL) < 0 ||
	    xmlSecCryptoInit() < 0)
		return E_CRYPTO;
	xmlSecErrorsSetCallback(silent_xmlsec);
	xmlSecIOCleanupCallbacks(); /* no address leads anywhere */
	done = true;
	return 0;
}

/* ---- keys -------------------------------------------------------------------------------- */

static bool is_taken(EVP_PKEY *key)
{
	char group[40];
	size_t n;

	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN &&
		       EVP_PKEY_get_bits(key) <= RSA_BITS_MAX;
	if (!EVP_PKEY_is_a(key, "EC") || !EVP_PKEY_get_group_name(key, group, sizeof(group), &n))
		return false;
	return !strcmp(group, "prime256v1") || !strcmp(group, "secp384r1") ||
	       !strcmp(group, "secp521r1");
}

static EVP_PKEY *key_of(struct slice der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	EVP_PKEY *key = NULL;

	if (x && p == (const unsigned char *)der.p + der.n)
		key = X509_get_pubkey(x);
	X509_free(x);
	if (key && !is_taken(key)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

enum saml_fault saml_signed_keys(const struct slice *certificates, unsigned n,
				 struct saml_keys *ret)
{
	struct saml_keys k = { .n = n };
	bool all = n > 0;

	for (unsigned i = 0; i < n; i++) {
		k.key[i] = key_of(certificates[i]);
		all = all && k.key[i];
	}
	if (!all) {
		saml_signed_keys_free(&k);
		return SAML_CERTIFICATE;
	}
	*ret = k;
	return SAML_FINE;
}

void saml_signed_keys_free(struct saml_keys *k)
{
	for (unsigned i = 0; i < k->n; i++)
		EVP_PKEY_free(k->key[i]);
	k->n = 0;
}

/* ---- shape ------------------------------------------------------------------------------- */

static const char *const signature_methods[] = {
	MORE "rsa-sha256",   MORE "rsa-sha384",   MORE "rsa-sha512",
	MORE "ecdsa-sha256", MORE "ecdsa-sha384", MORE "ecdsa-sha512",
};
static const char *const digest_methods[] = {
	"http://www.w3.org/2001/04/xmlenc#sha256",
	MORE "sha384",
	"http://www.w3.org/2001/04/xmlenc#sha512",
};

static bool is_one_of(struct slice s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(s, slice_str(list[i])))
			return true;
	return false;
}

/* The child elements are exactly these, in this order; one whose name ends in "?" may be absent. */
static bool has_children(const xmlNode *n, const char *ns, const char *const *names, size_t n_names)
{
	const xmlNode *k = n->children;

	for (size_t i = 0; i <= n_names; i++) {
		while (k && k->type != XML_ELEMENT_NODE)
			k = k->next;
		if (i == n_names)
			return k == NULL;
		struct slice name = slice_str(names[i]);
		bool optional = name.p[name.n - 1] == '?';
		name.n -= optional;
		if (saml_xml_is(k, ns, (const char *)(k ? k->name : NULL)) &&
		    slice_eq(name, slice_str((const char *)k->name)))
			k = k->next;
		else if (!optional)
			return false;
	}
	return false;
}
#define HAS_CHILDREN(n, ns, ...)                                                                   \
	({                                                                                         \
		static const char *const names_[] = { __VA_ARGS__ };                               \
		has_children((n), (ns), names_, ARRAY_LEN(names_));                                \
	})

static bool is_method(const xmlNode *n, const char *const *list, size_t count)
{
	return n && has_children(n, "", NULL, 0) &&
	       is_one_of(saml_xml_attribute(n, "Algorithm"), list, count);
}

static bool is_c14n(const xmlNode *n)
{
	return n && slice_eq(saml_xml_attribute(n, "Algorithm"), SLICE(C14N)) &&
	       HAS_CHILDREN(n, C14N, "InclusiveNamespaces?");
}

static bool is_enveloped(const xmlNode *n)
{
	return n && slice_eq(saml_xml_attribute(n, "Algorithm"), SLICE(ENVELOPED)) &&
	       has_children(n, "", NULL, 0);
}

static enum saml_fault look_at_reference(const xmlNode *reference, struct slice id)
{
	const xmlNode *transforms = saml_xml_only(reference, SAML_NS_DSIG, "Transforms"), *first;
	struct slice uri = saml_xml_attribute(reference, "URI");

	if (!HAS_CHILDREN(reference, SAML_NS_DSIG, "Transforms", "DigestMethod", "DigestValue") ||
	    !slice_strip(&uri, SLICE("#")) || !slice_eq(uri, id))
		return SAML_STRUCTURE;
	first = saml_xml_next(transforms, NULL, SAML_NS_DSIG, "Transform");
	if (!HAS_CHILDREN(transforms, SAML_NS_DSIG, "Transform", "Transform") ||
	    !is_enveloped(first) ||
	    !is_c14n(saml_xml_next(transforms, first, SAML_NS_DSIG, "Transform")) ||
	    !is_method(saml_xml_only(reference, SAML_NS_DSIG, "DigestMethod"), digest_methods,
		       ARRAY_LEN(digest_methods)))
		return SAML_ALGORITHM;
	return SAML_FINE;
}

/* xmlsec would do more than is wanted: only what has exactly this shape is given to it. */
static enum saml_fault look_at_signature(const xmlNode *signature, struct slice id)
{
	const xmlNode *info = saml_xml_only(signature, SAML_NS_DSIG, "SignedInfo");

	if (!HAS_CHILDREN(signature, SAML_NS_DSIG, "SignedInfo", "SignatureValue", "KeyInfo?") ||
	    !HAS_CHILDREN(info, SAML_NS_DSIG, "CanonicalizationMethod", "SignatureMethod",
			  "Reference"))
		return SAML_STRUCTURE;
	if (!is_c14n(saml_xml_only(info, SAML_NS_DSIG, "CanonicalizationMethod")) ||
	    !is_method(saml_xml_only(info, SAML_NS_DSIG, "SignatureMethod"), signature_methods,
		       ARRAY_LEN(signature_methods)))
		return SAML_ALGORITHM;
	return look_at_reference(saml_xml_only(info, SAML_NS_DSIG, "Reference"), id);
}

xmlNode *saml_signed_by(const xmlNode *element)
{
	return saml_xml_only(element, SAML_NS_DSIG, "Signature");
}

/* ---- arithmetic -------------------------------------------------------------------------- */

/* The bytes of the only reference, once it and the signature are right. */
static bool copy_covered(xmlSecDSigCtx *ctx, struct buf *out)
{
	xmlSecDSigReferenceCtx *reference;
	xmlSecBuffer *bytes;

	if (ctx->status != xmlSecDSigStatusSucceeded ||
	    xmlSecPtrListGetSize(&ctx->signedInfoReferences) != 1)
		return false;
	reference = xmlSecPtrListGetItem(&ctx->signedInfoReferences, 0);
	bytes = reference && reference->status == xmlSecDSigStatusSucceeded
		    ? xmlSecDSigReferenceCtxGetPreDigestBuffer(reference)
		    : NULL;
	return bytes && xmlSecBufferGetSize(bytes) &&
	       buf_append(out, slice_of(xmlSecBufferGetData(bytes), xmlSecBufferGetSize(bytes))) ==
		   0;
}

static xmlSecKey *as_xmlsec(EVP_PKEY *pkey)
{
	xmlSecKey *key = xmlSecKeyCreate();
	xmlSecKeyData *data;

	if (!key || !EVP_PKEY_up_ref(pkey)) {
		xmlSecKeyDestroy(key);
		return NULL;
	}
	data = xmlSecOpenSSLEvpKeyAdopt(pkey);
	if (!data) {
		EVP_PKEY_free(pkey);
		xmlSecKeyDestroy(key);
		return NULL;
	}
	if (xmlSecKeySetValue(key, data) < 0) {
		xmlSecKeyDataDestroy(data);
		xmlSecKeyDestroy(key);
		return NULL;
	}
	return key;
}

static bool verify_with(xmlNode *signature, EVP_PKEY *pkey, struct buf *out)
{
	xmlSecDSigCtx *ctx = xmlSecDSigCtxCreate(NULL);
	bool right = false;

	if (ctx) {
		ctx->flags = XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS |
			     XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES;
		ctx->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
		ctx->signKey = as_xmlsec(pkey); /* with it, KeyInfo is not read */
		right = ctx->signKey && xmlSecDSigCtxVerify(ctx, signature) == 0 &&
			copy_covered(ctx, out);
		xmlSecDSigCtxDestroy(ctx);
	}
	return right;
}

/* "#id" leads to this element and no other. */
static bool name_element(saml_xml *d, xmlNode *element, struct slice id)
{
	char text[ID_MAX];
	xmlAttr *a = xmlHasProp(element, (const xmlChar *)"ID");

	if (!a || !id.n || id.n >= sizeof(text))
		return false;
	(void)slice_copy(text, sizeof(text), id);
	if (xmlGetID(d, (const xmlChar *)text) != a && !xmlAddID(NULL, d, (const xmlChar *)text, a))
		return false;
	a = xmlGetID(d, (const xmlChar *)text);
	return a && a->parent == element;
}

enum saml_fault saml_signed_bytes(saml_xml *d, xmlNode *element, const struct saml_keys *keys,
				  struct buf *out)
{
	xmlNode *signature = saml_signed_by(element);
	struct slice id = saml_xml_attribute(element, "ID");
	enum saml_fault f;

	if (!signature || !name_element(d, element, id))
		return signature ? SAML_STRUCTURE : SAML_UNSIGNED;
	f = look_at_signature(signature, id);
	if (f != SAML_FINE)
		return f;
	for (unsigned i = 0; i < keys->n; i++)
		if (verify_with(signature, keys->key[i], out))
			return SAML_FINE;
	return SAML_SIGNATURE;
}
