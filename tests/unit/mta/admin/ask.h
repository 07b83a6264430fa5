/* tests/unit/mta/admin/ask.h - the postmaster's side of the admin socket, for tests: a real engine
 * with three recipients of tenant 3, who is held, and blocking questions to it. */
#pragma once
#include "base/tree.h"
#include "tests/unit/mta/engine_box.h"

/* Starts an engine with job 7.2 of campaign 4 and opens the socket: a and b at one.example, c at
 * two.example. */
void ask_start(struct box *b, struct framed *c);
void ask_stop(struct box *b, struct framed *c);
/* Lanes load what was acknowledged in their own time. */
void ask_until_queued(struct framed *c, int64_t queued);

/* 0 and the report, or the code of the error and its text.  Takes the arguments. */
int ask_with(struct framed *c, const char *command, struct tree *arguments, bool preview,
	     struct value *ret);
/* With one argument; name may be NULL. */
int ask_for(struct framed *c, const char *command, const char *name, const char *text, bool preview,
	    struct value *ret);
/* reason may be NULL. */
int ask_hold(struct framed *c, const char *what, const char *reason, struct value *ret);
int64_t ask_rules_in_force(struct framed *c);

/* What a report has under the name; the test fails when it is something else. */
int64_t ask_number(const struct value *v, const char *name);
const struct value *ask_list(const struct value *v, const char *name);
/* Valid until the next call; name NULL: the value itself. */
const char *ask_text(const struct value *v, const char *name);
