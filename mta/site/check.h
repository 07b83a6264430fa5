/* mta/site/check.h - is a source fit to send from: is its address on this machine, do its names in
 * DNS lead back to it (RFC 1912 section 2.1), does it greet with one of them, may it open port 25,
 * and does a DNS block list have it (RFC 5782).
 *
 * Of a block list only answers within 127.0.0.0/8 are listings.  127.255.255.x means that the list
 * does not answer this resolver, and any other address that the zone is no longer a list.
 * Owns:    check_new() gives the caller the check; check_free() ends it, whatever it waits for.
 * Blocks:  never.  done() comes once, from the loop, at the latest after CHECK_MS.
 * Threads: one lane's, from check_start() to done().
 * Limits:  CHECK_NAMES_MAX names of an address, CHECK_ZONES_MAX lists. */
#pragma once
#include "mta/site/sites.h"

enum { CHECK_MS = 8000, CHECK_NAMES_MAX = 4, CHECK_TEXT_MAX = 256 };
enum check_result { CHECK_GOOD, CHECK_BAD, CHECK_UNKNOWN };
struct check_finding {
	const char *what; /* "address", "ptr", "fcrdns", "ehlo", "port 25", "block list" */
	enum check_result result;
	char text[CHECK_TEXT_MAX];
	const char *advice; /* what to do; "" where there is nothing */
};
struct source_check;
struct check_user {
	void (*done)(struct check_user *u);
};
/* Copies what it needs; any thread. */
struct source_check *check_new(const struct ip *ip, const char *ehlo, bool proxied);
struct source_check *check_free(struct source_check *c); /* takes NULL, gives NULL */
void check_start(struct source_check *c, struct sites *s, struct check_user *u);
/* The findings, from done() on; NULL past the last. */
const struct check_finding *check_finding(const struct source_check *c, unsigned i);
/* The name under which the address is looked up below the zone: "1.2.0.192.zone". */
void check_reverse_name(const struct ip *ip, struct slice zone, struct buf *ret);
