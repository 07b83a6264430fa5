/* mta/warmup/options.c - rows of the options of warm-up, and the lines of warmup.plans. */
#include "mta/config/entries.h"
#include "mta/warmup/inside.h"

#define AT(member) offsetof(struct warmup_options, member)

static const struct option rows[] = {
	{ "warmup.plans", T_LIST, AT(plan_list), 0, 0, "", true,
	  "Plans of new sources, each \"address provider start=N target=N curve=1.5x\" or "
	  "\"address "
	  "provider days=N:N:N\"; the provider may be other or * (postern-warmup(5))." },
	{ "warmup.sample", T_INT, AT(sample), 1, 100000, "20", true,
	  "Tries of a day below which a rate proves nothing; half the plan of a smaller day." },
	{ "warmup.deferrals", T_INT, AT(deferrals), 0, 1000, "50", true,
	  "Deferrals of a thousand tries above which a plan is held back for the day." },
	{ "warmup.blocks", T_INT, AT(blocks), 0, 1000, "10", true,
	  "The same for replies that say that the address is blocked." },
	{ "warmup.bounces", T_INT, AT(bounces), 0, 1000, "50", true,
	  "The same for bounces, those that come later as mail too, over three days." },
	{ "warmup.complaints", T_INT, AT(complaints), 0, 1000, "2", true,
	  "The same for complaints of a thousand deliveries, over three days." },
	{ "warmup.release", T_INT, AT(release), 0, 100, "50", true,
	  "Percent of these bounds above which a plan does not move on to its next day." },
	{ "warmup.reached", T_INT, AT(reached), 0, 100, "50", true,
	  "Percent of a day's plan that must have left before the plan moves on." },
};

bool warmup_is_provider(struct slice s)
{
	if (slice_eq(s, SLICE(WARMUP_ANY)))
		return true;
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' &&
		    c != '.')
			return false;
	}
	return s.n && s.n <= WARMUP_NAME_MAX;
}

static bool read_source(struct slice s, struct ip *ret)
{
	*ret = (struct ip){ 0 };
	return slice_eq(s, SLICE("*")) || ip_parse(s, ret) == 0;
}

int warmup_line_read(struct slice s, struct warmup_line *ret)
{
	struct slice source = entries_word(&s), provider = entries_word(&s);
	struct warmup_plan *plan = must_alloc(sizeof(*plan));
	const char *unused;
	int r = E_SYNTAX;

	*ret = (struct warmup_line){ 0 };
	if (read_source(source, &ret->source) && warmup_is_provider(provider))
		r = warmup_plan_read(s, plan, &unused);
	free(plan);
	if (r < 0)
		return r;
	ret->provider = must_copy(provider);
	ret->text = must_copy(slice_trim(s));
	return 0;
}

static int add_line(void *options, struct slice s)
{
	struct warmup_options *o = options;
	struct warmup_line *l;

	if (o->n_lines == WARMUP_PLANS_MAX)
		return E_SYNTAX;
	o->lines = must_resize(o->lines, (o->n_lines + 1) * sizeof(*o->lines));
	l = &o->lines[o->n_lines];
	if (warmup_line_read(s, l) < 0)
		return E_SYNTAX;
	o->n_lines++;
	for (unsigned i = 0; i + 1 < o->n_lines; i++)
		if (ip_eq(&o->lines[i].source, &l->source) &&
		    strcmp(o->lines[i].provider, l->provider) == 0)
			return E_SYNTAX;
	return 0;
}

static int derive(void *options, const struct settings *all UNUSED, struct option_fault *f)
{
	struct warmup_options *o = options;

	return option_entries(f, "warmup.plans", o->plan_list,
			      "\"address provider plan\", a source and a provider once, with a "
			      "plan as postern-warmup(5) says",
			      add_line, o);
}

static void clear(void *options)
{
	struct warmup_options *o = options;

	for (unsigned i = 0; i < o->n_lines; i++) {
		free(o->lines[i].provider);
		free(o->lines[i].text);
	}
	free(o->lines);
}

const struct option_set warmup_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct warmup_options),
	.derive = derive,
	.clear = clear,
};
