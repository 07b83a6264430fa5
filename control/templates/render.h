/* control/templates/render.h - POST /v1/render: a template as one contact would see it. */
#pragma once
#include "control/http/call.h"

int render_preview(struct call *c) MUST_CHECK;
