/* control/auth/permit.h - what may be done, and which role may do it.  One bit per permission: a
 * key carries a set of them, a role stands for a set. */
#pragma once
#include <jansson.h>

#include "base/base.h"
#include "control/auth/codes.h"

#define PERMIT(n) (1ULL << (n))
#define PERMIT_ORG_READ PERMIT(0)
#define PERMIT_ORG_WRITE PERMIT(1)
#define PERMIT_MEMBERS_READ PERMIT(2)
#define PERMIT_MEMBERS_WRITE PERMIT(3)
#define PERMIT_KEYS_READ PERMIT(4)
#define PERMIT_KEYS_WRITE PERMIT(5)
#define PERMIT_DOMAINS_READ PERMIT(6)
#define PERMIT_DOMAINS_WRITE PERMIT(7)
#define PERMIT_CONTACTS_READ PERMIT(8)
#define PERMIT_CONTACTS_WRITE PERMIT(9)
#define PERMIT_TEMPLATES_READ PERMIT(10)
#define PERMIT_TEMPLATES_WRITE PERMIT(11)
#define PERMIT_CAMPAIGNS_READ PERMIT(12)
#define PERMIT_CAMPAIGNS_WRITE PERMIT(13)
#define PERMIT_CAMPAIGNS_SEND PERMIT(14)
#define PERMIT_MESSAGES_READ PERMIT(15)
#define PERMIT_SEND PERMIT(16)
#define PERMIT_SUPPRESSIONS_READ PERMIT(17)
#define PERMIT_SUPPRESSIONS_WRITE PERMIT(18)
#define PERMIT_ANALYTICS_READ PERMIT(19)
#define PERMIT_AUDIT_READ PERMIT(20)
#define PERMIT_SUPPRESSIONS_DELETE PERMIT(21)
#define PERMIT_SUPPRESSIONS_DELETE_OPTOUT PERMIT(22) /* also those that the person asked for */
#define PERMIT_SMTP_READ PERMIT(23)
#define PERMIT_SMTP_WRITE PERMIT(24)

const char *permit_role_name(enum role role);
const char *permit_role_title(enum role role);
int permit_role_parse(struct slice name, enum role *ret) MUST_CHECK; /* E_SYNTAX */
uint64_t permit_of_role(enum role role);
/* What a member may: by users.role and, for ROLE_OWN, own_permits(users). */
uint64_t permit_of_member(int64_t role, int64_t own);

/* Walks names: NULL past the last bit. */
const char *permit_name(unsigned bit);
/* The names of a set, as an array. */
json_t *permit_json(uint64_t set);
int permit_parse(struct slice name, uint64_t *ret_bit) MUST_CHECK; /* E_SYNTAX */
