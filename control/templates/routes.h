/* control/templates/routes.h - /v1/templates and /v1/render. */
#pragma once
#include "control/http/call.h"
#include "message/template.h"

extern const struct http_route template_routes[];
extern const size_t template_routes_n;

/* Adds what is wrong with a template to the problem: {"pointer": "/html", "code": "template",
 * "detail": "line 3, column 7: ..."}. */
void templates_problem(struct call *c, const struct template_error *e);
