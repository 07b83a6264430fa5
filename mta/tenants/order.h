/* mta/tenants/order.h - one live order on the limits of a tenant or campaign: a rule of the spool.
 *
 *	limit/tenant/<n>       value: <words> LF <author> LF <reason> LF <words before>
 *	limit/campaign/<n>
 *
 * The words are all that live orders say of it (words.h); there may be none, then only the way back
 * is kept.  The words before are those that an undo brings back.
 * Owns:    the texts are members.
 * Fails:   E_SYNTAX.
 * Limits:  as the arrays say. */
#pragma once
#include "mta/tenants/words.h"

struct tenant_order {
	bool campaign;
	uint64_t number;
	struct tenant_words words, before;
	char author[200], reason[256]; /* who and when; why */
};
/* An empty value: the order is gone, and all of it says nothing. */
int tenant_order_read(struct slice rule_key, struct slice rule_value,
		      struct tenant_order *ret) MUST_CHECK;
void tenant_order_print(const struct tenant_order *o, struct buf *key, struct buf *value);
/* "tenant/7", "campaign/9". */
int tenant_order_subject(struct slice text, struct tenant_order *ret) MUST_CHECK;
