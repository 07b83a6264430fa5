/* mta/shape/keys.h - what a shape says: one row per key, with its unit, its bounds and how far it
 * may be narrowed.
 *
 *	rate     = 1*DIGIT "/" ( "s" / "m" / "h" / "d" ) / "none"
 *	bytes    = 1*DIGIT [ "K" / "M" / "G" ] "/" ( "s" / "m" / "h" / "d" ) / "none"
 *	schedule = duration *( "," duration )                    (at most 16; the last one repeats)
 *
 * A value is one int64_t: a number, milliseconds, so many per day (0: no limit), one of the words
 * of its row, or a set of EHLO_ bits.  A schedule is a struct of its own.
 * Owns:   nothing.
 * Fails:  E_SYNTAX with what was expected. */
#pragma once
#include "base/options.h"

enum shape_key {
	SHAPE_CONNECTIONS,
	SHAPE_CONNECTIONS_START,
	SHAPE_CONNECTIONS_KEPT,
	SHAPE_CONNECTIONS_PER_SOURCE,
	SHAPE_PROVIDER_CONNECTIONS,
	SHAPE_ADAPTIVE,
	SHAPE_PROVIDER_ADAPTIVE,
	SHAPE_ADAPTIVE_FLOOR,
	SHAPE_ADAPTIVE_RATE,
	SHAPE_TRANSACTIONAL_SHARE,
	SHAPE_MESSAGES,
	SHAPE_RECIPIENTS,
	SHAPE_RATE,
	SHAPE_BYTES,
	SHAPE_PROVIDER_RATE,
	SHAPE_PROVIDER_BYTES,
	SHAPE_IDLE,
	SHAPE_TIMEOUT_CONNECT,
	SHAPE_TIMEOUT_GREETING,
	SHAPE_TIMEOUT_EHLO,
	SHAPE_TIMEOUT_STARTTLS,
	SHAPE_TIMEOUT_MAIL,
	SHAPE_TIMEOUT_RCPT,
	SHAPE_TIMEOUT_DATA,
	SHAPE_TIMEOUT_BLOCK,
	SHAPE_TIMEOUT_DOT,
	SHAPE_TIMEOUT_RSET,
	SHAPE_TIMEOUT_QUIT,
	SHAPE_TLS,
	SHAPE_FAMILY,
	SHAPE_IGNORE,
	SHAPE_BACKOFF_MIN,
	SHAPE_BACKOFF_MAX,
	SHAPE_HOST_BAD,
	SHAPE_LIFE,
	SHAPE_RETRY,
	SHAPE_KEYS
};

enum shape_unit {
	SHAPE_NUMBER,
	SHAPE_DURATION,
	SHAPE_PER_TIME,
	SHAPE_BYTES_PER_TIME,
	SHAPE_WORD,
	SHAPE_KEYWORDS,
	SHAPE_SCHEDULE,
};
/* Where a key may stand. */
enum {
	SHAPE_AT_PROVIDER = 1, /* only in [provider ...], without a site or domain */
	SHAPE_BY_TENANT = 2, /* may be narrowed by tenant: it is about messages, not connections */
	SHAPE_OF_HOSTS = 4,  /* about the hosts, whoever sends: may not be narrowed */
	SHAPE_OF_POOLS = 8,  /* of all sources of a pool together: may not be narrowed by source */
	/* A limit.  A section that names a tenant, a source or both gives that one a limit of its
	 * own, beside the limit of all. */
	SHAPE_OWN = 16,
};

struct shape_key_row {
	const char *name;
	enum shape_unit unit;
	unsigned where;
	int64_t min, max;
	const char *const *words; /* of SHAPE_WORD, NULL at the end */
	const char *help;
};
extern const struct shape_key_row shape_key_rows[SHAPE_KEYS];

enum { SHAPE_STEPS_MAX = 16 };
struct shape_schedule {
	int64_t ms[SHAPE_STEPS_MAX];
	unsigned n;
};

/* Writes what is wrong, without a place, to error (OPTION_ERROR_MAX bytes); gives E_SYNTAX. */
int PRINTF(2, 3) shape_wrong(char *error, const char *format, ...);
/* SHAPE_KEYS when there is none of that name. */
enum shape_key shape_key_find(struct slice name);
/* Reads one value; a schedule goes to *schedule, the number is then 0.  error holds
 * OPTION_ERROR_MAX bytes and gets what is wrong, without a place. */
int shape_value_read(enum shape_key key, struct slice text, int64_t *ret,
		     struct shape_schedule *schedule, char *error) MUST_CHECK;
/* As it would stand in a file. */
void shape_value_show(enum shape_key key, int64_t v, const struct shape_schedule *schedule,
		      struct buf *out);
