/* control/http/accept.h - the fields by which a client says what it takes (RFC 9110, 12.4.2 and
 * 12.5).
 * Owns: nothing; slices point into the field. */
#pragma once
#include "base/base.h"

/* Takes one element of a list with weights off the front: its name, and the weight in thousandths
 * (a weight that is not understood counts as 1).  False at the end. */
bool accept_next(struct slice *rest, struct slice *ret_name, int *ret_weight);
/* Does an Accept-Encoding field allow gzip?  An absent field does not. */
bool accept_gzip(struct slice field);
