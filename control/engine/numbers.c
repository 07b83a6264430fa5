/* control/engine/numbers.c - a small table in memory in front of a look into the database. */
#include "control/engine/numbers.h"

#include "base/hash.h"
#include "base/log.h"
#include "control/engine/statements.h"

struct known_number {
	uint64_t number, org, campaign; /* campaign 0: nobody's */
	bool late;                      /* numbers of before count too */
};
struct numbers {
	struct db *ingest;
	struct known_number kept[NUMBERS_KEPT]; /* by hash; a newer one takes the place */
};

struct numbers *numbers_new(void)
{
	return must_alloc(sizeof(struct numbers));
}

struct numbers *numbers_free(struct numbers *n)
{
	free(n);
	return NULL;
}

void numbers_begin(struct numbers *n, struct db *ingest)
{
	memset(n->kept, 0, sizeof(n->kept));
	n->ingest = ingest;
}

static int look(struct numbers *n, const char *sql, uint64_t org, uint64_t number,
		uint64_t *ret_campaign)
{
	OWNED(db_result) row = NULL;
	int r = number > INT64_MAX ? 0 : db_run(n->ingest, &row, sql, p_int(org), p_int(number));

	if (r < 0)
		return r;
	*ret_campaign = r ? (uint64_t)db_int(row, 0, 0) : 0;
	if (!r)
		log_warn("intake.unknown-campaign", kv_int("tenant", org),
			 kv_int("number", number));
	return 0;
}

static int find(struct numbers *n, struct known_number want, const char *sql,
		uint64_t *ret_campaign)
{
	uint64_t hash = hash_mix(want.number ^ want.org << 32 ^ (uint64_t)want.late << 31);
	struct known_number *k = &n->kept[hash % NUMBERS_KEPT];

	if (!want.number)
		return 0;
	if (k->number != want.number || k->org != want.org || k->late != want.late) {
		int r = look(n, sql, want.org, want.number, &want.campaign);

		if (r < 0)
			return r;
		*k = want;
	}
	*ret_campaign = k->campaign;
	return k->campaign != 0;
}

int numbers_find(struct numbers *n, uint64_t org, uint64_t number, uint64_t *ret_campaign)
{
	return find(n, (struct known_number){ .number = number, .org = org },
		    sql_engine_number_find, ret_campaign);
}

int numbers_find_late(struct numbers *n, uint64_t org, uint64_t number, uint64_t *ret_campaign)
{
	return find(n, (struct known_number){ .number = number, .org = org, .late = true },
		    sql_engine_number_find_late, ret_campaign);
}
