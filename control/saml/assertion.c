/* control/saml/assertion.c - what an assertion says, and whether it says it to us and now. */
#include "control/contract/rfc3339.h"
#include "control/saml/inside.h"

#define BEARER "urn:oasis:names:tc:SAML:2.0:cm:bearer"
#define FORMAT_TRANSIENT "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
#define FORMAT_ENCRYPTED "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"
#define FORMAT_UNSPECIFIED "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
#define FORMAT_EMAIL "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
#define FORMAT_ENTITY "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
#define CLAIMS "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"

static const int64_t skew_ms = SAML_SKEW_S * 1000LL;

/* ---- times ------------------------------------------------------------------------------- */

/* An absent attribute leaves *ret as it is. */
static bool read_time(const xmlNode *n, const char *name, int64_t *ret)
{
	struct slice s = saml_xml_attribute(n, name);

	return xmlHasProp(n, (const xmlChar *)name) ? rfc3339_parse(s, ret) == 0 : true;
}

/* NotBefore and NotOnOrAfter of an element; *ret_until is the later one of what was known. */
static bool is_now(const struct saml_question *q, const xmlNode *n, int64_t *ret_until)
{
	int64_t from = 0, until = INT64_MAX;

	if (!read_time(n, "NotBefore", &from) || !read_time(n, "NotOnOrAfter", &until) ||
	    from > q->now_ms + skew_ms || until <= q->now_ms - skew_ms)
		return false;
	if (until != INT64_MAX)
		*ret_until = MAX_OF(*ret_until, until);
	return true;
}

/* ---- who says it, to whom ---------------------------------------------------------------- */

bool saml_assertion_issuer(const struct saml_question *q, const xmlNode *parent)
{
	const xmlNode *n = saml_xml_only(parent, SAML_NS_ASSERTION, "Issuer");
	char buf[SAML_URL_MAX + 1];
	struct slice text, format;

	if (!n || !saml_xml_token(n, buf, sizeof(buf), &text))
		return false;
	format = saml_xml_attribute(n, "Format");
	return slice_eq(text, q->issuer) && (!format.n || slice_eq(format, SLICE(FORMAT_ENTITY)));
}

static bool names_us(const struct saml_question *q, const xmlNode *restriction)
{
	char buf[SAML_URL_MAX + 1];
	struct slice text;
	bool found = false;

	for (const xmlNode *n = NULL;
	     (n = saml_xml_next(restriction, n, SAML_NS_ASSERTION, "Audience")) != NULL;)
		found = found ||
			(saml_xml_token(n, buf, sizeof(buf), &text) && slice_eq(text, q->audience));
	return found;
}

/* Every restriction must name us, and there must be one.  A condition that is not known makes the
 * assertion invalid (core 2.5.1). */
static enum saml_fault look_at_conditions(const struct saml_question *q, const xmlNode *assertion,
					  int64_t *ret_until)
{
	const xmlNode *c = saml_xml_only(assertion, SAML_NS_ASSERTION, "Conditions");
	bool restricted = false;

	if (!c)
		return SAML_AUDIENCE;
	if (!is_now(q, c, ret_until))
		return SAML_TIME;
	for (const xmlNode *n = c->children; n; n = n->next) {
		if (n->type != XML_ELEMENT_NODE ||
		    saml_xml_is(n, SAML_NS_ASSERTION, "OneTimeUse") ||
		    saml_xml_is(n, SAML_NS_ASSERTION, "ProxyRestriction"))
			continue;
		if (!saml_xml_is(n, SAML_NS_ASSERTION, "AudienceRestriction"))
			return SAML_STRUCTURE;
		if (!names_us(q, n))
			return SAML_AUDIENCE;
		restricted = true;
	}
	return restricted ? SAML_FINE : SAML_AUDIENCE;
}

/* ---- about whom -------------------------------------------------------------------------- */

static enum saml_fault look_at_confirmation(const struct saml_question *q, const xmlNode *n,
					    int64_t *ret_until)
{
	const xmlNode *data = saml_xml_only(n, SAML_NS_ASSERTION, "SubjectConfirmationData");

	if (!slice_eq(saml_xml_attribute(n, "Method"), SLICE(BEARER)) || !data ||
	    !slice_eq(saml_xml_attribute(data, "Recipient"), q->acs))
		return SAML_RECIPIENT;
	if (!slice_eq(saml_xml_attribute(data, "InResponseTo"), q->request))
		return SAML_REQUEST;
	/* Profiles 4.1.4.2: a bearer confirmation ends, and has no beginning. */
	if (!xmlHasProp(data, (const xmlChar *)"NotOnOrAfter") ||
	    xmlHasProp(data, (const xmlChar *)"NotBefore") || !is_now(q, data, ret_until))
		return SAML_TIME;
	return SAML_FINE;
}

/* One that fits is enough (profiles 4.1.4.3); the fault is that of the last. */
static enum saml_fault confirmed(const struct saml_question *q, const xmlNode *subject,
				 int64_t *ret_until)
{
	enum saml_fault f = SAML_RECIPIENT;

	for (const xmlNode *n = NULL;
	     (n = saml_xml_next(subject, n, SAML_NS_ASSERTION, "SubjectConfirmation")) != NULL;) {
		f = look_at_confirmation(q, n, ret_until);
		if (f == SAML_FINE)
			break;
	}
	return f;
}

static bool is_whole(struct slice s)
{
	return s.n && slice_trim_set(s, " \t\r\n").n == s.n;
}

static enum saml_fault read_name(const xmlNode *subject, struct saml_room *room,
				 struct saml_answer *ret)
{
	const xmlNode *n = saml_xml_only(subject, SAML_NS_ASSERTION, "NameID");
	struct slice format;

