/* mta/senders/address.h - the hash that stands for an address (schema/wire/facts.h), the same as
 * the control plane's.
 * Fails: E_SYNTAX, E_LIMIT: this is no address, so it is suppressed nowhere. */
#pragma once
#include "message/mailbox.h"
#include "schema/wire/facts.h"

int senders_address_hash(struct slice address, uint8_t ret[WIRE_FACT_HASH]) MUST_CHECK;
