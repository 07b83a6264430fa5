/* dns/answer.h - one answer in memory: the cache holds it and queries are given it.
 * Owns: everything, in one allocation; references are counted, the last answer_unref() frees it. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "dns/resolver.h"

struct answer {
	unsigned refs;
	bool keep;          /* may be cached */
	bool again;         /* it ends at an alias: canonical must be asked next */
	unsigned aliases;   /* followed so far */
	int64_t expires_ms; /* clock_mono_ms; set when it is stored */
	size_t size;        /* of the allocation */
	struct dns_answer a;
	/* the cache's */
	struct map_link link;
	struct list lru;
	uint16_t type;
	char name[DNS_NAME_MAX]; /* the question */
	char canonical[DNS_NAME_MAX];
	struct dns_record records[];
};

/* With room for n records and `bytes` of text after them.  NULL when memory is gone. */
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
