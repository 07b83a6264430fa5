/* mta/returnpath/keyfiles.h - the folder of the keys that return paths are made with.
 *
 * A key is a file <day>.key, named after the day it was made on (since 1970), with 64 hexadecimal
 * digits.  A new one is made every KEYFILES_EACH_DAYS; old ones are removed when no token of theirs
 * can be good any more.  Engines that take each other's returns have copies of the same files.
 * Blocks: on the disk.
 * Fails:  E_DENIED: a file that others may read or write; E_SYNTAX: no key.  *ret_path then names
 *         it.  -errno. */
#pragma once
#include "mta/returnpath/verp.h"

enum { KEYFILES_EACH_DAYS = 7, KEYFILES_PATH_MAX = 1200 };

/* Reads all; makes today's where there is none young enough, removes those from before
 * today - KEYFILES_EACH_DAYS - life_days. */
int keyfiles_read(const char *dir, unsigned today, unsigned life_days, struct verp_keys **ret,
		  char ret_path[KEYFILES_PATH_MAX]) MUST_CHECK;
