/* control/domains/dmarc.h - DMARC records and where verifiers find the one that counts: RFC 9989
 * sections 4.7, 4.8 and 4.10.
 * Owns:   nothing; slices point into the record, which is the inquiry's.
 * Blocks: on the inquiry, for at most DMARC_WALK_MOST records and three questions more.
 * Limits: what reporting is made of (rua, ruf, fo) is looked at only as far as a policy depends on
 *         it. */
#pragma once
#include "control/domains/inquiry.h"

enum { DMARC_WALK_MOST = 8, DMARC_WHY_MAX = 600 };
enum dmarc_policy {
	DMARC_P_ABSENT,
	DMARC_P_NONE,
	DMARC_P_QUARANTINE,
	DMARC_P_REJECT,
	DMARC_P_BAD, /* a value that is none of these */
};
struct dmarc_record {
	enum dmarc_policy p, sp, np;
	char psd;      /* 'y', 'n', 'u' */
	bool testing;  /* t=y */
	bool reports;  /* rua= has at least one URI */
	bool repeated; /* a tag that counts stands twice: verifiers differ */
	struct slice p_text, sp_text, np_text;
};

/* Does it begin with v=DMARC1?  What does not is no DMARC record. */
bool dmarc_is_record(struct slice txt);
/* E_SYNTAX: it is no DMARC record.  Whatever is wrong after the version is passed over. */
int dmarc_parse(struct slice txt, struct dmarc_record *ret) MUST_CHECK;

enum dmarc_state {
	DMARC_FOUND,     /* a valid policy applies */
	DMARC_UNUSABLE,  /* a record applies, and verifiers read another policy, or none, from it */
	DMARC_ABSENT,    /* none between the domain and the root */
	DMARC_NO_ANSWER, /* DNS said nothing on the way */
};
struct dmarc_found {
	enum dmarc_state state;
	char domain[DNS_NAME_MAX]; /* _dmarc. of it has the record; "" when there is none */
	struct slice text;         /* the record; else empty */
	char why[DMARC_WHY_MAX];   /* where it was found, which tag counts, what is wrong */
};
/* The record for mail From: an address at domain. */
void dmarc_discover(struct inquiry *a, struct slice domain, struct dmarc_found *ret);
