/* tests/sim/resolver_sim.h - the second implementation of dns/resolver.h: answers from a
 * script, after a delay in simulated time.  Link it instead of the real resolver; route.c and
 * the lanes work over it unchanged.  Its resolver_new() uses the timers of
 * resolver_sim_timers() and no server.
 *
 *	answer = [ "SECURE " ] ( "NXDOMAIN" / "NONE" / "TEMP" / record *( "," record ) )
 *	record = address            for A, AAAA
 *	       / preference name    for MX; the name "." is the root
 *	       / name               for CNAME, NS, PTR
 *	       / text               for TXT: the whole answer, commas included
 *	       / rdata              for TLSA: the bytes, none of them 0 or a comma
 *
 * SECURE: the answer is authentic, as if its zone were signed.  A name without any row does not
 * exist; one with rows of other types has no such record.  Aliases are followed up to 8 times,
 * loops end in TEMP.  There is no cache: every change counts at once.
 *
 * Owns:    the script belongs to the process; resolver_sim_forget() empties it.
 * Threads: one. */
#pragma once
#include "dns/resolver.h"

struct timers;
void resolver_sim_timers(struct timers *timers);
/* Adds a row or replaces the one with this name and type. */
void resolver_sim_set(const char *name, enum dns_type type, uint32_t delay_ms, const char *answer);
void resolver_sim_forget(void);
