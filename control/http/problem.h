/* control/http/problem.h - refusals (RFC 9457).  A text says what is wrong and what to do next.
 * These functions return E_ANSWERED, so that a handler can end with one. */
#pragma once
#include "control/http/call.h"

int problem(struct call *c, unsigned status, const char *code, const char *format, ...)
    PRINTF(4, 5);
/* Collects what is wrong with a member of the body ... */
void problem_add(struct call *c, const char *pointer, const char *code, const char *format, ...)
    PRINTF(4, 5);
/* ... and refuses with 422 when there was anything; else 0. */
int problem_end(struct call *c) MUST_CHECK;
/* Gives the next refusal a member of its own (RFC 9457 section 3.2); the value stays
 * the caller's. */
void problem_member(struct call *c, const char *name, json_t *value);
unsigned problem_count(const struct call *c);
