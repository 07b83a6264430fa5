/* control/http/api.h - how ids, texts and times look in the API's JSON. */
#pragma once
#include <jansson.h>

#include "control/http/ids.h"

/* Of a string; empty for anything else. */
struct slice api_text_of(const json_t *j);

json_t *api_id(enum id_kind kind, uint64_t id); /* null for 0 */
json_t *api_text(struct slice s);
json_t *api_time(int64_t ms); /* RFC 3339; null for 0 */
