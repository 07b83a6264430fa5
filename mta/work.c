#include "mta/work.h"

#include "mta/lane.h"

struct work {
	struct lane *lane;
	struct given_job *jobs; /* taken from the lane, not yet loaded */
	size_t cap_jobs;
};

int work_new(struct work **ret, struct lane *l)
{
	struct work *w = must_alloc(sizeof(*w));

	w->lane = l;
	*ret = w;
	return 0;
}

struct work *work_free(struct work *w)
{
	if (w)
		free(w->jobs);
	free(w);
	return NULL;
}

void work_look_in(struct work *w)
{
	(void)lane_take_jobs(w->lane, &w->jobs, &w->cap_jobs);
}

void work_stop(struct work *w)
{
	(void)w;
}

void work_rules_changed(struct work *w)
{
	(void)w;
}

void work_keys_changed(struct work *w, struct slice domain)
{
	(void)w, (void)domain;
}

void work_reload(struct work *w)
{
	(void)w;
}
