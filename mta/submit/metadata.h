/* mta/submit/metadata.h - is this a JSON object (RFC 8259) of plain values: strings, numbers, true,
 * false and null, no lists and no objects in it?  It is passed on as it is.
 * Limits: METADATA_MEMBERS_MAX members; the caller bounds the bytes. */
#pragma once
#include "base/base.h"

enum { METADATA_MEMBERS_MAX = 64 };
bool metadata_is_good(struct slice text);
