/* control/campaigns/leaving.h - what becomes of a campaign's mail to a contact that is erased.
 * Blocks and fails as control/contacts/leaving.h says. */
#pragma once
#include "control/contacts/leaving.h"

extern const struct contacts_leaving campaigns_leaving;
