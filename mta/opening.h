/* mta/opening.h - opens the spool for the engine, and tells the log why a spool is refused or
 * failed: which file, which place, which errno, which command helps.
 * Blocks: on recovery.
 * Fails:  as spool_open(); the log says more. */
#pragma once
#include "mta/config/spool.h"
#include "spool/spool.h"

int opening_spool(const struct spool_settings *c, struct spool **ret) MUST_CHECK;
/* When the spool failed while the engine ran: what was done to which file. */
void opening_explain(const struct spool_settings *c, const struct spool *sp);
