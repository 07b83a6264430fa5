/* control/auth/factor.h - a person's second factors: which there are, and whether a code is right.
 * The secret of an app's codes is sealed in the database, recovery codes are kept as keyed hashes.
 * Blocks: on the database, in the open transaction of org. */
#pragma once
#include "control/auth/token.h"
#include "control/http/call.h"

enum factor_kind { FACTOR_TOTP = 1, FACTOR_MAIL, FACTOR_RECOVERY, FACTOR_KINDS };
enum { RECOVERY_CODES = 10, RECOVERY_LEN = 11 }; /* "ab3de-fg7hj" */

struct factors {
	bool totp, mail;
	bool required;    /* by the organisation */
	int64_t recovery; /* codes left */
};
int factor_state(struct call *c, uint32_t org, uint64_t user, struct factors *ret) MUST_CHECK;
static inline bool factor_any(const struct factors *f)
{
	return f->totp || f->mail;
}
/* {"totp": ..., "mail": ..., "recovery_codes_left": ..., "required": ...} */
json_t *factor_json(const struct factors *f);
const char *factor_name(enum factor_kind kind);
int factor_parse(struct slice name, enum factor_kind *ret) MUST_CHECK; /* E_SYNTAX */

/* Is this a code of the app, or of the recovery codes?  1, or 0.  A right one is used up by it.
 * pending: of an app that is just being set up; it is the app from then on. */
int factor_try_totp(struct call *c, uint32_t org, uint64_t user, bool pending,
		    struct slice code) MUST_CHECK;
int factor_try_recovery(struct call *c, uint32_t org, uint64_t user, struct slice code) MUST_CHECK;

/* A secret for an app that is being set up; it replaces one that waits. */
int factor_new_totp(struct call *c, uint32_t org, uint64_t user, uint8_t *ret_secret) MUST_CHECK;
/* New recovery codes as an array of strings; the old ones are gone. */
int factor_new_recovery(struct call *c, uint32_t org, uint64_t user, json_t **ret) MUST_CHECK;
/* No second factor any more, of any kind; 1, or 0 when there was none. */
int factor_remove_all(struct call *c, uint32_t org, uint64_t user) MUST_CHECK;
/* Tells the person by mail how they sign in from now on. */
enum factor_change {
	FACTOR_TOTP_ON,
	FACTOR_TOTP_OFF,
	FACTOR_MAIL_ON,
	FACTOR_MAIL_OFF,
	FACTOR_CODES_NEW,
	FACTOR_CODE_USED,
	FACTOR_ADMIN_REMOVED,
	FACTOR_OPERATOR_REMOVED,
	FACTOR_LINKED, /* control/auth/linked.h */
	FACTOR_UNLINKED,
};
int factor_tell(struct call *c, uint32_t org, uint64_t user, enum factor_change change) MUST_CHECK;
