/* control/http/route_print.c - the route table as text (postern-control --routes). */
#include <stdio.h>

#include "control/http/gate.h"

static const char *const auths[] = { "none", "member", "session", "platform" };

static const char *permission(const struct http_gate *gate, uint64_t permit)
{
	for (unsigned bit = 0; gate->permit_name(bit); bit++)
		if (permit == 1ULL << bit)
			return gate->permit_name(bit);
	return permit ? "several" : "";
}

static const char *listeners_text(unsigned set, char *buf, size_t size)
{
	static const char *const names[] = { "api", "public", "admin" };
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (set & 1U << i)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? "," : "", names[i]);
	return buf;
}

void http_route_print(const struct http_gate *gate)
{
	char where[64];
	unsigned set;

	for (unsigned i = 0; i < http_route_count(); i++) {
		const struct http_route *row = http_route_at(i, &set);

		printf("%s\t%s\t%s\t%s\t%s\t%s\n", row->method, row->path, auths[row->auth],
		       permission(gate, row->permit), listeners_text(set, where, sizeof(where)),
		       row->flags & ROUTE_IDEMPOTENT ? "idempotent" : "-");
	}
}
