/* control/campaigns/leaving.h - what becomes of a campaign's mail to a contact that is erased. */
#pragma once
#include "control/contacts/leaving.h"

extern const struct contacts_leaving campaigns_leaving;
