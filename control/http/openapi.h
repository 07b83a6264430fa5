/* control/http/openapi.h - schema/openapi.yaml as JSON, made at build time. */
#pragma once
#include <stddef.h>

extern const char openapi_json[];
extern const size_t openapi_json_n;
