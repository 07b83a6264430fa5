/* dkim/published.c - judges the TXT record of a published key as verifiers do. */
#include <openssl/crypto.h>

#include "base/encode.h"
#include "dkim/key.h"

/* RFC 6376 section 3.2:
 *	tag-list  = tag-spec *( ";" tag-spec ) [ ";" ]
 *	tag-spec  = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
 *	tag-name  = ALPHA *ALNUMPUNC
 * and section 3.6.1: v=DKIM1 comes first when it is there; p= must be there; k= defaults to rsa; h=
 * and s= are lists joined by ":". */
enum { RECORD_MAX = 8192, TAGS_MAX = 32 };

struct published_record {
	struct slice v, k, p, h, s;
};

#define FWS " \t\r\n"

/* The text before the separator, without blanks; *rest is what follows. */
static struct slice cut(struct slice *rest, char separator)
{
	return slice_trim_set(slice_take(rest, separator), FWS);
}

static bool is_tag_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		bool alpha = c >= 'a' && c <= 'z';
		if (!alpha && (i == 0 || !((c >= '0' && c <= '9') || c == '_')))
			return false;
	}
	return s.n > 0;
}

static void keep_tag(struct published_record *rec, struct slice name, struct slice value)
{
	struct slice *places[] = { &rec->v, &rec->k, &rec->p, &rec->h, &rec->s };

	for (unsigned i = 0; name.n == 1 && i < ARRAY_LEN(places); i++)
		if (name.p[0] == "vkphs"[i])
			*places[i] = value;
}

static bool is_among(const struct slice *names, unsigned n, struct slice name)
{
	for (unsigned i = 0; i < n; i++)
		if (slice_eq(names[i], name))
			return true;
	return false;
}

static int parse_record(struct slice txt, struct published_record *rec)
{
	struct slice names[TAGS_MAX];

	for (unsigned i = 0; txt.n; i++) {
		struct slice tag = cut(&txt, ';'), name, value = tag;

		if (tag.n == 0 && slice_trim_set(txt, FWS).n == 0)
			break;
		name = cut(&value, '=');
		if (i == TAGS_MAX || !is_tag_name(name) || name.n == tag.n)
			return E_SYNTAX;
		/* Section 3.2: no tag occurs twice, whether it is known or not. */
		if (is_among(names, i, name) || (i > 0 && slice_eq(name, SLICE("v"))))
			return E_SYNTAX;
		names[i] = name;
		keep_tag(rec, name, slice_trim_set(value, FWS));
	}
	if (!rec->p.p || (rec->v.p && !slice_eq(rec->v, SLICE("DKIM1"))))
		return E_SYNTAX;
	return 0;
}

static struct slice type_of(const struct published_record *rec)
{
	return rec->k.p ? rec->k : SLICE("rsa");
}

/* An absent list allows everything. */
static bool list_allows(struct slice list, struct slice one, struct slice other)
{
	if (!list.p)
		return true;
	while (list.n) {
		struct slice entry = cut(&list, ':');
		if (slice_eq(entry, one) || slice_eq(entry, other))
			return true;
	}
	return false;
}

static int decode_public(struct slice text, struct buf *out)
{
	char *flat = must_alloc(text.n + 1); /* at most RECORD_MAX */
	size_t n = 0;
	int r;

	for (size_t i = 0; i < text.n; i++)
		if (!text.p[i] || !strchr(FWS, text.p[i]))
			flat[n++] = text.p[i];
	r = base64_decode(out, slice_of(flat, n));
	free(flat);
	return r;
}

/* type and ours: the key that the record should carry, ours as it stands in p= once decoded. */
static int judge(struct slice txt, struct slice type, struct slice ours)
{
	struct published_record rec = {};
	struct buf theirs;
	int r;

	if (txt.n > RECORD_MAX || parse_record(txt, &rec) < 0)
		return E_SYNTAX;
	if (rec.p.n == 0)
		return E_DENIED;
	if (!slice_eq(type_of(&rec), type))
		return E_CONFLICT;
	/* A record that no verifier would use for our mail counts as another key. */
	if (!list_allows(rec.h, SLICE("sha256"), SLICE("sha256")) ||
	    !list_allows(rec.s, SLICE("*"), SLICE("email")))
		return E_CONFLICT;
	buf_init(&theirs, 0);
	r = decode_public(rec.p, &theirs);
	if (r == 0 && !slice_eq(ours, buf_data(&theirs)))
		r = E_CONFLICT;
	buf_free(&theirs);
	return r;
}

int sign_key_published(const struct sign_key *key, struct slice txt)
{
	struct buf ours;
	int r;

	buf_init(&ours, 0);
	r = sign_key_public(key, &ours);
	if (r == 0)
		r = judge(txt, key->type == SIGN_RSA ? SLICE("rsa") : SLICE("ed25519"),
			  buf_data(&ours));
	buf_free(&ours);
	return r;
}

int sign_txt_published(struct slice expected, struct slice txt)
{
	struct published_record own = {};
	struct buf ours;
	int r;

	if (expected.n > RECORD_MAX || parse_record(expected, &own) < 0)
		return E_SYNTAX;
	buf_init(&ours, 0);
	r = decode_public(own.p, &ours);
	if (r == 0)
		r = judge(txt, type_of(&own), buf_data(&ours));
	buf_free(&ours);
	return r;
}
