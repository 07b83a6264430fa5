/* control/http/framing.c - requests whose end or whose host two readers could see differently (RFC
 * 9112 sections 3.2 and 6.3): a proxy in front may have read another request than we do. */
#include <stdio.h>

#include "control/http/private.h"

/* Fields of which two readers could take different ones, when they are there twice. */
static const char *const once[] = { "Host",           "Content-Length", "Transfer-Encoding",
				    "Content-Type",   "Authorization",  "X-Api-Key",
				    "Idempotency-Key" };
enum { F_HOST, F_LENGTH, F_CODING };

struct framing {
	unsigned seen[ARRAY_LEN(once)];
	char fault[FRAMING_FAULT_MAX];
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

/* The value is as the library compares it: what it does not trim is not trimmed here. */
static const char *look_at(unsigned which, struct slice value)
{
	switch (which) {
	case F_HOST:
		return is_host(slice_trim(value)) ? NULL : "the header Host is not a host";
	case F_LENGTH:
		return is_digits(slice_trim(value)) ? NULL : "Content-Length is not a number";
	case F_CODING:
		return slice_eq_nocase(value, SLICE("chunked"))
			   ? NULL
			   : "the only Transfer-Encoding taken is chunked";
	default:
		return NULL;
	}
}

static bool is_sound(struct slice value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] == '\0' || value.p[i] == '\r' || value.p[i] == '\n')
			return false;
	return true;
}

/* The library glues a line that continues a field to the field's name. */
static bool is_folded(struct slice name)
{
	for (unsigned i = F_LENGTH; i <= F_CODING; i++)
		if (slice_starts_nocase(name, slice_str(once[i])) && name.n > strlen(once[i]))
			return true;
	return false;
}

static const char *look_at_field(struct framing *f, struct slice name, struct slice value)
{
	if (!is_token(name))
		return "the name of a header has a character that may not be there";
	if (!is_sound(value))
		return "a header holds NUL, CR or LF";
	if (is_folded(name))
		return "a header of the body's length goes on over a second line";
	for (unsigned i = 0; i < ARRAY_LEN(once); i++) {
		if (!slice_eq_nocase(name, slice_str(once[i])))
			continue;
		if (++f->seen[i] == 1)
			return look_at(i, value);
		(void)snprintf(f->fault, sizeof(f->fault), "there are two %s headers", once[i]);
		return f->fault;
	}
	return NULL;
}

static enum MHD_Result take(void *cls, enum MHD_ValueKind kind UNUSED, const char *name,
			    size_t name_n, const char *value, size_t value_n)
{
	struct framing *f = cls;
	const char *fault = look_at_field(f, slice_of(name, name_n), slice_of(value, value_n));

	if (!fault)
		return MHD_YES;
	if (fault != f->fault)
		slice_copy(f->fault, sizeof(f->fault), slice_str(fault));
	return MHD_NO;
}

const char *http_framing_fault(struct MHD_Connection *conn, const char *version, char *buf)
{
	struct framing f = { 0 };
	bool old = !strcmp(version, "HTTP/1.0");

	if (!old && strcmp(version, "HTTP/1.1") != 0)
		return "the version is neither HTTP/1.1 nor HTTP/1.0";
	(void)MHD_get_connection_values_n(conn, MHD_HEADER_KIND, take, &f);
	if (f.fault[0]) {
		slice_copy(buf, FRAMING_FAULT_MAX, slice_str(f.fault));
		return buf;
	}
	if (f.seen[F_LENGTH] && f.seen[F_CODING])
		return "there are both Content-Length and Transfer-Encoding";
	if (f.seen[F_CODING] && old)
		return "HTTP/1.0 has no Transfer-Encoding";
	return !old && !f.seen[F_HOST] ? "there is no Host header" : NULL;
}

/* absolute-form of section 3.2.2: what the library takes for the path. */
const char *http_target_path(const char *target)
{
	static const struct slice schemes[] = { { "http://", 7 }, { "https://", 8 } };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		const char *host = target + schemes[i].n, *path;

		if (!slice_starts_nocase(slice_str(target), schemes[i]))
			continue;
		path = host + strcspn(host, "/");
		if (!is_host(slice_of(host, (size_t)(path - host))))
			return target;
		return *path ? path : "/";
	}
	return target;
}
