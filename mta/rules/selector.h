/* mta/rules/selector.h - which recipients an order or a question is about.
 *
 *	selector = "all" / term *( 1*SP term )                   (all terms must hold)
 *	term     = "tenant/" n / "campaign/" n / "stream/" value / "domain/" value
 *	         / "provider/" value / "site/" value / "source/" ip / "pool/" value
 *	         / "sender/" value / "recipient/" value / ( "job/" / "message/" ) id
 *	         / "rcpt/" id ":" row / "class/" value / "reply/" value
 *	         / "age" ( ">" / "<" ) duration / "attempts" ( ">" / "<" / "=" ) n
 *	value    = 1*( any but SP, quotes and controls ) / DQUOTE 1*( any but DQUOTE and controls )
 *	           DQUOTE / the same with single quotes
 *	         / of sender and recipient also: an address with a quoted local part, or with "'"
 *
 * Numbers are decimal; ids are as id_format() writes them; durations as in base/options.h.  A key
 * stands once, age and attempts once per sign.  "sender/@d" is everybody of the domain, "sender/<>"
 * the empty sender; "class/" is a word of postern-rules(5), in which a blank may stand for "-";
 * "reply/" is a part of the text, whatever its case.
 *
 * Owns:   nothing; texts point into what was parsed.
 * Fails:  E_SYNTAX; selector_read() also says what is wrong.
 * Limits: SELECTOR_TERMS_MAX terms, SELECTOR_TEXT_MAX - 1 bytes as it is printed. */
#pragma once
#include "base/address.h"
#include "base/buf.h"

enum { SELECTOR_TERMS_MAX = 16, SELECTOR_TEXT_MAX = 512, SELECTOR_FAULT_MAX = 200 };

/* In the order in which they are printed. */
enum selector_key {
	SELECT_TENANT,
	SELECT_CAMPAIGN,
	SELECT_STREAM,
	SELECT_DOMAIN,
	SELECT_PROVIDER,
	SELECT_SITE,
	SELECT_SOURCE,
	SELECT_POOL,
	SELECT_SENDER,
	SELECT_RECIPIENT,
	SELECT_JOB,
	SELECT_RCPT,
	SELECT_AGE,
	SELECT_ATTEMPTS,
	SELECT_CLASS,
	SELECT_REPLY,
	SELECT_KEYS
};
#define SELECTS(key) (1u << (key))
enum {
	SELECTS_ALL = (1 << SELECT_KEYS) - 1,
	/* What a flow alone decides. */
	SELECTS_FLOW = 1 << SELECT_TENANT | 1 << SELECT_CAMPAIGN | 1 << SELECT_STREAM,
	/* What the domain and where its mail goes decide. */
	SELECTS_PLACE = 1 << SELECT_DOMAIN | 1 << SELECT_PROVIDER | 1 << SELECT_SITE,
	/* What only a look at the job's rows tells. */
	SELECTS_ROWS = 1 << SELECT_SENDER | 1 << SELECT_RECIPIENT,
	/* What only a look at the job tells. */
	SELECTS_JOB = 1 << SELECT_JOB | 1 << SELECT_RCPT | 1 << SELECT_AGE
};

struct selector_term {
	enum selector_key key;
	char sign;         /* '<' '>' '=' */
	uint64_t number;   /* tenant, campaign, attempts; age in milliseconds; class */
	struct slice text; /* the others */
	struct id128 job;
	uint32_t row;
	struct ip ip;
};
struct selector {
	unsigned n, keys; /* no term: all; SELECTS() of each key */
	struct selector_term terms[SELECTOR_TERMS_MAX];
};

int selector_parse(struct slice s, struct selector *ret) MUST_CHECK;
/* fault holds SELECTOR_FAULT_MAX bytes. */
int selector_read(struct slice s, struct selector *ret, char *fault) MUST_CHECK;
/* One term without quotes, to the end of the text, or "all": what the keys of rules have. */
int selector_parse_single(struct slice s, struct selector *ret) MUST_CHECK;
/* The one text of this selector; E_LIMIT when it does not fit. */
int selector_print(const struct selector *s, char *buf, size_t cap) MUST_CHECK;
/* NULL: it has no term of the key. */
const struct selector_term *selector_find(const struct selector *s, enum selector_key key);
/* It has this one key and no other. */
bool selector_is(const struct selector *s, enum selector_key key);
/* The key that begins the word, or SELECT_KEYS; *word is then what follows. */
enum selector_key selector_key_of(struct slice *word);
const char *selector_key_name(enum selector_key key);

/* ---- does it hold? ----------------------------------------------------------------------- */

/* Somebody, as far as is known of him: `knows` has a bit per key. */
struct subject {
	unsigned knows;
	uint64_t tenant, campaign;
	struct slice stream, domain, provider, site, pool, sender, recipient, reply;
	struct id128 job;
	uint32_t row;
	int64_t age_ms;
	unsigned attempts, class;
	/* Does the pool have this source?  Known when it is not NULL. */
	bool (*leaves_from)(const struct subject *s, const struct ip *source);
	const void *arg;
};
enum selects { SELECTS_NOT, SELECTS_MAYBE, SELECTS_YES };
/* MAYBE: what is known agrees, and not all is known.  only: the keys that are looked at; of the
 * others the selector has no term. */
enum selects selector_holds(const struct selector *s, unsigned only, const struct subject *subject);
bool selector_term_holds(const struct selector_term *t, const struct subject *s);
