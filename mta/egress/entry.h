/* mta/egress/entry.h - one entry of a pool: an address, the name it greets with, its weight.
 *
 *	entry  = pool SP address SP ehlo-name *(SP word)
 *	word   = "weight=" 0..1000 | "via=" name of a proxy
 *
 * Owns:   entry_read() gives the caller the entry's texts; entry_clear() frees them.
 * Fails:  E_SYNTAX. */
#pragma once
#include "base/address.h"

enum { ENTRY_NAME_MAX = 128 };

struct egress_source {
	const char *pool, *ehlo;
	struct ip ip; /* family 0: whatever the system picks */
	char ip_text[IP_TEXT_MAX];
	int64_t weight;    /* 0: no new connection */
	const char *proxy; /* its name; NULL: none */
};
int entry_read(struct slice s, struct egress_source *ret) MUST_CHECK;
void entry_clear(struct egress_source *e);
bool entry_eq(const struct egress_source *a, const struct egress_source *b);
bool entry_is_name(struct slice s); /* of a pool or a proxy */
/* "*" or an address; E_SYNTAX. */
int entry_address(struct slice s, struct ip *ret) MUST_CHECK;
