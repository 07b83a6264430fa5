/* control/campaigns/ledger.c - the words of states, and what events make of them. */
#include "control/campaigns/ledger.h"

#include "control/engine/subject.h"

static const char *const status_names[] = {
	[CAMPAIGN_DRAFT] = "draft",         [CAMPAIGN_SCHEDULED] = "scheduled",
	[CAMPAIGN_SENDING] = "sending",     [CAMPAIGN_PAUSED] = "paused",
	[CAMPAIGN_CANCELLED] = "cancelled",
};
static const char *const unfit_names[] = {
	[UNFIT_SENDER] = "sender_unfit",    [UNFIT_TEMPLATE] = "template_unfit",
	[UNFIT_EXPIRED] = "expired",        [UNFIT_EMPTY] = "empty_audience",
	[UNFIT_HELD] = "nobody_to_send_to", [UNFIT_SUSPENDED] = "suspended",
	[UNFIT_DOMAIN] = "domain_degraded",
};
static const char *const pause_names[] = {
	[PAUSED_BY_DOMAIN] = "domain_degraded",
	[PAUSED_BY_LOSS] = "events_lost",
	[PAUSED_BY_ENGINE] = "engine_has_other_mail",
};
static const char *const state_names[LEDGER_STATES] = {
	[LEDGER_WAITING] = "waiting",       [LEDGER_QUEUED] = "queued",
	[LEDGER_DEFERRED] = "deferred",     [LEDGER_DELIVERED] = "delivered",
	[LEDGER_BOUNCED] = "bounced",       [LEDGER_EXPIRED] = "expired",
	[LEDGER_SUPPRESSED] = "suppressed", [LEDGER_CANCELLED] = "cancelled",
};
static const char *const reason_names[] = {
	[REASON_NONE] = "none",
	[REASON_AT_START] = "suppressed_at_start",
	[REASON_AT_SENDING] = "suppressed_at_sending",
	[REASON_CONTACT_GONE] = "contact_deleted",
	[REASON_CAMPAIGN] = "campaign_cancelled",
	[REASON_NO_MAILBOX] = "no_such_mailbox",
	[REASON_POLICY] = "refused",
	[REASON_ENGINE_LOST] = "engine_lost",
	[REASON_CONTACT_CHANGED] = "contact_changed",
	[REASON_SIMULATED] = "simulated",
};

static const char *name_of(const char *const *names, size_t n, int i)
{
	return i >= 0 && (size_t)i < n && names[i] ? names[i] : "";
}

const char *campaign_status_name(int status)
{
	return name_of(status_names, ARRAY_LEN(status_names), status);
}

const char *campaign_unfit_name(int unfit)
{
	const char *name = name_of(unfit_names, ARRAY_LEN(unfit_names), unfit);

	return *name ? name : NULL;
}

const char *campaign_pause_name(int paused_by)
{
	const char *name = name_of(pause_names, ARRAY_LEN(pause_names), paused_by);

	return *name ? name : NULL;
}

const char *ledger_state_name(int state)
{
	return name_of(state_names, ARRAY_LEN(state_names), state);
}

const char *ledger_reason_name(int reason)
{
	return name_of(reason_names, ARRAY_LEN(reason_names), reason);
}

int ledger_state_parse(struct slice word)
{
	for (int i = 1; i < LEDGER_STATES; i++)
		if (slice_eq(word, slice_str(state_names[i])))
			return i;
	return 0;
}

enum ledger_state ledger_state_of(const struct link_event *e)
{
	switch (e->kind) {
	case LINK_DELIVERED:
		return LEDGER_DELIVERED;
	case LINK_BOUNCED:
		return LEDGER_BOUNCED;
	case LINK_EXPIRED:
		return LEDGER_EXPIRED;
	case LINK_CANCELLED:
		return e->flags & LINK_EVENT_SUPPRESSED ? LEDGER_SUPPRESSED : LEDGER_CANCELLED;
	case LINK_DEFERRED:
		return LEDGER_DEFERRED;
	default:
		return 0;
	}
}

enum ledger_reason ledger_reason_of(const struct link_event *e)
{
	if (e->flags & LINK_EVENT_SIMULATED)
		return REASON_SIMULATED;
	switch (ledger_state_of(e)) {
	case LEDGER_BOUNCED:
		return subject_has_no_mailbox(e) ? REASON_NO_MAILBOX : REASON_POLICY;
	case LEDGER_SUPPRESSED:
		return REASON_AT_SENDING;
	case LEDGER_CANCELLED:
		return subject_was_deleted(e)   ? REASON_CONTACT_GONE
		       : subject_was_changed(e) ? REASON_CONTACT_CHANGED
						: REASON_CAMPAIGN;
	default:
		return REASON_NONE;
	}
}
