/* control/http/framing.c - requests whose end or whose host two readers could see differently (RFC
 * 9112 sections 3.2 and 6.3): a proxy in front may have read another request than we do. */
#include "control/http/private.h"

struct framing {
	unsigned hosts, lengths, codings;
	const char *fault;
};

/* tchar, RFC 9110 section 5.6.2 */
static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char b = (unsigned char)s.p[i];

		if (b <= 0x20 || b >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", b))
			return false;
	}
	return s.n > 0;
}

static bool is_host(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char b = (unsigned char)s.p[i];

		if (b <= 0x20 || b >= 0x7f || strchr("\"#,/<>?@\\^`{|}", b))
			return false;
	}
	return s.n > 0;
}

static bool is_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static const char *look_at(struct framing *f, struct slice name, struct slice value)
{
	if (!is_token(name))
		return "the name of a header has a character that may not be there";
	if (value.n && memchr(value.p, '\0', value.n))
		return "a header holds NUL";
	if (slice_eq_nocase(name, SLICE("Host"))) {
		if (++f->hosts > 1)
			return "there are two Host headers";
		return is_host(value) ? NULL : "the header Host is not a host";
	}
	if (slice_eq_nocase(name, SLICE("Content-Length"))) {
		if (++f->lengths > 1)
			return "there are two Content-Length headers";
		return is_digits(value) ? NULL : "Content-Length is not a number";
	}
	if (slice_eq_nocase(name, SLICE("Transfer-Encoding"))) {
		if (++f->codings > 1)
			return "there are two Transfer-Encoding headers";
		return slice_eq_nocase(value, SLICE("chunked"))
			   ? NULL
			   : "the only Transfer-Encoding taken is chunked";
	}
	return NULL;
}

static enum MHD_Result take(void *cls, enum MHD_ValueKind kind UNUSED, const char *name,
			    size_t name_n, const char *value, size_t value_n)
{
	struct framing *f = cls;

	f->fault =
	    look_at(f, slice_of(name, name_n), slice_trim(slice_of(value ? value : "", value_n)));
	return f->fault ? MHD_NO : MHD_YES;
}

const char *http_framing_fault(struct MHD_Connection *conn, const char *version)
{
	struct framing f = { 0 };
	bool old = !strcmp(version, "HTTP/1.0");

	if (!old && strcmp(version, "HTTP/1.1") != 0)
		return "the version is neither HTTP/1.1 nor HTTP/1.0";
	(void)MHD_get_connection_values_n(conn, MHD_HEADER_KIND, take, &f);
	if (f.fault)
		return f.fault;
	if (f.lengths && f.codings)
		return "there are both Content-Length and Transfer-Encoding";
	if (f.codings && old)
		return "HTTP/1.0 has no Transfer-Encoding";
	return !old && !f.hosts ? "there is no Host header" : NULL;
}
