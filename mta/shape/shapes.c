/* mta/shape/shapes.c - files of rules, read; and the values that hold for one subject. */
#include "mta/shape/shapes.h"

#include <stdio.h>

#include "mta/shape/inside.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

struct shapes *shapes_new(void)
{
	return must_alloc(sizeof(struct shapes));
}

static void free_patterns(struct shape_patterns *p)
{
	while (p->n)
		free(p->at[--p->n]);
	free(p->at);
}

struct shapes *shapes_free(struct shapes *s)
{
	if (!s)
		return NULL;
	for (unsigned i = 0; i < s->n_sections; i++) {
		free(s->sections[i].name);
		free(s->sections[i].pool);
	}
	for (unsigned i = 0; i < s->n_rules; i++)
		free(s->rules[i].schedule);
	for (unsigned i = 0; i < s->n_providers; i++) {
		free(s->providers[i].name);
		free_patterns(&s->providers[i].mx);
		free_patterns(&s->providers[i].domain);
	}
	while (s->n_files)
		free(s->files[--s->n_files]);
	free(s->sections);
	free(s->rules);
	free(s->providers);
	free(s->files);
	free(s);
	return NULL;
}

/* ---- reading ----------------------------------------------------------------------------- */

struct shape_reader {
	struct shapes *shapes;
	const char *file;
	unsigned line, section;
	bool in_section;
};

static const char *keep_file(struct shapes *s, const char *name)
{
	s->files = must_resize(s->files, (s->n_files + 1) * sizeof(*s->files));
	return s->files[s->n_files++] = must_copy(slice_str(name));
}

static int add_pattern(struct shapes *s, struct shape_patterns *p, struct slice pattern,
		       char *error)
{
	if (!shape_pattern_valid(pattern))
		return shape_wrong(error,
				   "\"%.*s\" is not a name or a pattern such as *.example.com",
				   (int)MIN_OF(pattern.n, (size_t)60), pattern.p);
	if (s->n_patterns++ == SHAPE_PATTERNS_MAX)
		return shape_wrong(error, "more than %d patterns", SHAPE_PATTERNS_MAX);
	p->at = must_resize(p->at, (p->n + 1) * sizeof(*p->at));
	p->at[p->n++] = must_copy(pattern);
	return 0;
}

/* "mx" or "domain" of a provider; true: the line was one. */
static bool read_patterns(struct shape_reader *rd, struct slice name, struct slice value, int *ret,
			  char *error)
{
	struct shapes *s = rd->shapes;
	const struct shape_section *x = &s->sections[rd->section];
	bool mx = slice_eq(name, SLICE("mx"));

	if (!mx && !slice_eq(name, SLICE("domain")))
		return false;
	*ret = 0;
	if (x->level != SHAPE_OF_PROVIDER || shape_section_rank(x) % 8) {
		*ret =
		    shape_wrong(error, "%s belongs to [provider NAME] alone", mx ? "mx" : "domain");
		return true;
	}
	struct shape_provider *p = &s->providers[x->provider];
	while (value.n && *ret == 0) {
		struct slice pattern = slice_trim(slice_take(&value, ','));
		if (pattern.n)
			*ret = add_pattern(s, mx ? &p->mx : &p->domain, pattern, error);
	}
	return true;
}

static int check_sender(const struct shape_section *x, const struct shape_key_row *row, char *error)
{
	bool own = row->where & SHAPE_OWN;

	if (x->source.family && (row->where & SHAPE_OF_POOLS))
		return shape_wrong(
		    error, "%s is for all sources of a pool together: give the source a pool",
		    row->name);
	if (x->tenant && !own && !(row->where & SHAPE_BY_TENANT))
		return shape_wrong(
		    error, "%s cannot depend on a tenant: a connection carries the mail of several",
		    row->name);
	return 0;
}

static int check_place(const struct shape_section *x, enum shape_key key, char *error)
{
	const struct shape_key_row *row = &shape_key_rows[key];

	if ((row->where & SHAPE_AT_PROVIDER) && x->level != SHAPE_OF_PROVIDER)
		return shape_wrong(error, "%s belongs to a section [provider NAME]", row->name);
	if ((row->where & SHAPE_OF_HOSTS) && shape_section_rank(x) % 8)
		return shape_wrong(error, "%s is about the hosts: it cannot depend on who sends",
				   row->name);
	return check_sender(x, row, error);
}

/* What must be told apart because of the rule, beyond what its section says. */
static unsigned asked_by(const struct shape_section *x, enum shape_key key)
{
	bool own = shape_key_rows[key].where & SHAPE_OWN;

	return (key == SHAPE_TLS ? SHAPE_ASKS_TLS : 0U) |
	       (key == SHAPE_RECIPIENTS && x->tenant ? SHAPE_ASKS_TENANT_RECIPIENTS : 0U) |
	       (own && x->tenant && x->source.family ? SHAPE_ASKS_BOTH : 0U);
}

