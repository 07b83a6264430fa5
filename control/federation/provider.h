/* control/federation/provider.h - a provider of an organisation, as its kind uses it.
 * Owns:   federation_provider_free() ends it.
 * Blocks: on the database, in an open transaction of org. */
#pragma once
#include "base/buf.h"
#include "control/federation/kind.h"

struct federation_provider {
	uint32_t org;
	uint64_t id;
	const struct federation_kind *kind;
	json_t *config;
	struct buf secret; /* in the clear; wiped when it ends */
};
struct federation_provider *federation_provider_free(struct federation_provider *p);
DEFINE_OWNED(federation_provider)
/* An active one of this kind: E_UNKNOWN when there is none.  c->db is in a transaction of org. */
int federation_provider_read(struct call *c, uint32_t org, uint64_t id,
			     enum federation_kind_code kind,
			     struct federation_provider **ret) MUST_CHECK;
/* The organisation that a path or query names: its id, or the name that people type.  E_UNKNOWN. */
int federation_provider_org(struct call *c, struct slice text, uint32_t *ret) MUST_CHECK;
int federation_provider_seal(struct call *c, uint64_t id, struct slice secret, int *ret_seal,
			     struct buf *out) MUST_CHECK;
