/* mta/policy/sts.h - MTA-STS in words: the DNS record and the policy file, RFC 8461 section 3.
 *
 *	record  = "v=STSv1" *( *WSP ";" *WSP name "=" value ) [ *WSP ";" ]     ; "id" is needed
 *	id      = 1*32 ( letter / digit )
 *	policy  = *( *WSP key *WSP ":" *WSP value *WSP ( LF / CRLF ) )
 *	key     = "version" / "mode" / "max_age" / "mx"                        ; others are ignored
 *
 * Of "version", "mode" and "max_age" the first counts (section 3.2), and none may be missing; "mx"
 * comes as often as there are hosts.  An unknown version or mode, and a policy to be followed that
 * names no host, are no policy.
 * Owns:   sts_policy_parse() gives the caller the policy; references are counted.
 * Fails:  E_SYNTAX: it is none.
 * Limits: STS_BYTES_MAX bytes, STS_MX_MAX hosts, a life of STS_AGE_MAX_S seconds. */
#pragma once
#include <stdatomic.h>

#include "base/base.h"

enum {
	STS_BYTES_MAX = 64 * 1024,
	STS_MX_MAX = 128,
	STS_ID_MAX = 33,           /* with its NUL */
	STS_AGE_MAX_S = 31557600,  /* section 3.2 */
	STS_PATTERN_MAX = 254 + 2, /* with "*." */
};
enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

struct sts_policy {
	atomic_uint refs; /* on any thread */
	enum sts_mode mode;
	uint32_t max_age_s;
	unsigned n_mx;
	char *mx[STS_MX_MAX]; /* lower case, "*.example.net" or a name */
};
const char *sts_mode_name(enum sts_mode m); /* "none", "testing", "enforce" */
int sts_mode_parse(struct slice s, enum sts_mode *ret) MUST_CHECK;

/* ret_id holds STS_ID_MAX. */
int sts_record_parse(struct slice txt, char *ret_id) MUST_CHECK;
int sts_policy_parse(struct slice text, struct sts_policy **ret) MUST_CHECK;
/* E_SYNTAX: not such a pattern; E_LIMIT: too many. */
int sts_policy_add(struct sts_policy *p, struct slice pattern) MUST_CHECK;
struct sts_policy *sts_policy_new(enum sts_mode mode, uint32_t max_age_s);
struct sts_policy *sts_policy_ref(struct sts_policy *p);
struct sts_policy *sts_policy_unref(struct sts_policy *p); /* takes NULL, gives NULL */
/* Does an "mx" match the host?  A "*" stands for exactly one label (section 4.1). */
bool sts_policy_names(const struct sts_policy *p, struct slice host);
