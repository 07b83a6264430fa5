/* mta/config/entries.c - networks, listeners and words of list options. */
#include "mta/config/entries.h"

int net_list_add(struct net_list *l, struct slice entry)
{
	if (l->n == NETS_MAX || ip_net_parse(entry, &l->nets[l->n]) < 0)
		return E_SYNTAX;
	l->n++;
	return 0;
}

bool net_list_has(const struct net_list *l, const struct ip *ip)
{
	for (unsigned i = 0; i < l->n; i++)
		if (ip_net_has(&l->nets[i], ip))
			return true;
	return false;
}

int listener_list_add(struct listener_list *l, struct slice entry, uint16_t port)
{
	struct listener at;

	if (l->n == LISTENERS_MAX)
		return E_SYNTAX;
	if (ip_port_parse(entry, &at.ip, &at.port) < 0) {
		if (!port || ip_parse(entry, &at.ip) < 0)
			return E_SYNTAX;
		at.port = port;
	}
	l->at[l->n++] = at;
	return 0;
}

struct slice entries_word(struct slice *s)
{
	struct slice word;
	size_t n = 0;

	*s = slice_trim(*s);
	while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t')
		n++;
	word = slice_of(s->p, n);
	*s = slice_skip(*s, n);
	return word;
}
