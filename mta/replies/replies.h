/* mta/replies/replies.h - the rules that say what replies mean, as part of the configuration.
 * Owns:    settings own the rules that were read with them.  Rules whose text has not changed are
 *          shared by old and new settings.
 * Blocks:  reading settings also reads the rule file.
 * Fails:   settings with a rule file that is wrong cannot be read: the engine does not start with
 *          it, and a reload changes nothing.
 * Threads: settings are read on the front desk; the rules may be asked by any. */
#pragma once
#include "base/settings.h"
#include "message/judge/judge.h"

extern const struct option_set replies_option_set;
/* Valid as long as the settings. */
const struct judge *replies_judge(const struct settings *all);
const char *replies_path(const struct settings *all); /* of the operator's file */
