/* base/address.c - IP addresses, networks and sockets, text both ways. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

int ip_parse(struct slice s, struct ip *ret)
{
	char text[IP_TEXT_MAX];
	struct ip ip = { 0 };

	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
		return E_SYNTAX;
	(void)slice_copy(text, sizeof(text), s);
	if (inet_pton(AF_INET, text, ip.bytes) == 1)
		ip.family = AF_INET;
	else if (inet_pton(AF_INET6, text, ip.bytes) == 1)
		ip.family = AF_INET6;
	else
		return E_SYNTAX;
	*ret = ip;
	return 0;
}

char *ip_format(const struct ip *ip, char *buf)
{
	if (!ip->family || !inet_ntop(ip->family, ip->bytes, buf, IP_TEXT_MAX))
		(void)slice_copy(buf, IP_TEXT_MAX, SLICE("none"));
	return buf;
}

bool ip_eq(const struct ip *a, const struct ip *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, a->family == AF_INET6 ? 16 : 4) == 0;
}

static bool prefix_eq(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	if (bits % 8 == 0)
		return true;
	uint8_t mask = (uint8_t)(0xff << (8 - bits % 8));
	return (a[bits / 8] & mask) == (b[bits / 8] & mask);
}

bool ip_net_has(const struct ip_net *net, const struct ip *ip)
{
	return net->ip.family == ip->family && prefix_eq(net->ip.bytes, ip->bytes, net->bits);
}

int ip_net_parse(struct slice s, struct ip_net *ret)
{
	struct slice text = s, length;
	bool with_length = slice_cut(s, '/', &text, &length);
	struct ip_net net;
	uint64_t bits;
	int r;

	r = ip_parse(text, &net.ip);
	if (r < 0)
		return r;
	bits = net.ip.family == AF_INET ? 32 : 128;
	if (with_length) {
		r = slice_u64(length, bits, &bits);
		if (r < 0)
			return E_SYNTAX;
	}
	net.bits = (uint8_t)bits;
	*ret = net;
	return 0;
}

bool ip_is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (ip->family == AF_INET)
		return ip->bytes[0] == 127;
	return ip->family == AF_INET6 && memcmp(ip->bytes, one, 16) == 0;
}

static bool v4_is_special(const uint8_t *b)
{
	return b[0] == 0 || b[0] == 10 || b[0] == 127 || b[0] >= 224 ||
	       (b[0] == 100 && (b[1] & 0xc0) == 64) || (b[0] == 169 && b[1] == 254) ||
	       (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
	       (b[0] == 192 && b[1] == 0 && b[2] == 0) || (b[0] == 198 && (b[1] & 0xfe) == 18);
}

bool ip_is_special(const struct ip *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t zero[15];
	const uint8_t *b = ip->bytes;

	if (ip->family == AF_INET)
		return v4_is_special(b);
	if (memcmp(b, mapped, 12) == 0 || memcmp(b, nat64, 12) == 0)
		return v4_is_special(b + 12);
	return (memcmp(b, zero, 15) == 0 && b[15] <= 1) || b[0] == 0xff ||
	       (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) || (b[0] & 0xfe) == 0xfc;
}

socklen_t ip_sockaddr(const struct ip *ip, uint16_t port, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (ip->family == AF_INET6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, ip->bytes, 16);
		return sizeof(*in6);
	}
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	memcpy(&in->sin_addr, ip->bytes, 4);
	return sizeof(*in);
}

void ip_from_sockaddr(const struct sockaddr *sa, struct ip *ret_ip, uint16_t *ret_port)
{
	*ret_ip = (struct ip){ 0 };
	*ret_port = 0;
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
		ret_ip->family = AF_INET;
		memcpy(ret_ip->bytes, &in->sin_addr, 4);
		*ret_port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
		ret_ip->family = AF_INET6;
		memcpy(ret_ip->bytes, &in6->sin6_addr, 16);
		*ret_port = ntohs(in6->sin6_port);
	}
}

int ip_port_parse(struct slice s, struct ip *ret_ip, uint16_t *ret_port)
{
	struct slice host, rest = s;
	struct ip ip;
	uint64_t port;

	if (slice_strip(&rest, SLICE("["))) {
		if (!slice_cut(rest, ']', &host, &rest) || !slice_strip(&rest, SLICE(":")))
			return E_SYNTAX;
	} else if (!slice_cut(s, ':', &host, &rest)) {
		return E_SYNTAX;
	}
	if (ip_parse(host, &ip) < 0 || slice_u64(rest, 65535, &port) < 0)
		return E_SYNTAX;
	*ret_ip = ip;
	*ret_port = (uint16_t)port;
	return 0;
}
