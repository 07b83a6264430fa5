/* control/federation/kind.h - the kinds of providers: what the configuration of each holds.
 * A kind is a row of control/federation/kinds.c; its routes stand in files of its own. */
#pragma once
#include "control/federation/codes.h"
#include "control/http/call.h"

struct federation_kind {
	const char *name; /* "oidc" */
	enum federation_kind_code code;
	/* Whether a sign-in without a secret works. */
	bool secret_needed;
	/* Checks the configuration of a body, which may be an object of anything: problem_add()
	 * with pointers below /config.  It may add members' defaults. */
	void (*check)(struct call *c, json_t *config);
	/* Are these the same party's accounts?  If not, a change of one to the other is refused:
	 * who was known there under a subject is not known here. */
	bool (*same_party)(const json_t *before, const json_t *after);
	/* Adds to the provider as it is shown: addresses of ours that the party must be told. */
	void (*show)(const struct call *c, uint64_t provider, json_t *shown);
};
extern const struct federation_kind *const federation_kinds[];
extern const size_t federation_kinds_n;
const struct federation_kind *federation_kind_named(struct slice name); /* NULL: none */
const struct federation_kind *federation_kind_of(int64_t code);         /* NULL: none */
/* The path where a browser begins.  buf holds FEDERATION_START_MAX. */
enum { FEDERATION_START_MAX = 80 };
const char *federation_start(const struct federation_kind *kind, uint32_t org, uint64_t provider,
			     char *buf);

/* Members of a configuration, for `check`. */
enum federation_type { CONFIG_LINE, CONFIG_TEXT, CONFIG_URL, CONFIG_INT, CONFIG_BOOL };
struct federation_member {
	const char *name;
	enum federation_type type;
	bool required;
	int64_t min, max; /* of a number; of a text, its bytes */
};
/* Adds what is wrong: unknown, absent, of a wrong type or size. */
void federation_config_check(struct call *c, const json_t *config,
			     const struct federation_member *members, size_t n);
/* A member's text; "" when it is absent. */
const char *federation_config_text(const json_t *config, const char *member);