static int add_rule(struct shape_reader *rd, struct slice name, struct slice value, char *error)
{
	struct shapes *s = rd->shapes;
	struct shape_schedule schedule = { .n = 0 };
	struct shape_rule rule = { .section = rd->section, .file = rd->file, .line = rd->line };
	int r;

	rule.key = shape_key_find(name);
	if (rule.key == SHAPE_KEYS)
		return shape_wrong(error, "unknown key \"%.*s\"", (int)MIN_OF(name.n, (size_t)60),
				   name.p);
	r = check_place(&s->sections[rd->section], rule.key, error);
	if (r == 0)
		r = shape_value_read(rule.key, value, &rule.v, &schedule, error);
	if (r < 0)
		return r;
	if (s->n_rules == SHAPE_RULES_MAX)
		return shape_wrong(error, "more than %d values", SHAPE_RULES_MAX);
	if (schedule.n) {
		rule.schedule = must_alloc(sizeof(schedule));
		*rule.schedule = schedule;
	}
	s->rules = must_resize(s->rules, (s->n_rules + 1) * sizeof(*s->rules));
	s->rules[s->n_rules++] = rule;
	s->asks |= asked_by(&s->sections[rule.section], rule.key);
	return 0;
}

static struct slice without_comment(struct slice line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' && (i == 0 || strchr(" \t\r", line.p[i - 1])))
			return slice_of(line.p, i);
	return line;
}

static int read_line(struct shape_reader *rd, struct slice line, char *error)
{
	struct slice name, value;
	int r;

	if (line.n > LINE_MAX_BYTES || memchr(line.p, '\0', line.n))
		return shape_wrong(error, "a line of more than 64 KiB, or one with a NUL");
	line = slice_trim_set(without_comment(line), " \t\r");
	if (!line.n)
		return 0;
	if (line.p[0] == '[') {
		if (line.p[line.n - 1] != ']')
			return shape_wrong(error, "the section has no \"]\"");
		rd->in_section = true;
		return shape_section_read(rd->shapes, slice_of(line.p + 1, line.n - 2),
					  &rd->section, error);
	}
	if (!rd->in_section)
		return shape_wrong(error,
				   "expected a section such as [default] before the first value");
	if (!slice_cut(line, '=', &name, &value))
		return shape_wrong(error, "expected \"name = value\" or \"[section]\"");
	name = slice_trim(name);
	value = slice_trim(value);
	if (read_patterns(rd, name, value, &r, error))
		return r;
	return add_rule(rd, name, value, error);
}

int shapes_parse(struct shapes *s, struct slice text, const char *name, char *error)
{
	struct shape_reader rd = { .shapes = s, .file = keep_file(s, name) };
	char why[OPTION_ERROR_MAX];
	int r = 0;

	while (text.n && r == 0) {
		rd.line++;
		r = read_line(&rd, slice_take(&text, '\n'), why);
	}
	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "%.200s:%u: %.280s", name, rd.line, why);
	return r;
}

int shapes_order(struct shapes *s, struct slice section, struct slice key, struct slice value,
		 const char *author, char *error)
{
	struct shape_reader rd = { .shapes = s };
	int r = shape_section_read(s, section, &rd.section, error);

	if (r < 0)
		return r;
	rd.file = keep_file(s, author);
	return add_rule(&rd, slice_trim(key), slice_trim(value), error);
}

/* ---- which holds ------------------------------------------------------------------------- */

static bool any_matches(const struct shape_patterns *p, struct slice name)
{
	for (unsigned i = 0; i < p->n; i++)
		if (shape_pattern_matches(slice_str(p->at[i]), name))
			return true;
	return false;
}

unsigned shapes_provider(const struct shapes *s, const struct shape_subject *q)
{
	for (unsigned i = 0; i < s->n_providers; i++)
		if (any_matches(&s->providers[i].domain, q->domain))
			return i;
	for (unsigned i = 0; q->n_mx && i < s->n_providers; i++)
		if (any_matches(&s->providers[i].mx, q->mx[0]))
			return i;
	return SHAPE_NO_PROVIDER;
}

const char *shapes_provider_name(const struct shapes *s, unsigned provider)
{
	return provider < s->n_providers ? s->providers[provider].name : "";
}

bool shapes_has_provider(const struct shapes *s, struct slice name)
{
	for (unsigned i = 0; i < s->n_providers; i++)
		if (slice_eq(name, slice_str(s->providers[i].name)))
			return s->providers[i].mx.n || s->providers[i].domain.n;
	return false;
}

void shapes_group(const struct shapes *s, const struct shape_subject *q, struct buf *out)
{
	struct shape_subject others = *q;
	unsigned provider = shapes_provider(s, q);

	others.domain = SLICE("");
	if (provider != shapes_provider(s, &others))
		buf_put(out, slice_str(s->providers[provider].name));
	for (unsigned i = 0; i < s->n_sections; i++) {
		const struct shape_section *x = &s->sections[i];
		if (x->level != SHAPE_OF_DOMAIN || !shape_section_names(x, q->domain))
			continue;
		buf_put(out, buf_len(out) ? SLICE("+") : SLICE(""));
		buf_put(out, slice_str(x->name));
	}
}

