/* control/auth/audit.c - appending to the chain (schema/sql: audit_append). */
#include "control/auth/audit.h"

#include "control/http/call.h"

struct audit_line {
	uint32_t org;
	enum actor_kind kind;
	uint64_t actor;
	const char *action, *object;
};

/* Takes detail. */
static int put(struct call *c, const struct audit_line *l, json_t *detail)
{
	char ip[IP_TEXT_MAX] = "";
	char *text = detail ? json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	int r;

	if (c->ip.family)
		(void)ip_format(&c->ip, ip);
	r = db_run(c->db, NULL,
		   "SELECT audit_append($1, $2::smallint, $3, $4, $5, $6::jsonb, $7, $8)",
		   p_int(l->org), p_int(l->kind), p_int(l->actor), p_str(l->action),
		   p_str(l->object), p_str(text ? text : "{}"), p_str(c->request_id), p_str(ip));
	free(text);
	json_decref(detail);
	return r < 0 ? r : 0;
}

int audit_put_in(struct call *c, uint32_t org, const char *action, const char *object,
		 json_t *detail)
{
	const struct audit_line l = { org, c->actor.kind, c->actor.id, action, object };

	return put(c, &l, detail);
}

int audit_put(struct call *c, const char *action, const char *object, json_t *detail)
{
	return audit_put_in(c, c->actor.org, action, object, detail);
}

int audit_put_id(struct call *c, const char *action, enum id_kind kind, uint64_t id, json_t *detail)
{
	char object[ID_OUT_MAX];

	return audit_put(c, action, ids_out(kind, id, object), detail);
}

int audit_put_user(struct call *c, uint32_t org, uint64_t user, const char *action, json_t *detail)
{
	char object[ID_OUT_MAX];
	const struct audit_line l = { org, ACTOR_USER, user, action,
				      ids_out(ID_USER, user, object) };

	return put(c, &l, detail);
}

json_t *audit_members(const struct call *c)
{
	json_t *names = json_array(), *value;
	const char *name;

	json_object_foreach(c->body, name, value)(void)
	    json_array_append_new(names, json_string(name));
	return json_pack("{s:o}", "members", names);
}
