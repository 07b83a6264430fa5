/* control/reports/read.h - a report about a domain, from the JSON that the engine made of it
 * (message/aggregate/aggregate.h) to columns for the database.
 *
 * The engine has read it in a sandbox, but a stranger has written it: everything is bounded again
 * and checked here, because a value that the database refuses would hold up every event behind it.
 *
 * Guarantee: texts have REPORT_TEXT_MAX bytes at most, numbers are 0 to REPORT_COUNT_MAX, times are
 *            0 (not said) or within 1970 to 2100, addresses are addresses or empty.
 * Owns:   domain_report_free() ends what domain_report_read() filled in.
 * Fails:  E_SYNTAX: it is no report of this kind. */
#pragma once
#include <jansson.h>

#include "control/db/column.h"

enum {
	REPORT_TEXT_MAX = 255,
	REPORT_ROWS_MAX = 2000,
	REPORT_AUTHS_MAX = 4000,
	REPORT_IDENTITY = 16,
	REPORT_SIGNERS_MAX = 600,
};
#define REPORT_COUNT_MAX (1LL << 40)

enum report_row {
	ROW_IP,
	ROW_COUNT,
	ROW_DISPOSITION,
	ROW_DKIM,
	ROW_SPF,
	ROW_HEADER_FROM,
	ROW_ENVELOPE_FROM,
	ROW_REASON,
	ROW_SIGNERS,
	ROW_COLUMNS,
};
/* Good signatures: of which row, by whom; the selector may be empty. */
enum report_auth { AUTH_ROW, AUTH_DOMAIN, AUTH_SELECTOR, AUTH_COLUMNS };
enum report_policy {
	POLICY_TYPE,
	POLICY_DOMAIN,
	POLICY_SUCCESS,
	POLICY_FAILURE,
	POLICY_COLUMNS,
};
/* Of which policy, from 1. */
enum report_failure {
	FAILURE_POLICY,
	FAILURE_RESULT,
	FAILURE_SESSIONS,
	FAILURE_IP,
	FAILURE_HOST,
	FAILURE_HOST_IP,
	FAILURE_REASON,
	FAILURE_COLUMNS,
};

struct domain_report {
	json_t *json; /* the texts below point into it */
	struct slice org, email, id, domain;
	char policy[REPORT_TEXT_MAX + 1]; /* "p=none sp=none" */
	int64_t begin_ms, end_ms;
	bool partial;
	uint8_t identity[REPORT_IDENTITY];
	/* DMARC */
	struct db_column rows[ROW_COLUMNS], auths[AUTH_COLUMNS];
	/* TLS */
	struct db_column policies[POLICY_COLUMNS], failures[FAILURE_COLUMNS];
};
int domain_report_read(struct slice json, bool tls, struct domain_report *ret) MUST_CHECK;
void domain_report_free(struct domain_report *r);
