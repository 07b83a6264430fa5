/* control/http/people.h - refusals on the public listener as a page for people, in a language that
 * they ask for.  They come by a link in a message; a program that comes by it gets the problem.
 * Limits: the languages are those of the table in people.c; everybody else reads English. */
#pragma once
#include "base/base.h"

struct call_request;
/* Turns a refusal into a page when whoever asks is a person: their Accept likes HTML as much as
 * JSON, or is absent, and the request is no one-click unsubscribe (RFC 8058). */
void people_answer(struct call_request *q);

/* Does an Accept field (RFC 9110, 12.5.1) ask for HTML rather than for JSON? */
bool people_accept_html(struct slice accept);
/* The first of our languages in an Accept-Language field, as its two letters; "en" when none is. */
const char *people_language(struct slice accept);
