/* mta/config/entries.h - entries of list options of several rooms: networks, listeners, words.
 * Owns:   nothing.
 * Fails:  E_SYNTAX; the list is then unchanged.
 * Limits: NETS_MAX networks or addresses and LISTENERS_MAX listeners per list. */
#pragma once
#include "base/address.h"

enum { NETS_MAX = 64, LISTENERS_MAX = 16 };

struct net_list {
	struct ip_net nets[NETS_MAX];
	unsigned n;
};
int net_list_add(struct net_list *l, struct slice entry) MUST_CHECK; /* 10.0.0.0/8 */
bool net_list_has(const struct net_list *l, const struct ip *ip);

struct listener {
	struct ip ip;
	uint16_t port;
};
struct listener_list {
	struct listener at[LISTENERS_MAX];
	unsigned n;
};
/* 127.0.0.1:587; an entry without a port gets `port`, unless that is 0. */
int listener_list_add(struct listener_list *l, struct slice entry, uint16_t port) MUST_CHECK;

/* Takes the next word, which ends at a space or tab, off the front of *s; empty at the end. */
struct slice entries_word(struct slice *s);
