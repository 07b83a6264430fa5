/* control/auth/audit.c - appending to the chain (schema/sql: audit_append). */
#include "control/auth/audit.h"

#include "control/http/call.h"

int audit_put_in(struct call *c, uint32_t org, const char *action, const char *object,
		 json_t *detail)
{
	char ip[IP_TEXT_MAX] = "";
	char *text = detail ? json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	int r;

	if (c->ip.family)
		(void)ip_format(&c->ip, ip);
	r = db_run(c->db, NULL,
		   "SELECT audit_append($1, $2::smallint, $3, $4, $5, $6::jsonb, $7, $8)",
		   p_int(org), p_int(c->actor.kind), p_int(c->actor.id), p_str(action),
		   p_str(object), p_str(text ? text : "{}"), p_str(c->request_id), p_str(ip));
	free(text);
	json_decref(detail);
	return r < 0 ? r : 0;
}

int audit_put(struct call *c, const char *action, const char *object, json_t *detail)
{
	return audit_put_in(c, c->actor.org, action, object, detail);
}
