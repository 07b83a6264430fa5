/* control/auth/device.h - what a User-Agent says in a few words: "Firefox on Linux".
 *
 * Coarse on purpose: people recognise their own device by it, and versions change every month.  It
 * is what the client claims, nothing more.
 * Threads: any.  Fails: never; what is not known is called so. */
#pragma once
#include "base/base.h"

enum { DEVICE_TEXT_MAX = 64, DEVICE_LOOK_MAX = 512 };
/* Looks at the first DEVICE_LOOK_MAX bytes. */
char *device_text(struct slice agent, char buf[DEVICE_TEXT_MAX]);
