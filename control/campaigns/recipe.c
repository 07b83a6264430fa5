/* control/campaigns/recipe.c - the message composed, its meta, and what goes into each slot. */
#include "control/campaigns/recipe.h"

#include <stdio.h>

#include "control/campaigns/codes.h"
#include "control/campaigns/footer.h"
#include "control/campaigns/statements.h"
#include "control/engine/options.h"
#include "control/templates/fields.h"
#include "message/compose.h"
#include "message/sanitise.h"
#include "schema/wire/meta.h"

struct recipe *recipe_free(struct recipe *r)
{
	if (!r)
		return NULL;
	program_free(r->program);
	buf_free(&r->bytes);
	buf_free(&r->content_meta);
	buf_free(&r->job_meta);
	free(r);
	return NULL;
}

enum source_column {
	S_SUBJECT,
	S_HTML,
	S_TEXT,
	S_FROM_NAME,
	S_FROM_EMAIL,
	S_REPLY_TO,
	S_DOMAIN,
	S_RETURN_PATH,
	S_VERSION,
	S_STARTED,
	S_EXPIRES,
	S_NAME,
	S_FOOTER,
	S_OWN_PATH,
};

void recipe_terms_of(struct recipe_terms *ret, const struct app *app)
{
	ret->pool = slice_str(carrier_options(app)->pool);
	domains_return_path(app, ret->return_path);
}

/* "Name" <a@b>, the name quoted whatever it holds. */
static void put_sender(struct buf *out, struct slice name, struct slice email)
{
	if (name.n) {
		buf_put(out, SLICE("\""));
		for (size_t i = 0; i < name.n; i++) {
			if (name.p[i] == '"' || name.p[i] == '\\')
				buf_put(out, SLICE("\\"));
			buf_put(out, slice_of(name.p + i, 1));
		}
		buf_put(out, SLICE("\" "));
	}
	buf_put(out, SLICE("<"));
	buf_put(out, email);
	buf_put(out, SLICE(">"));
}

static int compose_with(struct recipe *r, struct db_result *src, const struct template_env *env,
			const struct template_source *source, struct compose_error *why)
{
	struct buf from;
	int e;

	buf_init(&from, 0);
	put_sender(&from, db_text(src, 0, S_FROM_NAME), db_text(src, 0, S_FROM_EMAIL));
	struct compose_in in = {
		.from = buf_data(&from),
		.reply_to = db_text(src, 0, S_REPLY_TO),
		.source = *source,
		.list_unsubscribe = SLICE("{{unsubscribe_url}}"),
		.one_click = true,
		.env = *env,
	};
	e = compose_campaign(&in, &r->bytes, why);
	buf_free(&from);
	return e;
}

/* The template without what mail must not carry, and with the footer where it has no link. */
static int compose(struct recipe *r, struct db_result *src, const struct template_env *env,
		   char *error)
{
	struct slice footer = db_text(src, 0, S_FOOTER);
	struct template_source source = { .subject = db_text(src, 0, S_SUBJECT) };
	struct compose_error why = { .template.part = TEMPLATE_HTML };
	struct buf clean, html, text;
	int e;

	buf_init(&clean, 0);
	buf_init(&html, 0);
	buf_init(&text, 0);
	/* It was cleaned when it was saved, unless it is older than that rule. */
	e = sanitise_html(&clean, db_text(src, 0, S_HTML), NULL);
	if (e < 0)
		slice_copy(why.template.text, sizeof(why.template.text), slice_str(err_text(e)));
	footer_put_html(&html, buf_data(&clean), footer);
	footer_put_text(&text, db_text(src, 0, S_TEXT), footer);
	source.html = buf_data(&html);
	source.text = buf_data(&text);
	if (e >= 0)
		e = compose_with(r, src, env, &source, &why);
	if (e < 0)
		(void)snprintf(error, RECIPE_ERROR_MAX, "%s line %u column %u: %s",
			       template_part_name(why.template.part), why.template.line,
			       why.template.column, why.template.text);
	buf_free(&clean);
	buf_free(&html);
	buf_free(&text);
	return e;
}

