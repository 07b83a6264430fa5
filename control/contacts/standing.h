/* control/contacts/standing.h - whether a person wants mail, as other programs' files say it.
 * Limits: the words of English, German, French, Spanish and Dutch; others are not guessed. */
#pragma once
#include "control/contacts/codes.h"
#include "control/contacts/title.h"

/* Of a word in a status column: "Unsubscribed", "cleaned", "abgemeldet"; 0: not known.  Those who
 * have not confirmed, or never subscribed, count as unsubscribed. */
int standing_of_word(struct slice word);
/* Of a cell in a column of the target: a word of TITLE_STATUS, or yes, no or a date where the
 * column asks whether or since when.  An empty cell is CONTACT_SUBSCRIBED, since it says nothing;
 * 0: not known. */
int standing_of_cell(enum title_target target, struct slice cell);
