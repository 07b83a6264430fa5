/* mta/credentials/inside.h - for the files of this folder alone.
 * Names: credential_, credentials_, check_ */
#pragma once
#include "mta/credentials/credentials.h"

/* line.c: one line.  0: nothing stands in it; 1: *ret is new, without a quota; E_SYNTAX, and `why`
 * says what is wrong. */
int credential_line(struct slice line, struct credential **ret, const char **why) MUST_CHECK;

/* check.c */
struct check_pool;
struct check_pool *check_pool_new(struct credentials *c);
struct check_pool *check_pool_free(struct check_pool *p); /* when no lane runs */
DEFINE_OWNED(check_pool)

/* credentials.c */
struct check_pool *credentials_pool(struct credentials *c);
/* Some hash, always the same for a name. */
int credentials_any_hash(struct credentials *c, struct slice name, char *ret) MUST_CHECK;
void credentials_keep_proof(struct credentials *c, struct credential *cred, struct slice password);
