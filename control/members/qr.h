/* control/members/qr.h - a text as a QR code (ISO 18004), drawn as SVG.
 * Threads: any.
 * Fails:   E_LIMIT (more than QR_TEXT_MAX bytes), -ENOMEM. */
#pragma once
#include "base/buf.h"

enum { QR_TEXT_MAX = 1000 };
int qr_svg(struct slice text, struct buf *out) MUST_CHECK;
/* The same as the value of an <img>'s src, which runs no scripts whatever the SVG holds. */
int qr_data_uri(struct slice text, struct buf *out) MUST_CHECK;
