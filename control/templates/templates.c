/* control/templates/templates.c - /v1/templates: checked when saved; every version is kept. */
#include <stdio.h>

#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/templates/clean.h"
#include "control/templates/fields.h"
#include "control/templates/render.h"
#include "control/templates/routes.h"
#include "control/templates/statements.h"
#include "control/templates/templates.h"

struct template_body {
	struct slice name, alias, subject, html, text;
};
#define PART(member, type, flags, min, max)                                                        \
#member, type, offsetof(struct template_body, member), flags, min, max, 0
static const struct body_field create_body[] = {
	{ PART(name, BODY_NAME, BODY_REQUIRED, 1, 200) },
	{ PART(alias, BODY_LINE, BODY_NULLABLE, 1, 63) },
	{ PART(subject, BODY_NAME, BODY_REQUIRED, 1, 2000) },
	{ PART(html, BODY_TEXT, 0, 0, TEMPLATE_SOURCE_MAX) },
	{ PART(text, BODY_TEXT, 0, 0, TEMPLATE_SOURCE_MAX) },
};
static const struct body_field patch_body[] = {
	{ PART(name, BODY_NAME, 0, 1, 200) },
	{ PART(alias, BODY_LINE, BODY_NULLABLE, 1, 63) },
	{ PART(subject, BODY_NAME, 0, 1, 2000) },
	{ PART(html, BODY_TEXT, 0, 0, TEMPLATE_SOURCE_MAX) },
	{ PART(text, BODY_TEXT, 0, 0, TEMPLATE_SOURCE_MAX) },
};
enum { ROW_ALIAS = 1 }; /* of the tables above */

enum { K_ID, K_NAME, K_ALIAS, K_VERSION, K_CREATED, K_UPDATED, K_SUBJECT, K_HTML, K_TEXT };

static json_t *head_json(const struct db_result *r, unsigned i)
{
	return json_pack(
	    "{so so so sI so so so}", "id", api_id(ID_TEMPLATE, (uint64_t)db_int(r, i, K_ID)),
	    "name", api_text(db_text(r, i, K_NAME)), "alias",
	    db_is_null(r, i, K_ALIAS) ? json_null() : api_text(db_text(r, i, K_ALIAS)), "version",
	    (json_int_t)db_int(r, i, K_VERSION), "created_at", api_time(db_int(r, i, K_CREATED)),
	    "updated_at", api_time(db_int(r, i, K_UPDATED)), "subject",
	    api_text(db_text(r, i, K_SUBJECT)));
}

/* report: what saving removed; NULL when nothing was saved. */
static int reply_template(struct call *c, unsigned status, const struct db_result *row,
			  const struct sanitise_report *report)
{
	json_t *json = head_json(row, 0);

	if (report)
		templates_report_removed(json, report);

	(void)json_object_set_new(json, "html", api_text(db_text(row, 0, K_HTML)));
	(void)json_object_set_new(json, "text", api_text(db_text(row, 0, K_TEXT)));
	http_reply_etag(c, db_int(row, 0, K_VERSION));
	return http_reply_json(c, status, json);
}

void templates_problem(struct call *c, const struct template_error *e)
{
	char pointer[32];

	(void)snprintf(pointer, sizeof(pointer), "/%s", template_part_name(e->part));
	if (e->line)
		problem_add(c, pointer, "template", "line %u, column %u: %s", e->line, e->column,
			    e->text);
	else
		problem_add(c, pointer, "template", "%s", e->text);
}

/* A template as it is to be saved. */
struct saving {
	struct template_source source;
	bool old_html; /* it is not changed, so what older rules took is taken */
	struct buf html;
	struct sanitise_report report;
};

static int clean(struct saving *s, const struct known_fields *known, struct template_error *e)
{
	int r = sanitise_html(&s->html, s->source.html, &s->report);

	if (r < 0) {
		*e = (struct template_error){ .part = TEMPLATE_HTML };
		slice_copy(e->text, sizeof(e->text), slice_str(err_text(r)));
		return r;
	}
	s->source.html = buf_data(&s->html);
	return s->report.total ? template_check(&s->source, &known->env, e) : 0;
}

