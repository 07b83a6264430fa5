/* mta/queue/start.c - the jobs from before the start, in three groups. */
#include "mta/queue/start.h"

#include "base/hash.h"
#include "mta/rules/rules.h"
#include "mta/tenants/tenancy.h"

enum start_turn { TURN_TRANSACTIONAL, TURN_REST, TURN_HELD, TURNS };

struct row_of_jobs {
	struct start_job *all;
	size_t n, cap;
};

uint32_t start_job_tag(struct id128 id)
{
	return (uint32_t)hash_mix(id.hi ^ hash_mix(id.lo));
}

static enum start_turn turn_of(const struct job_info *info, struct rules *rules)
{
	const struct subject s = { .knows = SELECTS(SELECT_TENANT) | SELECTS(SELECT_CAMPAIGN) |
					    SELECTS(SELECT_JOB),
				   .tenant = info->tenant,
				   .campaign = info->campaign,
				   .job = info->id };

	if (rules_hold(rules, &s, NULL))
		return TURN_HELD;
	return info->class == CLASS_TRANSACTIONAL ? TURN_TRANSACTIONAL : TURN_REST;
}

static void append(struct row_of_jobs *row, struct start_job job)
{
	if (row->n == row->cap) {
		row->cap = row->cap ? row->cap * 2 : 1024;
		row->all = must_resize(row->all, row->cap * sizeof(*row->all));
	}
	row->all[row->n++] = job;
}

/* All groups behind one another, in the memory of the first. */
static void join(struct row_of_jobs *rows, struct start_jobs *ret)
{
	size_t n = 0;

	for (unsigned t = 0; t < TURNS; t++)
		n += rows[t].n;
	ret->n = rows[0].n;
	ret->all = n > rows[0].cap ? must_resize(rows[0].all, n * sizeof(*ret->all)) : rows[0].all;
	for (unsigned t = 1; t < TURNS; t++) {
		if (rows[t].n)
			memcpy(ret->all + ret->n, rows[t].all, rows[t].n * sizeof(*ret->all));
		ret->n += rows[t].n;
		free(rows[t].all);
	}
}

void start_jobs_list(struct start_jobs *ret, struct spool *sp, struct rules *rules,
		     struct tenancy *tenancy)
{
	struct row_of_jobs rows[TURNS] = { 0 };
	uint64_t cursor = 0;
	struct job_info info;
	job_no job;

	while (spool_next_job(sp, &cursor, &job) == 0)
		if (spool_job_info(sp, job, &info) == 0) {
			append(&rows[turn_of(&info, rules)],
			       (struct start_job){ job, start_job_tag(info.id) });
			tenancy_count(tenancy, info.tenant, info.rows_live);
		}
	join(rows, ret);
}

void start_jobs_free(struct start_jobs *s)
{
	free(s->all);
	*s = (struct start_jobs){ 0 };
}
