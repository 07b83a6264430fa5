/* control/http/api.c - ids, texts and times as JSON. */
#include "base/clock.h"
#include "control/http/api.h"

json_t *api_id(enum id_kind kind, uint64_t id)
{
	char text[ID_OUT_MAX];

	return id ? json_string(ids_out(kind, id, text)) : json_null();
}

struct slice api_text_of(const json_t *j)
{
	return json_is_string(j) ? slice_of(json_string_value(j), json_string_length(j))
				 : SLICE("");
}

json_t *api_text(struct slice s)
{
	json_t *v = json_stringn(s.p ? s.p : "", s.n);

	return v ? v : json_string("");
}

json_t *api_time(int64_t ms)
{
	char text[RFC3339_MAX];

	return ms ? json_string(clock_rfc3339(ms, text)) : json_null();
}
