/* control/domains/spf_term.h - the grammar of an SPF record: RFC 7208 sections 4.5, 4.6.1, 5, 6 and
 * 7.1.
 * Owns:   nothing; slices point into the record.
 * Limits: macros are recognised and their grammar is checked; they are not expanded. */
#pragma once
#include "base/address.h"

enum spf_kind {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
	SPF_REDIRECT,
	SPF_EXP,
	SPF_MODIFIER, /* an unknown one: ignored */
};
struct spf_term {
	enum spf_kind kind;
	char qualifier;       /* '+', '-', '~', '?'; '+' for modifiers */
	struct slice text;    /* as it was published */
	struct slice domain;  /* what follows ':' or '='; empty: the record's own domain */
	bool macros;          /* domain has macros */
	struct ip_net net;    /* SPF_IP4, SPF_IP6 */
	uint8_t bits4, bits6; /* SPF_A, SPF_MX */
};

/* Is this TXT value an SPF record at all?  "v=spf1", then a space or the end. */
bool spf_is_record(struct slice txt);
/* Without the version: the terms, for spf_term_next(). */
struct slice spf_terms(struct slice record);
/* 1: a term; 0: no more; E_SYNTAX: ret->text is no term. */
int spf_term_next(struct slice *rest, struct spf_term *ret) MUST_CHECK;
/* Checks the whole list before any of it counts (section 4.6).  E_SYNTAX: *ret_bad is the term. */
int spf_terms_check(struct slice terms, struct slice *ret_bad) MUST_CHECK;