	if (saml_xml_next(subject, NULL, SAML_NS_ASSERTION, "EncryptedID"))
		return SAML_ENCRYPTED;
	if (!n || !saml_xml_text(n, room->subject, sizeof(room->subject), &ret->subject) ||
	    !is_whole(ret->subject))
		return SAML_SUBJECT;
	format = saml_xml_attribute(n, "Format");
	if (!format.n)
		format = SLICE(FORMAT_UNSPECIFIED);
	if (slice_eq(format, SLICE(FORMAT_TRANSIENT)) ||
	    slice_eq(format, SLICE(FORMAT_ENCRYPTED)) || format.n >= sizeof(room->format))
		return SAML_SUBJECT;
	ret->format =
	    slice_of(room->format, slice_copy(room->format, sizeof(room->format), format));
	return SAML_FINE;
}

/* ---- what else is said of them ----------------------------------------------------------- */

static const char *const email_names[] = {
	"urn:oid:0.9.2342.19200300.100.1.3", CLAIMS "emailaddress", "mail", "email", "emailAddress",
};
static const char *const name_names[] = {
	"urn:oid:2.16.840.1.113730.3.1.241",
	"http://schemas.microsoft.com/identity/claims/displayname",
	"displayName",
	"urn:oid:2.5.4.3",
	"cn",
	CLAIMS "name",
	"name",
};

/* The first value of the attribute of this name. */
static bool attribute(const xmlNode *assertion, const char *name, char *buf, size_t size,
		      struct slice *ret)
{
	const xmlNode *s = NULL, *a, *value;

	while ((s = saml_xml_next(assertion, s, SAML_NS_ASSERTION, "AttributeStatement")) != NULL)
		for (a = NULL; (a = saml_xml_next(s, a, SAML_NS_ASSERTION, "Attribute")) != NULL;) {
			if (!slice_eq(saml_xml_attribute(a, "Name"), slice_str(name)))
				continue;
			value = saml_xml_next(a, NULL, SAML_NS_ASSERTION, "AttributeValue");
			return value && saml_xml_token(value, buf, size, ret) && ret->n;
		}
	return false;
}

static struct slice attribute_of(const xmlNode *assertion, const char *const *names, size_t n,
				 char *buf, size_t size)
{
	struct slice s;

	for (size_t i = 0; i < n; i++)
		if (attribute(assertion, names[i], buf, size, &s))
			return s;
	return slice_of("", 0);
}

static void read_attributes(const xmlNode *assertion, struct saml_room *room,
			    struct saml_answer *ret)
{
	ret->email = attribute_of(assertion, email_names, ARRAY_LEN(email_names), room->email,
				  sizeof(room->email));
	if (!ret->email.n && slice_eq(ret->format, SLICE(FORMAT_EMAIL)))
		ret->email = ret->subject;
	ret->name = attribute_of(assertion, name_names, ARRAY_LEN(name_names), room->name,
				 sizeof(room->name));
}

/* That the person signed in, and a session of it that has not ended. */
static enum saml_fault read_session(const struct saml_question *q, const xmlNode *assertion,
				    struct saml_room *room, struct saml_answer *ret)
{
	const xmlNode *n = saml_xml_next(assertion, NULL, SAML_NS_ASSERTION, "AuthnStatement");
	int64_t end = INT64_MAX;

	if (!n)
		return SAML_SUBJECT;
	if (!read_time(n, "SessionNotOnOrAfter", &end) || end <= q->now_ms - skew_ms)
		return SAML_TIME;
	struct slice s = saml_xml_attribute(n, "SessionIndex");
	if (s.n < sizeof(room->session))
		ret->session =
		    slice_of(room->session, slice_copy(room->session, sizeof(room->session), s));
	return SAML_FINE;
}

/* ---- all of it --------------------------------------------------------------------------- */

static enum saml_fault read_id(const struct saml_question *q, const xmlNode *assertion,
			       struct saml_room *room, struct saml_answer *ret)
{
	struct slice id = saml_xml_attribute(assertion, "ID");
	int64_t issued = INT64_MAX;

	if (!slice_eq(saml_xml_attribute(assertion, "Version"), SLICE("2.0")) || !id.n ||
	    id.n >= sizeof(room->id))
		return SAML_STRUCTURE;
	if (!read_time(assertion, "IssueInstant", &issued) || issued > q->now_ms + skew_ms)
		return SAML_TIME;
	ret->assertion = slice_of(room->id, slice_copy(room->id, sizeof(room->id), id));
	return saml_assertion_issuer(q, assertion) ? SAML_FINE : SAML_ISSUER;
}

enum saml_fault saml_assertion_read(const struct saml_question *q, const xmlNode *assertion,
				    struct saml_room *room, struct saml_answer *ret)
{
	const xmlNode *subject = saml_xml_only(assertion, SAML_NS_ASSERTION, "Subject");
	enum saml_fault f = read_id(q, assertion, room, ret);

	ret->until_ms = q->now_ms;
	if (f == SAML_FINE)
		f = look_at_conditions(q, assertion, &ret->until_ms);
	if (f == SAML_FINE)
		f = subject ? confirmed(q, subject, &ret->until_ms) : SAML_SUBJECT;
	if (f == SAML_FINE)
		f = read_name(subject, room, ret);
	if (f == SAML_FINE)
		f = read_session(q, assertion, room, ret);
	if (f == SAML_FINE)
		read_attributes(assertion, room, ret);
	ret->until_ms += skew_ms;
	return f;
}
