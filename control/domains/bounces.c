/* control/domains/bounces.c - where mail to a return path goes. */
#include "control/domains/bounces.h"

#include <stdio.h>

static bool is_nothing(int status)
{
	return status == E_DNS_NONE || status == E_DNS_NXDOMAIN;
}

static bool holds(const struct dns_answer *answer, const struct ip *ip)
{
	for (unsigned i = 0; i < answer->n; i++)
		if (ip_eq(&answer->records[i].ip, ip))
			return true;
	return false;
}

/* The addresses of one family.  BOUNCES_NOWHERE: the name has none. */
static enum bounces_way compare(struct inquiry *a, struct slice name, struct slice host,
				enum dns_type type)
{
	const struct dns_answer *theirs, *ours;
	int r = inquiry_ask(a, name, type, &theirs);

	if (r < 0)
		return is_nothing(r) || r == E_SYNTAX ? BOUNCES_NOWHERE : BOUNCES_UNSURE;
	r = inquiry_ask(a, host, type, &ours);
	if (r < 0)
		return is_nothing(r) ? BOUNCES_ELSEWHERE : BOUNCES_UNSURE;
	for (unsigned i = 0; i < theirs->n; i++)
		if (!holds(ours, &theirs->records[i].ip))
			return BOUNCES_ELSEWHERE;
	return BOUNCES_OURS;
}

static enum bounces_way by_address(struct inquiry *a, struct slice name, struct slice host)
{
	enum bounces_way v4 = compare(a, name, host, DNS_A), v6 = compare(a, name, host, DNS_AAAA);

	if (v4 == BOUNCES_ELSEWHERE || v6 == BOUNCES_ELSEWHERE)
		return BOUNCES_ELSEWHERE;
	if (v4 == BOUNCES_UNSURE || v6 == BOUNCES_UNSURE)
		return BOUNCES_UNSURE;
	return MAX_OF(v4, v6);
}

static enum bounces_way by_mx(struct inquiry *a, const struct dns_answer *mx, struct slice host,
			      char *why)
{
	unsigned best = UINT16_MAX;
	enum bounces_way way = BOUNCES_NOWHERE;

	for (unsigned i = 0; i < mx->n; i++)
		best = MIN_OF(best, (unsigned)mx->records[i].preference);
	for (unsigned i = 0; i < mx->n; i++) {
		struct slice name = mx->records[i].name;

		if (mx->records[i].preference != best)
			continue;
		way = BOUNCES_OURS;
		if (!slice_eq_nocase(name, host))
			way = by_address(a, name, host);
		if (way == BOUNCES_OURS)
			continue;
		(void)snprintf(why, BOUNCES_WHY_MAX, "mail goes to %.*s first, which is not %.*s",
			       (int)MIN_OF(name.n, (size_t)80), name.p,
			       (int)MIN_OF(host.n, (size_t)80), host.p);
		return way == BOUNCES_UNSURE ? way : BOUNCES_ELSEWHERE;
	}
	return way;
}

enum bounces_way bounces_find(struct inquiry *a, struct slice name, struct slice host,
			      char ret_why[BOUNCES_WHY_MAX])
{
	const struct dns_answer *mx;
	enum bounces_way way;
	int r = inquiry_ask(a, name, DNS_MX, &mx);

	ret_why[0] = '\0';
	if (r == 0)
		return by_mx(a, mx, host, ret_why);
	if (!is_nothing(r))
		return BOUNCES_UNSURE;
	way = by_address(a, name, host);
	if (way == BOUNCES_OURS)
		slice_copy(ret_why, BOUNCES_WHY_MAX,
			   SLICE("there is no MX, and the address is ours"));
	else if (way == BOUNCES_ELSEWHERE)
		slice_copy(ret_why, BOUNCES_WHY_MAX,
			   SLICE("there is no MX, and the address is not ours"));
	return way;
}
