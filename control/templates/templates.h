/* control/templates/templates.h - what the handlers of templates share. */
#pragma once
#include "control/http/call.h"
#include "message/template.h"

/* The id of the template that is called so, by its id or its alias; 0 when there is none. */
int templates_find(struct call *c, struct slice name, uint64_t *ret_id) MUST_CHECK;
/* Adds what is wrong with a template to the problem: {"pointer": "/html", "code": "template",
 * "detail": "line 3, column 7: ..."}. */
void templates_problem(struct call *c, const struct template_error *e);
