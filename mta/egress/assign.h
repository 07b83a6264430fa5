/* mta/egress/assign.h - the pool of mail whose job names none: the first rule of pool.assign whose
 * conditions all hold.
 *
 *	rule      = 1*( condition SP ) pool
 *	condition = "tenant/" n | "campaign/" n | "stream/" name
 *
 * Owns:   assign_read() gives the caller the rule's texts; assign_clear() frees them.
 * Fails:  E_SYNTAX. */
#pragma once
#include "base/base.h"

struct assign_rule {
	bool of_tenant, of_campaign;
	uint64_t tenant, campaign;
	const char *stream; /* NULL: any */
	const char *pool;
};
struct assign_subject {
	uint64_t tenant, campaign;
	struct slice stream;
};
int assign_read(struct slice s, struct assign_rule *ret) MUST_CHECK;
void assign_clear(struct assign_rule *r);
bool assign_holds(const struct assign_rule *r, const struct assign_subject *s);
