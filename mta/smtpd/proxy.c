/* mta/smtpd/proxy.c - the header of a proxy, both versions. */
#include "mta/smtpd/proxy.h"

#include <netinet/in.h>

enum { V1_MAX = 107, V2_HEAD = 16 };
static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
#define SIGNATURE SLICE(signature)

/* Do both agree as far as they go? */
static bool agrees(struct slice in, struct slice with)
{
	return memcmp(in.p, with.p, MIN_OF(in.n, with.n)) == 0;
}

/* A mapped address is the IPv4 address that it stands for. */
static struct ip plain_ip(struct ip ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ip four = { .family = AF_INET };

	if (ip.family != AF_INET6 || memcmp(ip.bytes, mapped, sizeof(mapped)) != 0)
		return ip;
	memcpy(four.bytes, ip.bytes + 12, 4);
	return four;
}

/* ---- version 1 --------------------------------------------------------------------------- */

static int take_ip(struct slice *rest, uint8_t family, struct ip *ret)
{
	return ip_parse(slice_take(rest, ' '), ret) < 0 || ret->family != family ? E_SYNTAX : 0;
}

static int take_port(struct slice *rest)
{
	uint64_t port;

	return slice_u64(slice_take(rest, ' '), UINT16_MAX, &port) < 0 ? E_SYNTAX : 0;
}

/* The line without "PROXY " and CRLF. */
static int take_line(struct slice line, struct ip *ret)
{
	struct slice kind = slice_take(&line, ' ');
	uint8_t family = slice_eq(kind, SLICE("TCP4")) ? AF_INET : AF_INET6;
	struct ip to;
	int r;

	*ret = (struct ip){ 0 };
	if (slice_eq(kind, SLICE("UNKNOWN")))
		return 0;
	if (!slice_eq(kind, SLICE("TCP4")) && !slice_eq(kind, SLICE("TCP6")))
		return E_SYNTAX;
	r = take_ip(&line, family, ret);
	if (r == 0)
		r = take_ip(&line, family, &to);
	if (r == 0)
		r = take_port(&line);
	if (r == 0)
		r = take_port(&line);
	*ret = plain_ip(*ret);
	return r == 0 && line.n ? E_SYNTAX : r;
}

static int parse_v1(struct slice in, struct ip *ret_client, size_t *ret_used)
{
	const char *cr = memchr(in.p, '\r', MIN_OF(in.n, (size_t)V1_MAX));
	size_t n = cr ? (size_t)(cr - in.p) : 0;
	int r;

	if (!cr)
		return in.n >= V1_MAX ? E_LIMIT : 0;
	if (n + 2 > V1_MAX)
		return E_LIMIT;
	if (n + 2 > in.n)
		return 0;
	if (cr[1] != '\n')
		return E_SYNTAX;
	r = take_line(slice_of(in.p + 6, n - 6), ret_client);
	*ret_used = n + 2;
	return r < 0 ? r : 1;
}

/* ---- version 2 --------------------------------------------------------------------------- */

static int take_v2(const uint8_t *head, struct slice addresses, struct ip *ret)
{
	static const struct {
		uint8_t family, af;
		size_t size, ip;
	} rows[] = { { 0x11, AF_INET, 12, 4 }, { 0x21, AF_INET6, 36, 16 } };
	unsigned command = head[12] & 15;

	*ret = (struct ip){ 0 };
	if (head[12] >> 4 != 2 || command > 1)
		return E_SYNTAX;
	if (command == 0 || head[13] == 0x00)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (head[13] != rows[i].family)
			continue;
		if (addresses.n < rows[i].size)
			return E_SYNTAX;
		ret->family = rows[i].af;
		memcpy(ret->bytes, addresses.p, rows[i].ip);
		*ret = plain_ip(*ret);
		return 0;
	}
	return E_SYNTAX;
}

static int parse_v2(struct slice in, struct ip *ret_client, size_t *ret_used)
{
	const uint8_t *head = (const uint8_t *)in.p;
	size_t length;
	int r;

	if (in.n < V2_HEAD)
		return 0;
	length = (size_t)head[14] << 8 | head[15];
	if (V2_HEAD + length > PROXY_HEADER_MAX)
		return E_LIMIT;
	if (in.n < V2_HEAD + length)
		return 0;
	r = take_v2(head, slice_of(in.p + V2_HEAD, length), ret_client);
	*ret_used = V2_HEAD + length;
	return r < 0 ? r : 1;
}

int proxy_parse(struct slice in, struct ip *ret_client, size_t *ret_used)
{
	if (!in.n)
		return 0;
	if (agrees(in, SIGNATURE))
		return parse_v2(in, ret_client, ret_used);
	if (!agrees(in, SLICE("PROXY ")))
		return E_SYNTAX;
	return in.n < 6 ? 0 : parse_v1(in, ret_client, ret_used);
}