unsigned shapes_asks(const struct shapes *s)
{
	return s->asks;
}

bool shapes_names_pool(const struct shapes *s, uint16_t rule)
{
	return rule < s->n_rules && s->sections[s->rules[rule].section].pool;
}

/* A limit that a tenant, a source, or one over the other has beside that of all. */
static bool is_own(const struct shape_rule *r, const struct shape_section *x)
{
	return (shape_key_rows[r->key].where & SHAPE_OWN) && (x->tenant || x->source.family);
}

static enum shape_owner owner_of(const struct shape_section *x)
{
	return !x->tenant ? SHAPE_OWN_SOURCE : x->source.family ? SHAPE_OWN_BOTH : SHAPE_OWN_TENANT;
}

struct shape_search {
	const struct shapes *shapes;
	const struct shape_subject *subject;
	unsigned provider, ranks[SHAPE_KEYS];
	struct shape *ret;
};

static struct shape_search search(const struct shapes *s, const struct shape_subject *q,
				  struct shape *ret)
{
	for (unsigned i = 0; i < SHAPE_KEYS; i++)
		ret->from[i] = SHAPE_RULES_MAX;
	return (struct shape_search){
		.shapes = s, .subject = q, .provider = shapes_provider(s, q), .ret = ret
	};
}

static void consider(struct shape_search *f, const struct shape_rule *r)
{
	const struct shape_section *x = &f->shapes->sections[r->section];

	if (shape_section_rank(x) < f->ranks[r->key] ||
	    !shape_section_matches(x, f->subject, f->provider))
		return;
	f->ranks[r->key] = shape_section_rank(x);
	f->ret->v[r->key] = r->v;
	f->ret->from[r->key] = (uint16_t)(r - f->shapes->rules);
	if (r->schedule)
		f->ret->retry = *r->schedule;
}

void shapes_resolve(const struct shapes *s, const struct shape_subject *q, const struct shape *base,
		    struct shape *ret)
{
	struct shape_search f;

	*ret = *base;
	f = search(s, q, ret);
	for (unsigned i = 0; i < s->n_rules; i++)
		if (!is_own(&s->rules[i], &s->sections[s->rules[i].section]))
			consider(&f, &s->rules[i]);
}

void shapes_limits(const struct shapes *s, const struct shape_subject *q, enum shape_owner owner,
		   struct shape *ret)
{
	struct shape_search f;

	*ret = (struct shape){ 0 };
	f = search(s, q, ret);
	for (unsigned i = 0; i < s->n_rules; i++) {
		const struct shape_section *x = &s->sections[s->rules[i].section];
		if (is_own(&s->rules[i], x) && owner_of(x) == owner)
			consider(&f, &s->rules[i]);
	}
}

/* ---- showing ----------------------------------------------------------------------------- */

static void show_place(const struct shape_rule *r, struct buf *out)
{
	if (r->line)
		buf_putf(out, "%s:%u", r->file, r->line);
	else
		buf_putf(out, "order of %s", r->file);
}

void shapes_origin(const struct shapes *s, uint16_t rule, struct buf *out)
{
	if (rule >= s->n_rules) {
		buf_put(out, SLICE("the configuration"));
		return;
	}
	show_place(&s->rules[rule], out);
	buf_put(out, SLICE(" "));
	shape_section_show(&s->sections[s->rules[rule].section], out);
}

static void show_value(const struct shape_rule *r, struct buf *out)
{
	shape_value_show(r->key, r->v, r->schedule, out);
}

void shapes_each(const struct shapes *s,
		 void (*each)(void *arg, struct slice section, const char *key, struct slice value,
			      struct slice origin),
		 void *arg)
{
	struct buf section, value, origin;

	buf_init(&section, 0);
	buf_init(&value, 0);
	buf_init(&origin, 0);
	for (unsigned i = 0; i < s->n_rules; i++) {
		const struct shape_rule *r = &s->rules[i];
		buf_clear(&section);
		buf_clear(&value);
		buf_clear(&origin);
		shape_section_show(&s->sections[r->section], &section);
		show_value(r, &value);
		show_place(r, &origin);
		each(arg, buf_data(&section), shape_key_rows[r->key].name, buf_data(&value),
		     buf_data(&origin));
	}
	buf_free(&section);
	buf_free(&value);
	buf_free(&origin);
}

bool shapes_find(const struct shapes *s, struct slice section, struct slice key, struct buf *out)
{
	enum shape_key k = shape_key_find(key);
	bool found = false;
	struct buf name;

	buf_init(&name, 0);
	for (unsigned i = s->n_rules; i-- > 0 && !found;) {
		const struct shape_rule *r = &s->rules[i];
		buf_clear(&name);
		shape_section_show(&s->sections[r->section], &name);
		struct slice shown = buf_data(&name);
		found = r->key == k && slice_eq(section, slice_of(shown.p + 1, shown.n - 2));
		if (found)
			show_value(r, out);
	}
	buf_free(&name);
	return found;
}
