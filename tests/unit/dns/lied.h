/* tests/unit/dns/lied.h - one resolver at a time, with liars for servers, and its last reply. */
#pragma once
#include "tests/unit/dns/ask.h"
#include "tests/unit/dns/liar.h"

enum { SHORT_MS = 300, LONG_MS = 20000 };

extern struct reply reply;

void resolve_with(const struct liar *servers, unsigned n, uint32_t timeout_ms, uint32_t tries);
int ask_liars(const char *name, enum dns_type type); /* the status; the rest is in reply */
bool got_truth(void);                 /* asks for a.example: what tell_truth() says */
struct resolver_stats resolved(void); /* ends the resolver */
/* An answer to q nobody should take: 6.6.6.6. */
void evil(struct lie *lie, const struct liar_question *q);
