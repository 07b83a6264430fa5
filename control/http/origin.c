/* control/http/origin.c - reads origins. */
#include "control/http/origin.h"

#include "base/address.h"

enum { LABEL_MAX = 63, HTTPS_PORT = 443, HTTP_PORT = 80 };

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static bool is_label(struct slice s)
{
	bool good = s.n > 0 && s.n <= LABEL_MAX;

	for (size_t i = 0; good && i < s.n; i++)
		good = (s.p[i] >= 'a' && s.p[i] <= 'z') || is_digit(s.p[i]) ||
		       (s.p[i] == '-' && i > 0 && i + 1 < s.n);
	return good;
}

/* Browsers take a host for an IPv4 address when its last label is a number, also 0x7f. */
static bool ends_in_number(struct slice host)
{
	struct slice before, last;
	bool digits = true;

	if (!slice_cut_last(host, '.', &before, &last))
		last = host;
	for (size_t i = 0; i < last.n; i++)
		digits &= is_digit(last.p[i]);
	return digits || (last.n > 1 && last.p[0] == '0' && last.p[1] == 'x');
}

static bool is_name(struct slice host)
{
	struct slice rest = host;

	if (!host.n || host.n > ORIGIN_HOST_MAX || host.p[host.n - 1] == '.')
		return false;
	while (rest.n)
		if (!is_label(slice_take(&rest, '.')))
			return false;
	return true;
}

/* In the one form that browsers write. */
static bool is_address(struct slice text, int family, struct ip *ret)
{
	char shortest[IP_TEXT_MAX];

	return ip_parse(text, ret) >= 0 && ret->family == family &&
	       slice_eq(slice_str(ip_format(ret, shortest)), text);
}

static const char *read_host(struct slice host, bool *ret_here)
{
	struct ip ip;

	*ret_here = false;
	if (host.n > 1 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		if (!is_address(slice_of(host.p + 1, host.n - 2), AF_INET6, &ip))
			return "must have an IPv6 address in its shortest form in the brackets";
		*ret_here = ip_is_loopback(&ip);
		return NULL;
	}
	if (!is_name(host))
		return "must have one host in small letters, without wildcards, path or user, and "
		       "international names in their form with xn--";
	if (!ends_in_number(host)) {
		*ret_here = slice_eq(host, SLICE("localhost"));
		return NULL;
	}
	if (!is_address(host, AF_INET, &ip))
		return "must have an IPv4 address of four decimal numbers";
	*ret_here = ip_is_loopback(&ip);
	return NULL;
}

/* Behind the colon, without signs and zeros in front. */
static const char *read_port(struct slice text, uint16_t usual, uint16_t *ret)
{
	uint64_t n = 0;

	if (!text.n || !is_digit(text.p[0]) || text.p[0] == '0' ||
	    slice_u64(text, UINT16_MAX, &n) < 0)
		return "must have a port from 1 to 65535, or none";
	if (n == usual)
		return "must not name the port that its scheme has anyway";
	*ret = (uint16_t)n;
	return NULL;
}

/* The colons of an IPv6 address are before its closing bracket. */
static bool cut_port(struct slice *host, struct slice *ret_port)
{
	struct slice before, port;

	if (!slice_cut_last(*host, ':', &before, &port) || memchr(port.p, ']', port.n))
		return false;
	*host = before;
	*ret_port = port;
	return true;
}

const char *origin_parse(struct slice s, struct origin *ret)
{
	struct slice rest = s, port;
	const char *fault = NULL;
	bool https, here;

	memset(ret, 0, sizeof(*ret));
	if (s.n > ORIGIN_MAX)
		return "is too long";
	https = slice_strip(&rest, SLICE("https://"));
	if (!https && !slice_strip(&rest, SLICE("http://")))
		return "must begin with https://";
	ret->scheme = https ? SLICE("https") : SLICE("http");
	if (cut_port(&rest, &port))
		fault = read_port(port, https ? HTTPS_PORT : HTTP_PORT, &ret->port);
	ret->host = rest;
	if (!fault)
		fault = read_host(rest, &here);
	if (!fault && !https && !here)
		fault = "must begin with https://: http is for this machine only";
	return fault;
}
