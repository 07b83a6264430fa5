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
#include "message/mailbox.h"

enum { MEMBERS_MAX = KNOWN_FIELDS_MAX + 8, OUT_MAX = 8 * 1024 * 1024 };

struct render_body {
	struct slice template, contact, subject, html, text;
	json_t *data;
};
enum { B_TEMPLATE, B_CONTACT, B_SUBJECT, B_HTML, B_TEXT, B_DATA, B_ROWS };
#define AT(member) offsetof(struct render_body, member)
static const struct body_field render_body[B_ROWS] = {
	[B_TEMPLATE] = { "template", BODY_LINE, AT(template), 0, 0, 63, 0 },
	[B_CONTACT] = { "contact", BODY_LINE, AT(contact), 0, 0, 320, 0 },
	[B_SUBJECT] = { "subject", BODY_NAME, AT(subject), 0, 0, 2000, 0 },
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

/* The names of before 1.0: one thing has one name, so they are refused, and told. */
static void refuse_old_names(struct call *c)
{
	static const char *const old[][2] = { { "template_id", "template" },
					      { "contact_id", "contact" } };
	char pointer[32];

	for (size_t i = 0; i < ARRAY_LEN(old); i++) {
		if (!json_object_get(c->body, old[i][0]))
			continue;
		(void)snprintf(pointer, sizeof(pointer), "/%s", old[i][0]);
		problem_add(c, pointer, "renamed_member", "is called %s, as in other requests",
			    old[i][1]);
	}
}

/* By id, or by address, as in paths. */
static int find_contact(struct call *c, struct slice name, struct db_result **ret)
{
	char normal[MAILBOX_MAX + 2];
	struct mailbox box;
	uint64_t id;

	if (ids_in(ID_CONTACT, name, &id) >= 0)
		return db_run(c->db, ret, sql_templates_preview_contact, p_int(c->actor.org),
			      p_int(id), p_null());
	if (mailbox_parse(name, MAILBOX_CONTACT, &box) < 0)
		return 0;
	return db_run(c->db, ret, sql_templates_preview_contact, p_int(c->actor.org), p_null(),
		      p_text(mailbox_normal(&box, normal)));
}

static int load_contact(struct call *c, struct slice name, json_t **ret)
{
	OWNED(db_result) row = NULL;
	int r = find_contact(c, name, &row);

	if (r == 0) {
		problem_add(c, "/contact", "unknown_contact",
			    "there is no contact with this id or address");
		return problem_end(c);
	}
	if (r < 0)
		return r;
	struct slice text = db_text(row, 0, 0);
	*ret = json_loadb(text.p, text.n, 0, NULL);
	return *ret ? 0 : E_CORRUPT;
}

static int load_values(struct call *c, const struct render_body *b, struct values *v)
{
	int r = b->contact.n ? load_contact(c, b->contact, &v->json) : 0;

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
	if (!b->template.n)
		return 0;
	uint64_t id;
	int r = templates_find(c, b->template, &id);
	if (r >= 0)
		r = db_run(
		    c->db, ret_row,
		    "SELECT subject, html, text FROM templates WHERE org_id = $1 AND id = $2",
		    p_int(c->actor.org), p_int(id));
	if (r == 0) {
		problem_add(c, "/template", "unknown_template",
			    "there is no template with this id or alias");
		return problem_end(c);
	}
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
	int r;

	refuse_old_names(c);
	r = http_body_read(c, render_body, B_ROWS, &b, &seen);
	if (r >= 0)
		r = load_source(c, &b, &row, &source);
	if (r >= 0)
		r = load_values(c, &b, &v);
	if (r >= 0)
		r = render_all(c, &source, b.template.n > 0, &v, out);
	json_decref(v.json);
	if (r < 0) {
		json_decref(out);
		return r;
	}
	return http_reply_json(c, 200, out);
}
