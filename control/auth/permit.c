/* control/auth/permit.c - the table of permissions and the table of roles. */
#include "control/auth/permit.h"

#define R(role) (1U << (role))
#define EVERYBODY                                                                                  \
	(R(ROLE_ADMIN) | R(ROLE_MANAGER) | R(ROLE_EDITOR) | R(ROLE_ANALYST) | R(ROLE_VIEWER))
#define WRITERS (R(ROLE_ADMIN) | R(ROLE_MANAGER) | R(ROLE_EDITOR))
#define LEADERS (R(ROLE_ADMIN) | R(ROLE_MANAGER))

/* In the order of the bits, with the roles that hold each. */
static const struct {
	const char *name;
	unsigned roles;
} permits[] = {
	{ "org.read", EVERYBODY | R(ROLE_SENDER) },
	{ "org.write", R(ROLE_ADMIN) },
	{ "members.read", EVERYBODY },
	{ "members.write", R(ROLE_ADMIN) },
	{ "keys.read", LEADERS },
	{ "keys.write", R(ROLE_ADMIN) },
	{ "domains.read", EVERYBODY },
	{ "domains.write", LEADERS },
	{ "contacts.read", EVERYBODY },
	{ "contacts.write", WRITERS },
	{ "templates.read", EVERYBODY | R(ROLE_SENDER) },
	{ "templates.write", WRITERS },
	{ "campaigns.read", EVERYBODY },
	{ "campaigns.write", WRITERS },
	{ "campaigns.send", LEADERS },
	{ "messages.read", EVERYBODY | R(ROLE_SENDER) },
	{ "send", LEADERS | R(ROLE_SENDER) },
	{ "suppressions.read", EVERYBODY },
	{ "suppressions.write", WRITERS },
	{ "analytics.read", EVERYBODY },
	{ "audit.read", LEADERS },
	{ "suppressions.delete", WRITERS },
	{ "suppressions.delete_optout", LEADERS },
	{ "smtp.read", LEADERS },
	{ "smtp.write", R(ROLE_ADMIN) },
};

static const struct {
	const char *name, *title;
} roles[ROLE_END] = {
	[ROLE_ADMIN] = { "admin", "Admin" },    [ROLE_MANAGER] = { "manager", "Campaign manager" },
	[ROLE_EDITOR] = { "editor", "Editor" }, [ROLE_ANALYST] = { "analyst", "Analyst" },
	[ROLE_VIEWER] = { "viewer", "Viewer" }, [ROLE_SENDER] = { "sender", "Sender" },
};

const char *permit_role_name(enum role role)
{
	return role > 0 && role < ROLE_END ? roles[role].name : "none";
}

const char *permit_role_title(enum role role)
{
	return role > 0 && role < ROLE_END ? roles[role].title : "";
}

int permit_role_parse(struct slice name, enum role *ret)
{
	for (unsigned i = 1; i < ROLE_END; i++)
		if (slice_eq(name, slice_str(roles[i].name))) {
			*ret = (enum role)i;
			return 0;
		}
	return E_SYNTAX;
}

uint64_t permit_of_role(enum role role)
{
	uint64_t set = 0;

	if (role <= 0 || role >= ROLE_END)
		return 0;
	for (unsigned i = 0; i < ARRAY_LEN(permits); i++)
		if (permits[i].roles & R(role))
			set |= PERMIT(i);
	return set;
}

uint64_t permit_of_member(int64_t role, int64_t own)
{
	const uint64_t known = PERMIT(ARRAY_LEN(permits)) - 1;

	return role == ROLE_OWN ? (uint64_t)own & known : permit_of_role((enum role)role);
}

const char *permit_name(unsigned bit)
{
	return bit < ARRAY_LEN(permits) ? permits[bit].name : NULL;
}

int permit_parse(struct slice name, uint64_t *ret_bit)
{
	for (unsigned i = 0; i < ARRAY_LEN(permits); i++)
		if (slice_eq(name, slice_str(permits[i].name))) {
			*ret_bit = PERMIT(i);
			return 0;
		}
	return E_SYNTAX;
}

json_t *permit_json(uint64_t set)
{
	json_t *names = json_array();

	for (unsigned bit = 0; permit_name(bit); bit++)
		if (set & PERMIT(bit))
			(void)json_array_append_new(names, json_string(permit_name(bit)));
	return names;
}
