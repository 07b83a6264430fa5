/* mta/metrics/web.c - reading the head of a request. */
#include "mta/metrics/web.h"

/* The next line, without its end; false: its end is not here. */
static bool next_line(struct slice *rest, struct slice *ret)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	size_t n;

	if (!rest->n || !end)
		return false;
	n = (size_t)(end - rest->p);
	*ret = slice_of(rest->p, n && rest->p[n - 1] == '\r' ? n - 1 : n);
	*rest = slice_skip(*rest, n + 1);
	return true;
}

/* The length of the head with the empty line at its end; 0: it is not here. */
static size_t head_length(struct slice in)
{
	struct slice rest = slice_of(in.p, MIN_OF(in.n, (size_t)WEB_HEAD_MAX)), line;

	while (next_line(&rest, &line))
		if (!line.n)
			return (size_t)(rest.p - in.p);
	return 0;
}

/* tchar of RFC 9110 section 5.6.2 */
static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && !(c >= '0' && c <= '9') && (!c || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return s.n > 0;
}

static bool is_text(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool is_path(struct slice s)
{
	return s.n && *s.p == '/' && is_text(s) && !memchr(s.p, '\t', s.n);
}

static int request_line(struct slice line, struct web_request *ret, bool *ret_host_needed)
{
	struct slice method, target, version, path, query;

	if (!slice_cut(line, ' ', &method, &target) || !slice_cut(target, ' ', &path, &version) ||
	    !is_token(method) || !is_path(path))
		return -400;
	if (!slice_strip(&version, SLICE("HTTP/")) || version.n != 3 || version.p[1] != '.' ||
	    version.p[0] < '0' || version.p[0] > '9' || version.p[2] < '0' || version.p[2] > '9')
		return -400;
	if (*version.p != '1')
		return -505;
	*ret_host_needed = version.p[2] != '0';
	ret->method = slice_eq(method, SLICE("GET"))    ? WEB_GET
		      : slice_eq(method, SLICE("HEAD")) ? WEB_HEAD
							: WEB_OTHER;
	ret->path = slice_cut(path, '?', &path, &query) ? path : path;
	return 0;
}

/* Fields that change what follows: a body is not taken. */
static int field_line(struct slice line, unsigned *hosts)
{
	struct slice name, value;

	if (!slice_cut(line, ':', &name, &value) || !is_token(name) || !is_text(value))
		return -400;
	while (value.n && (*value.p == ' ' || *value.p == '\t'))
		value = slice_skip(value, 1);
	*hosts += slice_eq_nocase(name, SLICE("host"));
	if (slice_eq_nocase(name, SLICE("transfer-encoding")) ||
	    (slice_eq_nocase(name, SLICE("content-length")) && !slice_eq(value, SLICE("0"))))
		return -400;
	return 0;
}

int web_parse(struct slice in, struct web_request *ret)
{
	size_t n = head_length(in);
	struct slice rest = slice_of(in.p, n), line;
	bool host_needed = false;
	unsigned hosts = 0;
	int r;

	if (!n)
		return in.n >= WEB_HEAD_MAX ? -431 : 0;
	if (!next_line(&rest, &line))
		return -400;
	r = request_line(line, ret, &host_needed);
	while (r == 0 && next_line(&rest, &line) && line.n)
		r = field_line(line, &hosts);
	if (r == 0 && (hosts > 1 || (host_needed && !hosts)))
		r = -400;
	return r < 0 ? r : (int)n;
}

const char *web_status(int status)
{
	switch (status) {
	case 200:
		return "200 OK";
	case 404:
		return "404 Not Found";
	case 405:
		return "405 Method Not Allowed";
	case 408:
		return "408 Request Timeout";
	case 431:
		return "431 Request Header Fields Too Large";
	case 505:
		return "505 HTTP Version Not Supported";
	default:
		return "400 Bad Request";
	}
}
