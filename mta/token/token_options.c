/* mta/token/token_options.c - where endpoints that tenants named may be. */
#include "mta/token/tokens.h"

static const struct option rows[] = {
	{ "token.allow", T_LIST, offsetof(struct token_options, allow_list), 0, 0, "", true,
	  "Special networks (loopback, private ...) where token endpoints of tenants' own smart "
	  "hosts may be, such as 10.0.0.0/8." },
};

static int read_allowed(void *options, struct slice s)
{
	return net_list_add(&((struct token_options *)options)->allowed, s);
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct token_options *o = options;

	(void)all;
	return option_entries(f, "token.allow", o->allow_list,
			      "a network such as 10.0.0.0/8 (the list may have 64)", read_allowed,
			      o);
}

const struct option_set token_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct token_options),
	.derive = derive,
};
