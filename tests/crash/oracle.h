/* tests/crash/oracle.h - what was asked of a spool and what it promised, kept outside of
 * it, and the check that a spool keeps to it after a crash.  docs/SPOOL.md explains the
 * numbers of invariants.
 * Owns: nothing of the spool. */
#pragma once
#include "spool/late.h"
#include "tests/sim/disk_sim.h"

enum {
	ORACLE_JOBS = 64,
	ORACLE_ROWS = 70,
	ORACLE_DEFERRALS = 4,
	ORACLE_RULES = 3,
	ORACLE_VALUES = 64,
	ORACLE_MAILS = 40,
	ORACLE_FACTS = 3
};

struct oracle_row {
	lsn_t ended_at; /* 0: not asked to end */
	enum outcome_kind kind;
	struct {
		lsn_t at;
		uint16_t attempt;
		int64_t next_ms;
	} deferred[ORACLE_DEFERRALS];
	unsigned n_deferred;
};
struct oracle_job {
	lsn_t at;
	uint32_t rows;
	uint64_t content;
	struct oracle_row row[ORACLE_ROWS];
};
struct oracle_value {
	lsn_t at;
	uint64_t v; /* of a rule: 0 is removed */
};
/* Mail that came back: mail n says oracle_facts(n) things, in order. */
struct oracle_mail {
	lsn_t at, fact[ORACLE_FACTS];
	unsigned told;
};
struct oracle {
	struct oracle_mail mail[ORACLE_MAILS];
	unsigned n_mails;
	struct oracle_job job[ORACLE_JOBS];
	unsigned n_jobs;
	struct oracle_value rule[ORACLE_RULES][ORACLE_VALUES], cursor[ORACLE_VALUES];
	unsigned n_rule[ORACLE_RULES], n_cursor;
	lsn_t durable; /* the last position it said was durable */
};

/* The same bytes every time for the same number. */
struct id128 oracle_job_id(uint64_t n);
struct id128 oracle_content_id(uint64_t n);
struct slice oracle_bytes(uint64_t n, char *buf, size_t cap);
char *oracle_rule_key(unsigned n, char *buf);
struct slice oracle_rule_value(uint64_t v, char *buf);

struct id128 oracle_mail_id(uint64_t n);
unsigned oracle_facts(uint64_t n);
struct late_fact oracle_fact(uint64_t n, unsigned seq);
/* Reads every mail that is owed anew, from its first fact on: each counts once. */
const char *oracle_read_again(struct spool *sp);

/* NULL: all promises are kept; else what is broken. */
const char *oracle_check(const struct oracle *o, struct spool *sp);
/* One number for the whole visible state: two spools that show the same thing have the same. */
uint64_t oracle_digest(struct spool *sp);
