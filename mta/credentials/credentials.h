/* mta/credentials/credentials.h - who may submit with a name and a password, and what each of them
 * may do: read from the operator's file, again within a second when it changes, and told by the
 * control plane (mta/senders keeps that).
 *
 *	file       = *( line LF )
 *	line       = name hash *( word )                  "#" begins a comment
 *	hash       = what "postern credential hash" prints           (base/crypted.h)
 *	word       = "tenant=" number / "domains=" list / "pools=" list / "stream=" name
 *	           / "networks=" list / "expires=" seconds since 1970
 *	           / "hour=" number / "day=" number   list = name *( "," name )
 *
 * What the control plane tells is such a line too, without tenant and pools: the fact says whose it
 * is, and who submits with it sends as the tenant's sender domains alone.
 *
 * Guarantee: a credential whose line is gone, or has another hash, is `gone` to every session
 *            within a second; one that the control plane takes away, before that is acknowledged.
 *            A file with a fault changes nothing: the lines from before stay.
 * Guarantee: a wrong password and a name that is nobody's take the same way: one hash is computed,
 *            on a thread of its own.
 * Files:   credentials.c has the table and the part, file.c and fed.c fill it, line.c the grammar,
 *          check.c the threads that compute hashes, slow.c slows guessing, quota.c counts what was
 *          sent.
 * Owns:    credential_find() gives a reference; credential_unref() takes it back.
 * Blocks:  credential_find() on a lock that readers share.  The front desk reads the file.
 * Fails:   the engine does not start with a file that has a fault, or that others may read.
 * Threads: any; a check's answer comes on the lane that asked.
 * Limits:  CREDENTIALS_MAX lines, CREDENTIALS_FILE_MAX bytes of a file; KNOWN_OBJECTS_MAX that
 *          are fed.  What was sent in the last hour and day is kept (mta/credentials/counted.h). */
#pragma once
#include <stdatomic.h>

#include "base/address.h"
#include "base/map.h"
#include "mta/core/part.h"
#include "mta/credentials/quota.h"

enum {
	CREDENTIALS_MAX = 100 * 1000,
	CREDENTIALS_FILE_MAX = 64 * 1024 * 1024,
	CREDENTIAL_WORD_MAX = 64, /* of a pool or a stream */
	CREDENTIAL_NETS_MAX = 32,
	CREDENTIAL_PROOF = 32,
};

struct credential {
	struct map_link link;
	_Atomic unsigned refs;
	_Atomic bool gone; /* it was taken away or replaced */
	struct slice name, stream;
	struct slice domains, pools; /* names, separated by commas; the first pool is the default */
	char *hash;
	uint64_t tenant;
	bool says_tenant;
	struct ip_net *nets; /* from which it may be used; none: from anywhere */
	unsigned n_nets;
	int64_t expires_ms; /* wall clock; 0: never */
	struct quota_limits limits;
	struct quota *quota; /* shared by those that this name had and has */

	/* The table's, under its lock for proofs: the password that was right last. */
	uint8_t proof[CREDENTIAL_PROOF];
	int64_t proof_until;

	char *text; /* the line; the slices point into it */

	bool fed; /* by the control plane */
	uint64_t id;
	struct map_link id_link;
	unsigned round; /* fed.c's */
};

struct credentials;
extern const struct part credentials_part;
extern const struct option_set credentials_option_set;
struct credentials *credentials_of(struct engine *e);

bool credentials_any(struct credentials *c);                                  /* AUTH makes sense */
struct credential *credential_find(struct credentials *c, struct slice name); /* NULL: nobody's */
struct credential *credential_ref(struct credential *c);
struct credential *credential_unref(struct credential *c); /* takes NULL, gives NULL */
/* A session holds *held: the same, or what its line says now; false: it was revoked. */
bool credential_holds(struct credentials *c, struct credential **held);
/* May it be used from this address? */
bool credential_may_from(const struct credential *c, const struct ip *peer);
/* Is `word` in a list of domains (or above one of them that is in it), or of pools? */
bool credential_names_domain(const struct credential *c, struct slice domain);
bool credential_names_pool(const struct credential *c, struct slice pool);

/* All of them, those of the file first; each() must not come back here. */
void credentials_each(struct credentials *c, void (*each)(void *arg, const struct credential *cred),
		      void *arg);

/* ---- passwords --------------------------------------------------------------------------- */

/* Was this password right a short while ago?  At the cost of a digest. */
bool credential_proved(struct credentials *c, struct credential *cred, struct slice password);

struct credential_check;
/* Compares with the hash, on another thread; cred NULL: somebody else's hash, and the answer is no.
 * done(arg, ok) is called on the lane, unless it was cancelled.  E_FULL: too many wait. */
int credential_check(struct credentials *c, struct lane *lane, struct credential *cred,
		     struct slice name, struct slice password, void (*done)(void *arg, bool ok),
		     void *arg, struct credential_check **ret) MUST_CHECK;
void credential_check_cancel(struct credential_check *k); /* on the lane; takes NULL */

/* ---- guessing ---------------------------------------------------------------------------- */

/* Milliseconds until this address, or this name, may try again; 0: now. */
int64_t credentials_wait_ip(struct credentials *c, const struct ip *ip);
int64_t credentials_wait_name(struct credentials *c, struct slice name);
void credentials_wrong(struct credentials *c, const struct ip *ip, struct slice name);
void credentials_right(struct credentials *c, const struct ip *ip, struct slice name);
