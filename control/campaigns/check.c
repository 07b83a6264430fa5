/* control/campaigns/check.c - what makes a campaign unfit to be sent, each with the
 * member at fault. */
#include "control/campaigns/check.h"

#include "base/clock.h"
#include "control/campaigns/campaign.h"
#include "control/campaigns/recipe.h"
#include "control/campaigns/start.h"
#include "control/campaigns/statements.h"
#include "control/domains/options.h"
#include "control/http/problem.h"

enum { DOMAIN_IS_VERIFIED, DOMAIN_IS_LOST };

int campaign_check_sender(struct call *c, const struct db_result *row)
{
	OWNED(db_result) domain = NULL;
	int64_t id = db_int(row, 0, CC_DOMAIN);
	int r = db_run(c->db, &domain, sql_campaigns_domain_state, p_int(c->actor.org), p_int(id),
		       p_int(domains_options(c->app)->degraded_grace));

	if (r < 0)
		return r;
	if (!db_text(row, 0, CC_FROM_EMAIL).n)
		problem_add(c, "/from/email", "required",
			    "is required: set the address that the campaign is sent from");
	else if (r == 0)
		problem_add(c, "/from/email", "unknown_domain",
			    "the domain of this address is not one of your domains: add it under "
			    "/v1/domains");
	else if (!db_bool(domain, 0, DOMAIN_IS_VERIFIED))
		problem_add(c, "/from/email", "unverified_domain",
			    "the domain of this address is not verified: publish its DNS records "
			    "and verify it");
	else if (db_bool(domain, 0, DOMAIN_IS_LOST))
		problem_add(c, "/from/email", "degraded_domain",
			    "the DNS records of this domain have been missing or wrong for too "
			    "long: publish them again and verify it");
	return 0;
}

static int check_message(struct call *c, const struct db_result *row)
{
	OWNED(recipe) recipe = NULL;
	char why[RECIPE_ERROR_MAX];
	struct recipe_terms terms;
	int r;

	if (!db_int(row, 0, CC_TEMPLATE)) {
		problem_add(c, "/template", "required", "is required: set the id of a template");
		return 0;
	}
	if (problem_count(c)) /* without a sender there is nothing to compose */
		return 0;
	recipe_terms_of(&terms, c->app);
	r = recipe_load(&recipe, c->db, c->actor.org, (uint64_t)db_int(row, 0, CC_ID), &terms, why);
	if (r == E_SYNTAX || r == E_LIMIT || r == E_UNKNOWN)
		problem_add(c, "/template", "template", "%s", why);
	return r == E_SYNTAX || r == E_LIMIT || r == E_UNKNOWN ? 0 : r;
}

static int check_audience(struct call *c, const struct db_result *row)
{
	struct campaign_ref ref = { c->actor.org, (uint64_t)db_int(row, 0, CC_ID) };
	bool to_all = db_bool(row, 0, CC_TO_ALL);
	const char *pointer = to_all ? "/all_contacts" : "/lists";
	int r;

	if (!to_all && db_text(row, 0, CC_LISTS).n <= 2) { /* [] */
		problem_add(c, pointer, "required",
			    "the campaign has no recipients: set lists or all_contacts");
		return 0;
	}
	r = campaign_reach(c->db, &ref, to_all);
	if (r == UNFIT_EMPTY)
		problem_add(c, pointer, "empty_audience",
			    "nobody is in the audience: add contacts, or exclude fewer");
	else if (r == UNFIT_HELD)
		problem_add(c, pointer, "nobody_to_send_to",
			    "everybody in the audience is unsubscribed or suppressed");
	return r < 0 ? r : 0;
}

/* A time that passed less than this before the call means now: clients' clocks differ. */
enum { AT_TOLERANCE_MS = 60000 };

static void check_times(struct call *c, const struct db_result *row, int64_t at)
{
	int64_t now = clock_wall_ms(), expires = db_int(row, 0, CC_EXPIRES);

	if (at < now - AT_TOLERANCE_MS)
		problem_add(c, "/at", "in_the_past",
			    "must not be in the past: leave it out to send now");
	if (expires && expires <= now)
		problem_add(c, "/expires_at", "in_the_past",
			    "has passed: set a later time, or null");
	else if (expires && expires <= at)
		problem_add(c, "/at", "after_expiry", "must be before the campaign's expires_at");
}

int campaign_check(struct call *c, const struct db_result *row, int64_t at)
{
	int r = campaign_check_sender(c, row);

	if (r >= 0)
		r = check_message(c, row);
	if (r >= 0)
		r = check_audience(c, row);
	check_times(c, row, at);
	return r < 0 ? r : problem_end(c);
}
