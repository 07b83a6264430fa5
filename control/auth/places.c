/* control/auth/places.c - noting where logins came from. */
#include "control/auth/places.h"

#include <stdio.h>

#include "control/auth/statements.h"

enum { KEPT = 20 };

char *places_text(const struct call *c, char buf[PLACE_TEXT_MAX])
{
	struct ip ip = c->ip;
	char text[IP_TEXT_MAX];

	buf[0] = '\0';
	if (!ip.family)
		return buf;
	if (ip.family == AF_INET6)
		memset(ip.bytes + 8, 0, 8);
	(void)snprintf(buf, PLACE_TEXT_MAX, "%s/%d", ip_format(&ip, text),
		       ip.family == AF_INET6 ? 64 : 32);
	return buf;
}

int places_note(struct call *c, uint32_t org, uint64_t user)
{
	char net[PLACE_TEXT_MAX];
	int r;

	if (!places_text(c, net)[0])
		return 0;
	r = db_run(c->db, NULL, sql_auth_place_note, p_int(org), p_int(user), p_str(net));
	if (r >= 0)
		r = db_run(c->db, NULL, sql_auth_places_trim, p_int(org), p_int(user), p_int(KEPT));
	return r < 0 ? r : 0;
}

int places_forget(struct call *c, uint32_t org, uint64_t user)
{
	int r = db_run(c->db, NULL, sql_auth_places_forget, p_int(org), p_int(user));
	return r < 0 ? r : 0;
}
