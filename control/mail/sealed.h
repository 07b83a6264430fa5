/* control/mail/sealed.h - what the sealed values of a mail are sealed for; for the files of this
 * folder alone. */
#pragma once
#include "base/buf.h"

void mail_about(struct buf *about, uint64_t hi, uint64_t lo);
