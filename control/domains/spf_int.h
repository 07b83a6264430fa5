/* control/domains/spf_int.h - one walk through a record; only for spf.c and spf_ours.c. */
#pragma once
#include "control/domains/spf.h"
#include "control/domains/spf_term.h"

/* Whose mail it is: a network, or, when term is there, whatever that term stands for. */
struct spf_subject {
	struct ip_net net; /* without bits beyond its length */
	const struct spf_term *term;
};
enum { SPF_PART = 100 }; /* as a verdict: the network is treated differently in parts */

/* Evaluates the record at domain.  Gives a verdict or SPF_PART. */
int spf_walk(struct inquiry *a, const struct spf_subject *s, struct slice domain, char *why);
/* The same for a list of terms that stands for the record at domain. */
int spf_walk_terms(struct inquiry *a, const struct spf_subject *s, struct slice terms,
		   struct slice domain, char *why);
/* Fetches the record at domain: SPF_PASS, SPF_NONE, SPF_TEMPERROR or SPF_PERMERROR. */
enum spf_verdict spf_fetch(struct inquiry *a, struct slice domain, struct slice *ret_terms,
			   char *why);
