/* mta/work.h - what a delivering lane does between a durable job and a verdict in the log.
 * Threads: the lane's. */
#pragma once
#include "mta/engine.h"

struct work;
struct work *work_free(struct work *w);
int work_new(struct work **ret, struct lane *l) MUST_CHECK;
void work_look_in(struct work *w);    /* jobs may have been handed to the lane */
void work_stop(struct work *w);       /* start no transaction; finish those in flight */
bool work_idle(const struct work *w); /* nothing in flight */
void work_rules_changed(struct work *w);
void work_keys_changed(struct work *w, struct slice domain);
void work_reload(struct work *w);