/* Unknown fields and places where a value could break out are refused here, not at sending; what
 * mail must not carry leaves. */
static int check(struct call *c, struct saving *s)
{
	struct known_fields known;
	struct template_error e = { 0 };
	int r = known_fields_load(&known, c->db, c->actor.org);

	if (r < 0)
		return r;
	known.env.raw_escaped = s->old_html;
	r = template_check(&s->source, &known.env, &e);
	if (r >= 0)
		r = clean(s, &known, &e);
	if (r == E_SYNTAX || r == E_LIMIT)
		templates_problem(c, &e);
	known_fields_free(&known);
	return r == E_SYNTAX || r == E_LIMIT ? problem_end(c) : r;
}

static int keep_version(struct call *c, int64_t id)
{
	int r = db_run(c->db, NULL, sql_templates_version_keep, p_int(c->actor.org), p_int(id),
		       p_int(c->actor.kind == ACTOR_USER ? c->actor.id : 0));

	return r < 0 ? r : 0;
}

static int note(struct call *c, const struct db_result *row, const char *action)
{
	return audit_put_id(c, action, ID_TEMPLATE, (uint64_t)db_int(row, 0, K_ID),
			    json_pack("{sI}", "version", (json_int_t)db_int(row, 0, K_VERSION)));
}

static int list_templates(struct call *c)
{
	return page_list(c, head_json, sql_templates_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT);
}

static int create_template(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct template_body b = { .html = SLICE(""), .text = SLICE("") };
	struct saving s = { 0 };
	struct body_seen seen;
	int r = http_body_read(c, create_body, ARRAY_LEN(create_body), &b, &seen);

	buf_init(&s.html, 0);
	s.source = (struct template_source){ b.subject, b.html, b.text };
	if (r >= 0)
		r = check(c, &s);
	if (r >= 0)
		r = db_run(c->db, &row, sql_templates_insert, p_int(c->actor.org), p_text(b.name),
			   p_opt(b.alias), p_text(b.subject), p_text(s.source.html),
			   p_text(b.text));
	if (r >= 0)
		r = keep_version(c, db_int(row, 0, K_ID));
	if (r >= 0)
		r = note(c, row, "template.created");
	buf_free(&s.html);
	return r < 0 ? r : reply_template(c, 201, row, &s.report);
}

int templates_find(struct call *c, struct slice name, uint64_t *ret_id)
{
	OWNED(db_result) row = NULL;
	uint64_t id = 0;
	bool by_id = ids_in(ID_TEMPLATE, name, &id) >= 0;
	int r = db_run(c->db, &row, sql_templates_find_id, p_int(c->actor.org),
		       by_id ? p_int(id) : p_null(), by_id ? p_null() : p_text(name));

	*ret_id = r > 0 ? (uint64_t)db_int(row, 0, 0) : 0;
	return r < 0 ? r : 0;
}

static int load_template(struct call *c, struct db_result **ret)
{
	uint64_t id;
	int r = templates_find(c, call_param(c, 0), &id);

	if (r >= 0)
		r = db_run(c->db, ret, sql_templates_find_lock, p_int(c->actor.org), p_int(id));
	return r == 0 ? E_UNKNOWN : r;
}

static int get_template(struct call *c)
{
	OWNED(db_result) row = NULL;
	int r = load_template(c, &row);

	return r < 0 ? r : reply_template(c, 200, row, NULL);
}

