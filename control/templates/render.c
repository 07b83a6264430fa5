/* control/templates/render.c - a template rendered for one contact, or for data of the request. */
#include "control/templates/render.h"

#include <stdio.h>

#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/templates/clean.h"
#include "control/templates/fields.h"
#include "control/templates/statements.h"
#include "control/templates/templates.h"
#include "control/templates/value.h"

enum { MEMBERS_MAX = KNOWN_FIELDS_MAX + 8, OUT_MAX = 8 * 1024 * 1024 };

struct render_body {
	uint64_t template_id, contact_id;
	struct slice subject, html, text;
	json_t *data;
};
enum { B_TEMPLATE, B_CONTACT, B_SUBJECT, B_HTML, B_TEXT, B_DATA, B_ROWS };
#define AT(member) offsetof(struct render_body, member)
static const struct body_field render_body[B_ROWS] = {
	[B_TEMPLATE] = { "template_id", BODY_ID, AT(template_id), 0, 0, 0, ID_TEMPLATE },
	[B_CONTACT] = { "contact_id", BODY_ID, AT(contact_id), 0, 0, 0, ID_CONTACT },
	[B_SUBJECT] = { "subject", BODY_LINE, AT(subject), 0, 0, 2000, 0 },
	[B_HTML] = { "html", BODY_TEXT, AT(html), 0, 0, TEMPLATE_SOURCE_MAX, 0 },
	[B_TEXT] = { "text", BODY_TEXT, AT(text), 0, 0, TEMPLATE_SOURCE_MAX, 0 },
	[B_DATA] = { "data", BODY_OBJECT, AT(data), 0, 0, 0, 0 },
};

/* The map a template is rendered with; its strings live in json. */
struct values {
	struct value_member members[MEMBERS_MAX];
	struct value map;
	json_t *json;
};

static void make_map(struct values *v)
{
	const char *name;
	json_t *member;
	uint32_t n = 0;

	json_object_foreach(v->json, name, member)
	{
		if (n == MEMBERS_MAX)
			break;
		v->members[n++] =
		    (struct value_member){ slice_str(name), templates_value_of(member) };
	}
	v->map = (struct value){ .type = VALUE_MAP, .count = n, .members = v->members };
}

static int load_contact(struct call *c, uint64_t id, json_t **ret)
{
	OWNED(db_result) row = NULL;
	int r = db_run(c->db, &row, sql_templates_preview_contact, p_int(c->actor.org), p_int(id));

	if (r == 0)
		return problem(c, 422, "unknown_contact", "there is no contact with this id");
	if (r < 0)
		return r;
	struct slice text = db_text(row, 0, 0);
	*ret = json_loadb(text.p, text.n, 0, NULL);
	return *ret ? 0 : E_CORRUPT;
}

static int load_values(struct call *c, const struct render_body *b, struct values *v)
{
	int r = b->contact_id ? load_contact(c, b->contact_id, &v->json) : 0;

	if (r < 0)
		return r;
	if (!v->json)
		v->json = json_object();
	if (!json_object_get(v->json, "unsubscribe_url"))
		(void)json_object_set_new(v->json, "unsubscribe_url",
					  json_string("https://unsubscribe.example/u/preview"));
	if (b->data && json_object_update(v->json, b->data) < 0)
		return -ENOMEM;
	make_map(v);
	return 0;
}

enum { SOURCE_SUBJECT, SOURCE_HTML, SOURCE_TEXT };

static int load_source(struct call *c, const struct render_body *b, struct db_result **ret_row,
		       struct template_source *ret)
{
	*ret = (struct template_source){ b->subject, b->html, b->text };
	if (!b->template_id)
		return 0;
	int r = db_run(c->db, ret_row,
		       "SELECT subject, html, text FROM templates WHERE org_id = $1 AND id = $2",
		       p_int(c->actor.org), p_int(b->template_id));
	if (r == 0)
		return problem(c, 422, "unknown_template", "there is no template with this id");
	if (r > 0)
		*ret = (struct template_source){ db_text(*ret_row, 0, SOURCE_SUBJECT),
						 db_text(*ret_row, 0, SOURCE_HTML),
						 db_text(*ret_row, 0, SOURCE_TEXT) };
	return r;
}

static int render_part(struct call *c, enum template_part part, struct slice source,
		       const struct known_fields *known, const struct values *v, json_t *out)
{
	struct template_error e = { 0 };
	struct buf text;
	int r = 0;

	if (!source.n)
		return 0;
	buf_init(&text, OUT_MAX);
	r = template_render(part, source, &known->env, &v->map, &text, &e);
	if (r == E_SYNTAX || r == E_LIMIT)
		templates_problem(c, &e);
	else if (r >= 0)
		(void)json_object_set_new(out, template_part_name(part), api_text(buf_data(&text)));
	buf_free(&text);
	return r == E_SYNTAX || r == E_LIMIT ? 0 : r;
}

/* As it would be saved and sent.  Tags that cannot be read are the compiler's to explain. */
static int render_html(struct call *c, struct slice source, const struct known_fields *known,
		       const struct values *v, json_t *out)
{
	struct sanitise_report report;
	struct buf clean;
	int r;

	buf_init(&clean, 0);
	r = sanitise_html(&clean, source, &report);
	if (r >= 0 && report.total)
		templates_report_removed(out, &report);
	if (r >= 0 || r == E_SYNTAX)
		r = render_part(c, TEMPLATE_HTML, r < 0 ? source : buf_data(&clean), known, v, out);
	buf_free(&clean);
	return r;
}

static int render_all(struct call *c, const struct template_source *source, bool stored,
		      const struct values *v, json_t *out)
{
	struct known_fields known;
	int r = known_fields_load(&known, c->db, c->actor.org);

	known.env.raw_escaped = stored;
	if (r >= 0)
		r = render_part(c, TEMPLATE_SUBJECT, source->subject, &known, v, out);
	if (r >= 0)
		r = render_html(c, source->html, &known, v, out);
	if (r >= 0)
		r = render_part(c, TEMPLATE_TEXT, source->text, &known, v, out);
	known_fields_free(&known);
	return r < 0 ? r : problem_end(c);
}

int render_preview(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct render_body b = { .subject = SLICE(""), .html = SLICE(""), .text = SLICE("") };
	struct template_source source;
	struct body_seen seen;
	struct values v = { 0 };
	json_t *out = json_object();
	int r = http_body_read(c, render_body, B_ROWS, &b, &seen);

	if (r >= 0)
		r = load_source(c, &b, &row, &source);
	if (r >= 0)
		r = load_values(c, &b, &v);
	if (r >= 0)
		r = render_all(c, &source, b.template_id != 0, &v, out);
	json_decref(v.json);
	if (r < 0) {
		json_decref(out);
		return r;
	}
	return http_reply_json(c, 200, out);
}
