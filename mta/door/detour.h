/* mta/door/detour.h - what is said to a proxy before the host behind it is heard: SOCKS5 (RFC 1928,
 * with the user and password of RFC 1929), or the header of HAProxy's PROXY protocol, version 2,
 * which asks for no answer.  No bytes are read or written here; whoever has the connection does.
 *
 * Owns:   struct proxy belongs to the settings; a talk is a value.
 * Fails:  detour_hear(): E_SYNTAX (it does not speak SOCKS5), E_DENIED (it does not take us), or a
 *         negative errno of the host behind it, which detour_is_hosts() tells apart.
 * Limits: PROXY_TEXT_MAX bytes of user and of password; an answer is at most 262 bytes. */
#pragma once
#include "base/address.h"
#include "base/buf.h"

enum { PROXY_TEXT_MAX = 255 };
enum proxy_kind { PROXY_SOCKS5, PROXY_HAPROXY };
struct proxy {
	enum proxy_kind kind;
	const char *name;
	struct ip ip;
	uint16_t port;
	const char *user, *password; /* NULL: none */
};

struct detour {
	const struct proxy *proxy;
	struct ip to, source;
	uint16_t port;
	uint8_t step;
	bool only_hello; /* the proxy's own health: no host is asked for */
};
/* What to say first goes to out.  source: the address that the proxy owns.  True: nothing is
 * answered, and the host's own bytes follow at once. */
bool detour_begin(struct detour *t, struct buf *out);
/* Reads what came.  1: the host's bytes follow; 0: more is needed, or out has what to say;
 * *ret_used bytes were used up. */
int detour_hear(struct detour *t, struct slice in, size_t *ret_used, struct buf *out) MUST_CHECK;
/* It was asked for the host: what goes wrong now need not be the proxy's fault. */
bool detour_asked(const struct detour *t);
/* The error is about the host behind the proxy, not about the proxy. */
bool detour_is_hosts(int err);
