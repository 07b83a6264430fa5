/* control/org/origins.h - the member `origins` of an organisation. */
#pragma once
#include "control/http/call.h"

/* Adds what is wrong with each entry; problem_end() refuses. */
void origins_check(struct call *c, const json_t *list);