static int patch_template(struct call *c)
{
	OWNED(db_result) old = NULL;
	OWNED(db_result) row = NULL;
	struct template_body b = { 0 };
	struct saving s = { 0 };
	struct body_seen seen;
	int r = load_template(c, &old);

	if (r >= 0)
		r = call_if_match(c, db_int(old, 0, K_VERSION));
	if (r >= 0)
		r = http_body_read(c, patch_body, ARRAY_LEN(patch_body), &b, &seen);
	if (r < 0)
		return r;
	if (!seen.present) /* no new version */
		return reply_template(c, 200, old, NULL);
	buf_init(&s.html, 0);
	s.old_html = !b.html.p;
	s.source = (struct template_source){
		b.subject.p ? b.subject : db_text(old, 0, K_SUBJECT),
		b.html.p ? b.html : db_text(old, 0, K_HTML),
		b.text.p ? b.text : db_text(old, 0, K_TEXT),
	};
	r = check(c, &s);
	if (r >= 0)
		r = db_run(c->db, &row, sql_templates_update, p_int(c->actor.org),
			   p_int(db_int(old, 0, K_ID)), p_opt(b.name),
			   p_bool(body_has(seen, ROW_ALIAS)), p_opt(b.alias),
			   p_text(s.source.subject), p_text(s.source.html), p_text(s.source.text));
	bool same = r == 0;
	if (r > 0)
		r = keep_version(c, db_int(old, 0, K_ID));
	if (r >= 0 && !same)
		r = note(c, row, "template.changed");
	buf_free(&s.html);
	return r < 0 ? r : reply_template(c, 200, same ? old : row, &s.report);
}

static int delete_template(struct call *c)
{
	OWNED(db_result) old = NULL;
	int r = load_template(c, &old);

	if (r >= 0)
		r = call_if_match(c, db_int(old, 0, K_VERSION));
	if (r < 0)
		return r;
	r = db_run(c->db, NULL, "DELETE FROM templates WHERE org_id = $1 AND id = $2",
		   p_int(c->actor.org), p_int(db_int(old, 0, K_ID)));
	if (r == E_UNKNOWN)
		return problem(c, 409, "in_use",
			       "a campaign uses this template: choose another one there, or delete "
			       "the campaign, first");
	if (r >= 0)
		r = note(c, old, "template.deleted");
	return r < 0 ? r : http_reply_empty(c, 204);
}

enum { V_VERSION, V_SUBJECT, V_HTML, V_TEXT, V_CREATED };

static json_t *version_json(const struct db_result *r, unsigned i)
{
	return json_pack("{sI so so so so}", "version", (json_int_t)db_int(r, i, V_VERSION),
			 "subject", api_text(db_text(r, i, V_SUBJECT)), "html",
			 api_text(db_text(r, i, V_HTML)), "text", api_text(db_text(r, i, V_TEXT)),
			 "created_at", api_time(db_int(r, i, V_CREATED)));
}

static int list_versions(struct call *c)
{
	OWNED(db_result) head = NULL;
	int r = load_template(c, &head);

	return r < 0 ? r
		     : page_list(c, version_json, sql_templates_version_page, p_int(c->actor.org),
				 p_int(db_int(head, 0, K_ID)), PAGE_AFTER, PAGE_LIMIT);
}

const struct http_route templates_routes[] = {
	{ "GET", "/v1/templates", AUTH_MEMBER, PERMIT_TEMPLATES_READ, 0, 0, list_templates },
	{ "POST", "/v1/templates", AUTH_MEMBER, PERMIT_TEMPLATES_WRITE, ROUTE_IDEMPOTENT,
	  4 * 1024 * 1024, create_template },
	{ "GET", "/v1/templates/{template_id}", AUTH_MEMBER, PERMIT_TEMPLATES_READ, 0, 0,
	  get_template },
	{ "PATCH", "/v1/templates/{template_id}", AUTH_MEMBER, PERMIT_TEMPLATES_WRITE,
	  ROUTE_IF_MATCH, 4 * 1024 * 1024, patch_template },
	{ "DELETE", "/v1/templates/{template_id}", AUTH_MEMBER, PERMIT_TEMPLATES_WRITE, 0, 0,
	  delete_template },
	{ "GET", "/v1/templates/{template_id}/versions", AUTH_MEMBER, PERMIT_TEMPLATES_READ, 0, 0,
	  list_versions },
	{ "POST", "/v1/render", AUTH_MEMBER, PERMIT_TEMPLATES_READ, ROUTE_COSTLY, 4 * 1024 * 1024,
	  render_preview },
};
const size_t templates_routes_n = ARRAY_LEN(templates_routes);
