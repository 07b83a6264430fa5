/* mta/deliver/message_id.c - a hash of job and row under the secret of the spool. */
#include "mta/deliver/message_id.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/random.h"
#include "spool/spool.h"

#define SECRET SLICE("engine/secret")

struct secret {
	struct id128 value;
	bool found, broken;
};

static int read_secret(void *arg, struct slice key, struct slice value)
{
	struct secret *s = arg;

	if (!slice_eq(key, SECRET))
		return 0;
	s->found = true;
	s->broken = id_parse(value, &s->value) < 0;
	return 0;
}

/* It is in the log before every job that comes from now on, so it is durable before they are. */
static int draw_secret(struct secret *s, struct spool *sp)
{
	char text[ID_TEXT_MAX];

	s->value = (struct id128){ random_u64(), random_u64() };
	return spool_put_rule(sp, SECRET, slice_str(id_format(s->value, text)), NULL);
}

int message_ids_open(struct message_ids *ids, struct spool *sp)
{
	struct secret s = { .found = false };
	int r = spool_each_rule(sp, SECRET, read_secret, &s);

	if (r == 0 && s.broken)
		r = E_CORRUPT;
	if (r == 0 && !s.found)
		r = draw_secret(&s, sp);
	if (r < 0)
		return r;
	ids->key[0] = s.value.hi;
	ids->key[1] = s.value.lo;
	return 0;
}

struct slice message_ids_write(const struct message_ids *ids, struct id128 job, uint32_t row,
			       struct slice domain, char *buf)
{
	uint64_t half[2];
	int n;

	for (uint64_t i = 0; i < 2; i++) {
		const uint64_t words[] = { job.hi, job.lo, row, i };
		half[i] = hash_secret(ids->key, slice_of(words, sizeof(words)));
	}
	n = snprintf(buf, MESSAGE_ID_MAX + 1, "%016llx%016llx@%.*s", (unsigned long long)half[0],
		     (unsigned long long)half[1], (int)MIN_OF(domain.n, (size_t)253), domain.p);
	return slice_of(buf, (size_t)n);
}
