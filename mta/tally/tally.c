/* mta/tally/tally.c - the tables of tallies, and the part that keeps them. */
#include "mta/tally/tally.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"

/* Of a session's steps: 1 ms to 5 minutes. */
const struct histogram_scale tally_scale_session = {
	.per_second = 1000,
	.n = 15,
	.most = { 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 15000, 60000, 300000 },
};
/* Of a message's life: 10 ms to 5 days. */
const struct histogram_scale tally_scale_mail = {
	.per_second = 1000,
	.n = 18,
	.most = { 10, 50, 100, 250, 500, 1000, 2500, 5000, 15000, 60000, 300000, 900000, 3600000,
		  14400000, 43200000, 86400000, 172800000, 432000000 },
};

struct tallies *tallies_of(struct lane *l)
{
	return lane_state(l, &tally_part);
}

static uint64_t hash_of(struct slice name)
{
	return hash_keyed(name);
}

static struct tally *find(const struct tallies *t, enum tally_kind kind, struct slice name,
			  uint64_t hash)
{
	struct map_link *l = map_find(&t->map[kind], hash);

	for (; l; l = map_find_next(l)) {
		struct tally *found = container_of(l, struct tally, link);
		if (slice_eq(slice_str(found->name), name))
			return found;
	}
	return NULL;
}

static struct tally *make(struct tallies *t, enum tally_kind kind, struct slice name, uint64_t hash)
{
	struct tally *made = must_alloc(sizeof(*made) + name.n + 1);

	slice_copy(made->name, name.n + 1, name);
	if (kind == TALLY_PROVIDER)
		made->classes = must_alloc(TALLY_CLASSES * sizeof(*made->classes));
	map_insert(&t->map[kind], &made->link, hash);
	t->n[kind]++;
	atomic_store_explicit(&made->next,
			      atomic_load_explicit(&t->first[kind], memory_order_relaxed),
			      memory_order_relaxed);
	atomic_store_explicit(&t->first[kind], made, memory_order_release);
	return made;
}

struct tally *tally_get(struct tallies *t, enum tally_kind kind, struct slice name)
{
	uint64_t hash = hash_of(name);
	struct tally *found = find(t, kind, name, hash);

	if (found)
		return found;
	if (t->n[kind] < TALLIES_MAX)
		return make(t, kind, name, hash);
	name = SLICE(TALLY_OTHER);
	hash = hash_of(name);
	found = find(t, kind, name, hash);
	return found ? found : make(t, kind, name, hash);
}

struct tally *tally_tenant(struct tallies *t, uint64_t id)
{
	char name[24];
	int n;

	if (t->tenant && t->tenant_id == id)
		return t->tenant;
	n = snprintf(name, sizeof(name), "%" PRIu64, id);
	t->tenant = tally_get(t, TALLY_TENANT, slice_of(name, (size_t)n));
	t->tenant_id = id;
	return t->tenant;
}

static int tally_start(struct lane *l, void **ret_state)
{
	struct tallies *t = must_alloc(sizeof(*t));

	(void)l;
	for (unsigned i = 0; i < TALLY_KINDS; i++)
		map_init(&t->map[i]);
	*ret_state = t;
	return 0;
}

static void tally_stop(void *state)
{
	struct tallies *t = state;

	for (unsigned i = 0; i < TALLY_KINDS; i++) {
		struct tally *at = atomic_load(&t->first[i]);
		while (at) {
			struct tally *next = atomic_load(&at->next);
			free(at->classes);
			free(at);
			at = next;
		}
		map_free(&t->map[i]);
	}
	free(t);
}

#define ROW(member, name, scale, help)                                                             \
	{                                                                                          \
		name, help, scale, offsetof(struct tally_times, member)                            \
	}
static const struct histogram_row histogram_rows[] = {
	ROW(delivery, "delivery_seconds", &tally_scale_mail,
	    "From the acceptance of a message until a recipient of it was delivered"),
	ROW(age, "attempt_age_seconds", &tally_scale_mail,
	    "How old a recipient was at each try, however it ended"),
	ROW(connect, "connect_seconds", &tally_scale_session,
	    "Connecting to a mail host, without its greeting"),
	ROW(handshake, "tls_handshake_seconds", &tally_scale_session, "TLS handshakes"),
	ROW(transaction, "transaction_seconds", &tally_scale_session,
	    "Transactions, from MAIL until the last reply"),
};

const struct part tally_part = {
	.name = "tally",
	.start = tally_start,
	.stop = tally_stop,
	.histograms = histogram_rows,
	.n_histograms = ARRAY_LEN(histogram_rows),
	.counters_at = offsetof(struct tallies, times),
};
