/* mta/config_derive.h - second half of reading the options: lists and names become addresses,
 * networks and numbers; for config.c alone. */
#pragma once
#include "mta/config.h"

int config_derive(struct mta_config *c, const char *name_for_errors, char *error) MUST_CHECK;