static void name_slots(struct recipe *r)
{
	static const char *const names[] = {
		[FIELD_FIRST_NAME] = "first_name",
		[FIELD_LAST_NAME] = "last_name",
		[FIELD_UNSUBSCRIBE] = "unsubscribe_url",
	};

	for (unsigned i = 0; i < program_field_count(r->program); i++) {
		unsigned k = 0;

		while (k < ARRAY_LEN(names) &&
		       !slice_eq(program_field_name(r->program, i), slice_str(names[k])))
			k++;
		r->fields[i] = (uint8_t)k;
		r->own_fields |= k == FIELD_OWN;
	}
}

/* Bounces go to the sender's domain only when they reach us there. */
static void put_return_path(struct buf *out, const struct db_result *src,
			    const struct recipe_terms *terms)
{
	struct slice label = db_text(src, 0, S_RETURN_PATH);

	if (!db_bool(src, 0, S_OWN_PATH) && terms->return_path[0]) {
		buf_put(out, slice_str(terms->return_path));
		return;
	}
	buf_put(out, SLICE("bounces@"));
	if (label.n) {
		buf_put(out, label);
		buf_put(out, SLICE("."));
	}
	buf_put(out, db_text(src, 0, S_DOMAIN));
}

static int write_meta(struct recipe *r, const struct db_result *src,
		      const struct recipe_terms *terms)
{
	struct slice domain = db_text(src, 0, S_DOMAIN);
	struct wire_content_meta content = { .program = true, .sign_domain = domain };
	struct buf sender;
	int e;

	buf_init(&sender, 0);
	put_return_path(&sender, src, terms);
	struct wire_job_meta job = {
		.mail_from = buf_data(&sender),
		.pool = terms->pool,
		.message_id_domain = domain,
		.origin = SLICE("control"),
		.date_ms = r->accepted_ms,
	};
	e = wire_content_meta_put(&r->content_meta, &content);
	if (e >= 0)
		e = wire_job_meta_put(&r->job_meta, &job);
	buf_free(&sender);
	return e;
}

static int fill(struct recipe *r, struct db *db, struct db_result *src,
		const struct recipe_terms *terms, char *error)
{
	struct known_fields known;
	int e = known_fields_load(&known, db, r->org);

	if (e < 0)
		return e;
	known.env.raw_escaped = true; /* in templates that are older than that rule */
	e = compose(r, src, &known.env, error);
	known_fields_free(&known);
	if (e >= 0)
		e = program_load(&r->program, buf_data(&r->bytes));
	if (e < 0)
		return e;
	name_slots(r);
	return write_meta(r, src, terms);
}

int recipe_load(struct recipe **ret, struct db *db, uint32_t org, uint64_t campaign,
		const struct recipe_terms *terms, char ret_error[RECIPE_ERROR_MAX])
{
	OWNED(db_result) src = NULL;
	OWNED(recipe) r = must_alloc(sizeof(*r));
	int e = db_run(db, &src, sql_campaigns_source, p_int(org), p_int(campaign));

	ret_error[0] = '\0';
	if (e < 0)
		return e;
	if (e == 0) {
		slice_copy(ret_error, RECIPE_ERROR_MAX,
			   SLICE("the campaign has no template or no sending domain"));
		return E_UNKNOWN;
	}
	r->org = org;
	r->campaign = campaign;
	r->version = (uint64_t)db_int(src, 0, S_VERSION);
	r->accepted_ms = db_int(src, 0, S_STARTED);
	r->expires_ms = db_int(src, 0, S_EXPIRES);
	if (!r->expires_ms)
		r->expires_ms = r->accepted_ms + CAMPAIGN_LIFE_MS;
	buf_init(&r->bytes, 0);
	buf_init(&r->content_meta, 0);
	buf_init(&r->job_meta, 0);
	e = fill(r, db, src, terms, ret_error);
	if (e < 0)
		return e;
	*ret = TAKE(r);
	return 0;
}
