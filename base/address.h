/* base/address.h - IP addresses and socket addresses, text both ways.
 * Limits: IPv6 zones are refused. */
#pragma once
#include <sys/socket.h>
#include <sys/un.h>

#include "base/base.h"

struct ip {
	uint8_t family; /* AF_INET or AF_INET6; 0 is "none" */
	uint8_t bytes[16];
};
#define IP_TEXT_MAX 48

int ip_parse(struct slice s, struct ip *ret) MUST_CHECK; /* E_SYNTAX */
char *ip_format(const struct ip *ip, char *buf);         /* buf holds IP_TEXT_MAX */
bool ip_eq(const struct ip *a, const struct ip *b);
bool ip_is_loopback(const struct ip *ip);
/* Is this never the address of a mail host on the Internet?  0/8, 127/8, ::1, ::,
 * private, link-local, unique-local, CGNAT, multicast, broadcast, and the IPv4-mapped and
 * NAT64 forms of these. */
bool ip_is_special(const struct ip *ip);

struct ip_net {
	struct ip ip;
	uint8_t bits;
};
int ip_net_parse(struct slice s, struct ip_net *ret) MUST_CHECK; /* 10.0.0.0/8, ::1, 127.0.0.1 */
bool ip_net_has(const struct ip_net *net, const struct ip *ip);

socklen_t ip_sockaddr(const struct ip *ip, uint16_t port, struct sockaddr_storage *ret);
void ip_from_sockaddr(const struct sockaddr *sa, struct ip *ret_ip, uint16_t *ret_port);
/* "127.0.0.1:25", "[::1]:25" */
int ip_port_parse(struct slice s, struct ip *ret_ip, uint16_t *ret_port) MUST_CHECK;
