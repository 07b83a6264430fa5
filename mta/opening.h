/* mta/opening.h - opens the spool for the engine, and tells the log why a spool is refused or
 * failed: which file, which place, which errno, which command helps.
 * Blocks: on recovery.
 * Fails:  as spool_open(); the log says more. */
#pragma once
#include "mta/config/spool.h"
#include "spool/spool.h"

/* The number of the spool is remembered outside of its folder: in $STATE_DIRECTORY/spool.id where
 * systemd gives one, else in <spool.dir>.id.  A folder that is empty or gone although a spool was
 * there is refused, unless `fresh`: the operator says that a new one is meant.  Where nothing can
 * be remembered, the log says so. */
int opening_spool(const struct spool_settings *c, bool fresh, struct spool **ret) MUST_CHECK;
/* When the spool failed while the engine ran: what was done to which file. */
void opening_explain(const struct spool_settings *c, const struct spool *sp);
