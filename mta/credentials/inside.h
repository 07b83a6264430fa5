/* mta/credentials/inside.h - for the files of this folder alone.
 * Names: credential_, credentials_, check_ */
#pragma once
#include <pthread.h>
#include <sys/stat.h>

#include "mta/credentials/credentials.h"
#include "mta/credentials/slow.h"
#include "mta/senders/senders.h"

struct check_pool;
struct credential_list {
	struct credential **at; /* a reference each */
	size_t n, cap;
};
struct credentials {
	struct engine *engine;
	pthread_rwlock_t lock; /* of the table; the front desk alone writes */
	struct map by_name;
	struct credential_list all; /* of the file */
	struct map by_id;           /* those that are fed; a reference each */
	_Atomic bool any;
	pthread_mutex_t proofs; /* lock of every credential's proof */
	uint8_t key[32];
	struct check_pool *pool;
	struct slow ips, names;

	/* The front desk's alone */
	struct loop *loop;
	struct timer look;
	struct stat seen; /* of the file that was read last, or that was refused */
	struct senders *watch_of;
	struct senders_watch watch;
	unsigned round;         /* of whole sets */
	uint64_t counted_print; /* of what the file of counts holds */
	unsigned looks;         /* since it was written */
};

/* line.c: one line.  0: nothing stands in it; 1: *ret is new, without a quota; E_SYNTAX, and `why`
 * says what is wrong. */
int credential_line(struct slice line, struct credential **ret, const char **why) MUST_CHECK;

/* check.c */
struct check_pool *check_pool_new(struct credentials *c);
struct check_pool *check_pool_free(struct check_pool *p); /* when no lane runs */
DEFINE_OWNED(check_pool)

/* file.c.  path "": there is no file, and nobody. */
int credentials_load(struct credentials *c, const char *path, char *error) MUST_CHECK;
void credentials_file_end(struct credentials *c);

/* fed.c */
void credentials_fed_begin(struct credentials *c);
void credentials_fed_end(struct credentials *c);
struct credential *credentials_find_fed(const struct credentials *c, uint64_t tenant, uint64_t id);
/* What a fact says; NULL: nothing that could submit, and *why says so. */
struct credential *credential_of_fact(const struct wire_fact *f, const char **why);

/* credentials.c */
struct credential *credentials_find_locked(const struct credentials *c, struct slice name,
					   bool fed);
struct check_pool *credentials_pool(struct credentials *c);
/* Some hash, always the same for a name. */
int credentials_any_hash(struct credentials *c, struct slice name, char *ret) MUST_CHECK;
void credentials_keep_proof(struct credentials *c, struct credential *cred, struct slice password);
