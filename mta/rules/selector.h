/* mta/rules/selector.h - which recipients an order is about.
 *
 *	selector = "all" | "tenant/" n | "campaign/" n | "domain/" name
 *	         | "job/" id | "rcpt/" id ":" row
 *
 * Numbers are decimal; ids are as id_format() writes them.
 * Owns:   nothing; the domain points into the text.
 * Fails:  E_SYNTAX. */
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
int selector_parse(struct slice s, struct selector *ret) MUST_CHECK;
