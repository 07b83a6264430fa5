/* mta/rules.h - the operator's and control plane's standing orders, stored as spool rules.
 *
 *	hold/<selector>            value: who and why (text); matching recipients stay queued, untried
 *	cancel/<selector>          value: why; matching recipients end as cancelled
 *	suppress/<tenant>/<hash>   value: "" removed, "1" present; hash is hex of the first 16 bytes of
 *	                           SHA-256 over the lower-cased address: checked before each RCPT
 *	selector = "tenant/" n | "campaign/" n | "domain/" name | "job/" id | "rcpt/" id ":" row | "all"
 * Numbers are decimal, ids as id_format() writes them. */
#pragma once
#include "base/base.h"

enum selector_kind {
	SELECT_ALL,
	SELECT_TENANT,
	SELECT_CAMPAIGN,
	SELECT_DOMAIN,
	SELECT_JOB,
	SELECT_RCPT
};
struct selector {
	enum selector_kind kind;
	uint64_t number; /* tenant, campaign */
	struct slice domain;
	struct id128 job;
	uint32_t row;
};
int selector_parse(struct slice s, struct selector *ret) MUST_CHECK; /* E_SYNTAX */
