/* control/domains/dmarc.c - the text of a DMARC record. */
#include "control/domains/dmarc.h"

/* RFC 9989 section 4.8:
 *	dmarc-record  = dmarc-version *(dmarc-sep dmarc-tag) [dmarc-sep]
 *	dmarc-version = "v" equals %s"DMARC1"
 *	dmarc-sep     = *WSP ";" *WSP
 *	equals        = *WSP "=" *WSP
 *	dmarc-tag     = 1*ALPHA equals 1*dmarc-value
 *	dmarc-value   = %x20-3A / %x3C-7E
 *	dmarc-request = "none" / "quarantine" / "reject" */
enum dmarc_tag { TAG_P, TAG_SP, TAG_NP, TAG_PSD, TAG_T, TAG_RUA, TAGS };
static const char *const names[] = { [TAG_P] = "p",     [TAG_SP] = "sp", [TAG_NP] = "np",
				     [TAG_PSD] = "psd", [TAG_T] = "t",   [TAG_RUA] = "rua" };

static bool is_version(struct slice tag)
{
	struct slice name, value;

	/* Nothing may stand before the version; slice_trim() takes blanks from both ends. */
	return tag.n && ascii_lower(tag.p[0]) == 'v' && slice_cut(tag, '=', &name, &value) &&
	       slice_trim(name).n == 1 && slice_eq(slice_trim(value), SLICE("DMARC1"));
}

bool dmarc_is_record(struct slice txt)
{
	return is_version(slice_take(&txt, ';'));
}

static enum dmarc_policy policy(struct slice value)
{
	static const char *const words[] = { [DMARC_P_NONE] = "none",
					     [DMARC_P_QUARANTINE] = "quarantine",
					     [DMARC_P_REJECT] = "reject" };

	for (unsigned i = DMARC_P_NONE; i <= DMARC_P_REJECT; i++)
		if (slice_eq_nocase(value, slice_str(words[i])))
			return (enum dmarc_policy)i;
	return DMARC_P_BAD;
}

static bool is_alpha(char c)
{
	c = ascii_lower(c);
	return c >= 'a' && c <= 'z';
}

/* URI of RFC 3986, as far as it takes to tell it from none: a scheme, ":", and something of
 * printing characters; an address for mailto. */
static bool is_uri(struct slice s)
{
	struct slice scheme, rest, size;

	if (!slice_cut(s, ':', &scheme, &rest) || scheme.n == 0 || !is_alpha(scheme.p[0]))
		return false;
	for (size_t i = 0; i < scheme.n; i++)
		if (!is_alpha(scheme.p[i]) && !memchr("0123456789+-.", scheme.p[i], 13))
			return false;
	(void)slice_cut_last(rest, '!', &rest, &size); /* obs-dmarc-report-size */
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] <= 0x20 || rest.p[i] > 0x7e || strchr("<>\"\\^`{|}!", rest.p[i]))
			return false;
	if (!slice_eq_nocase(scheme, SLICE("mailto")))
		return rest.n > 0;
	return rest.n > 2 && memchr(rest.p + 1, '@', rest.n - 2);
}

static bool has_uri(struct slice list)
{
	while (list.n)
		if (is_uri(slice_trim(slice_take(&list, ','))))
			return true;
	return false;
}

static char one_of(struct slice value, const char *letters, char other)
{
	char c = value.n == 1 ? ascii_lower(value.p[0]) : '\0';

	return c && strchr(letters, c) ? c : other;
}

static void take(struct dmarc_record *ret, enum dmarc_tag tag, struct slice value)
{
	switch (tag) {
	case TAG_P:
		ret->p = policy(value);
		ret->p_text = value;
		break;
	case TAG_SP:
		ret->sp = policy(value);
		ret->sp_text = value;
		break;
	case TAG_NP:
		ret->np = policy(value);
		ret->np_text = value;
		break;
	case TAG_PSD:
		ret->psd = one_of(value, "ynu", 'u');
		break;
	case TAG_T:
		ret->testing = one_of(value, "yn", 'n') == 'y';
		break;
	case TAG_RUA:
		ret->reports = has_uri(value);
		break;
	case TAGS:
		break;
	}
}

/* Names of tags are case-sensitive (RFC 6376 section 3.2, which section 4.7 refers to). */
static enum dmarc_tag tag_of(struct slice name)
{
	unsigned i = 0;

	while (i < TAGS && !slice_eq(name, slice_str(names[i])))
		i++;
	return (enum dmarc_tag)i;
}

int dmarc_parse(struct slice txt, struct dmarc_record *ret)
{
	struct slice name, value;
	bool seen[TAGS + 1] = { false };
	enum dmarc_tag tag;

	if (!is_version(slice_take(&txt, ';')))
		return E_SYNTAX;
	*ret = (struct dmarc_record){ .psd = 'u' };
	while (txt.n) {
		if (!slice_cut(slice_take(&txt, ';'), '=', &name, &value))
			continue;
		tag = tag_of(slice_trim(name));
		if (tag == TAGS)
			continue;
		ret->repeated = ret->repeated || seen[tag];
		seen[tag] = true;
		take(ret, tag, slice_trim(value));
	}
	return 0;
}
