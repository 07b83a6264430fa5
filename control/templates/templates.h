/* control/templates/templates.h - what the handlers of templates share. */
#pragma once
#include "control/http/call.h"
#include "message/template.h"

/* Adds what is wrong with a template to the problem: {"pointer": "/html", "code": "template",
 * "detail": "line 3, column 7: ..."}. */
void templates_problem(struct call *c, const struct template_error *e);
