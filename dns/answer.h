/* dns/answer.h - one answer kept in memory: what the cache holds and queries are given.
 * Owns: everything in one allocation; counted, freed by the last answer_unref(). */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "dns/resolver.h"

struct answer {
	unsigned refs;
	bool keep;          /* may be cached */
	bool again;         /* stops at an alias: canonical is to be asked next */
	unsigned aliases;   /* followed so far */
	int64_t expires_ms; /* clock_mono_ms; set when it is stored */
	size_t size;        /* of the allocation */
	struct dns_answer a;
	/* the cache's */
	struct map_link link;
	struct list lru;
	uint16_t type;
	char name[DNS_NAME_MAX]; /* that was asked for */
	char canonical[DNS_NAME_MAX];
	struct dns_record records[];
};

/* Room for n records and `bytes` of text behind them. NULL when memory is gone. */
struct answer *answer_new(unsigned n, size_t bytes);
static inline char *answer_text(struct answer *w)
{
	return (char *)&w->records[w->a.n];
}
/* An answer without records. */
struct answer *answer_status(int status, uint32_t ttl_s);
static inline struct answer *answer_ref(struct answer *w)
{
	w->refs++;
	return w;
}
struct answer *answer_unref(struct answer *w);
