/* mta/returnpath/options.c - rows of the options of return paths. */
#include "mta/returnpath/returnpath.h"

#define AT(member) offsetof(struct returnpath_options, member)
static const int64_t day_ms = 86400000;

static const struct option rows[] = {
	{ "return.hosts", T_LIST, AT(hosts), 0, 0, "", true,
	  "Hosts whose mail comes back to listen.reports. A host that begins with a dot stands for "
	  "all below it, and * for every host that a job's return path names." },
	{ "return.keys", T_STR, AT(keys), 1, 1024, "/var/lib/postern/return", false,
	  "Folder of the keys that return paths are made with; a new one is made every week." },
	{ "return.life", T_DURATION, AT(life), day_ms, 180 * day_ms, "30d", true,
	  "How long mail that comes back is taken after its message was sent." },
	{ "return.rewrite", T_BOOL, AT(rewrite), 0, 0, "no", true,
	  "Give submitted mail a return path at the first of return.hosts instead of the "
	  "sender's." },
	{ "return.unsubscribe", T_BOOL, AT(unsubscribe), 0, 0, "yes", true,
	  "Add a mailto: of ours to the List-Unsubscribe field of campaigns, and of submitted mail "
	  "that has such a field without a mailto:." },
};

static int add_host(void *options, struct slice e)
{
	struct returnpath_options *o = options;
	struct mailbox box;
	struct slice name = e.n && e.p[0] == '.' ? slice_skip(e, 1) : e;
	char address[2 + 256];

	if (o->n_hosts == RETURN_HOSTS_MAX || !name.n || name.n > 253)
		return E_SYNTAX;
	memcpy(address, "b@", 2);
	memcpy(address + 2, name.p, name.n);
	if (!slice_eq(e, SLICE("*")) &&
	    (mailbox_parse(slice_of(address, name.n + 2), 0, &box) < 0 || box.literal))
		return E_SYNTAX;
	o->host[o->n_hosts++] = e;
	return 0;
}

static int derive(void *options, const struct settings *all UNUSED, struct option_fault *f)
{
	struct returnpath_options *o = options;
	int r =
	    option_entries(f, "return.hosts", o->hosts,
			   "a host such as bounces.example.com, .example.com or * (the list may "
			   "have 64)",
			   add_host, o);

	if (r == 0 && o->rewrite && !returnpath_first_host(o).n)
		r = option_bad(f, "return.rewrite", SLICE("yes"),
			       "possible: return.hosts must begin with the name of a host");
	return r;
}

const struct option_set returnpath_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct returnpath_options),
	.derive = derive,
};

static bool is_below(struct slice host, struct slice dotted)
{
	return host.n > dotted.n && slice_eq_nocase(slice_skip(host, host.n - dotted.n), dotted);
}

bool returnpath_has_host(const struct returnpath_options *o, struct slice host)
{
	for (unsigned i = 0; i < o->n_hosts; i++) {
		struct slice h = o->host[i];
		if (h.p[0] == '*' || (h.p[0] == '.' ? is_below(host, h) : slice_eq_nocase(host, h)))
			return host.n > 0;
	}
	return false;
}

struct slice returnpath_first_host(const struct returnpath_options *o)
{
	bool named = o->n_hosts && o->host[0].p[0] != '.' && o->host[0].p[0] != '*';

	return named ? o->host[0] : slice_of("", 0);
}
