/* mta/shape/shapes.h - which values hold for which mail: rules from files and from live orders, and
 * the providers that group sites.
 *
 *	file     = *( section / line )
 *	section  = "[" ( "default" / "provider" SP name / "site" SP pattern / "domain" SP pattern )
 *	           *( SP ( "tenant" SP number / "source" SP address / "pool" SP name ) ) "]"
 *	line     = name "=" value                  (comments and blanks as in base/options.h)
 *	pattern  = a name in which "*" stands for any run of characters
 *
 * [provider NAME] may have "mx" and "domain", lists of patterns: a domain belongs to the first
 * provider that names it, else to the first that names its best MX host.  A site pattern is held
 * against the names of the site's MX hosts; one match is enough.
 *
 * Which rule holds: the narrowest section (domain, then site, provider, default), in it the one
 * that is narrowed most (by tenant, source and pool; tenant and source; tenant and pool; tenant;
 * source and pool; source; pool), of equal ones the latest.  Files are read in their order, live
 * orders after them.
 * A connection limit or a rate that names a tenant, a source, or a tenant and a source never takes
 * the place of that of all: it is that one's own, and all of them hold (shapes_limits()).
 *
 * Owns:    shapes_new() gives the caller the set; shapes_free() ends it.  Slices that are asked
 *          with are not kept.
 * Threads: a finished set never changes and may be read by any thread.
 * Fails:   E_SYNTAX with "file:line: what is wrong", E_LIMIT; the set is then not to be used.
 * Limits:  SHAPE_RULES_MAX rules, SHAPE_PROVIDERS_MAX providers, 4096 patterns in all, names of 253
 *          bytes.  Resolving looks at every rule: keep what it gives. */
#pragma once
#include "base/address.h"
#include "mta/shape/keys.h"

enum { SHAPE_RULES_MAX = 8192, SHAPE_PROVIDERS_MAX = 256, SHAPE_NO_PROVIDER = SHAPE_PROVIDERS_MAX };

struct shapes;
struct shapes *shapes_free(struct shapes *s);
DEFINE_OWNED(shapes)
struct shapes *shapes_new(void);
/* Adds the rules of a file's text.  name stands in errors and tells where a value comes from. */
int shapes_parse(struct shapes *s, struct slice text, const char *name, char *error) MUST_CHECK;
/* Adds one rule of a live order: section as between the brackets; author says who and when. */
int shapes_order(struct shapes *s, struct slice section, struct slice key, struct slice value,
		 const char *author, char *error) MUST_CHECK;

/* Whose mail, and by which way.  What is not known is empty, and matches no narrowing. */
struct shape_subject {
	struct slice domain;
	const struct slice *mx; /* best preference first */
	unsigned n_mx;
	uint64_t tenant;  /* 0: any */
	struct ip source; /* family 0: any */
	struct slice pool;
};
/* SHAPE_NO_PROVIDER when none names it. */
unsigned shapes_provider(const struct shapes *s, const struct shape_subject *q);
/* Somebody may belong to it: it has patterns. */
bool shapes_has_provider(const struct shapes *s, struct slice name);
/* What sets a domain apart from others with the same MX hosts: a section of its own, or a provider
 * that names it.  Writes it as text; nothing when it is like them. */
void shapes_group(const struct shapes *s, const struct shape_subject *q, struct buf *out);
const char *shapes_provider_name(const struct shapes *s, unsigned provider); /* "" for none */

struct shape {
	int64_t v[SHAPE_KEYS];
	struct shape_schedule retry;
	uint16_t from[SHAPE_KEYS]; /* the rule's number; SHAPE_RULES_MAX: the configuration */
};
/* *base has the values of the configuration; ret gets them, and over them what rules say. */
void shapes_resolve(const struct shapes *s, const struct shape_subject *q, const struct shape *base,
		    struct shape *ret);
/* The limits that the subject's tenant, its source, or its tenant over its source has of its own,
 * beside those of all; 0: none.  Of the other keys nothing is said. */
enum shape_owner { SHAPE_OWN_TENANT, SHAPE_OWN_SOURCE, SHAPE_OWN_BOTH, SHAPE_OWNERS };
void shapes_limits(const struct shapes *s, const struct shape_subject *q, enum shape_owner owner,
		   struct shape *ret);
/* Does any rule name a tenant (a source, a pool, a domain)?  If not, none need be told apart. */
enum {
	SHAPE_ASKS_TENANT = 1,
	SHAPE_ASKS_SOURCE = 2,
	SHAPE_ASKS_POOL = 4,
	SHAPE_ASKS_DOMAIN = 8,
	SHAPE_ASKS_TLS = 16,
	SHAPE_ASKS_TENANT_RECIPIENTS = 32,
	SHAPE_ASKS_BOTH = 64 /* a limit of a tenant over a source */
};
unsigned shapes_asks(const struct shapes *s);
bool shapes_names_pool(const struct shapes *s, uint16_t rule); /* its section names one */
/* Where a value comes from: "file:line [section]", or "order of <author> [section]". */
void shapes_origin(const struct shapes *s, uint16_t rule, struct buf *out);
/* Calls each() for every rule, in the order of reading: section in brackets. */
void shapes_each(const struct shapes *s,
		 void (*each)(void *arg, struct slice section, const char *key, struct slice value,
			      struct slice origin),
		 void *arg);
/* The value that the latest rule of this section ("provider gmail") gives the key, as text; false:
 * there is none. */
bool shapes_find(const struct shapes *s, struct slice section, struct slice key, struct buf *out);
