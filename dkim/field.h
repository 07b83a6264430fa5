/* dkim/field.h - the text of a DKIM-Signature field, folded as libopendkim folds it (at 75
 * columns), so that tests can compare the two byte for byte. */
#pragma once
#include "base/buf.h"
#include "dkim/frame.h"
#include "dkim/sign.h"

/* Appends "DKIM-Signature: v=1; ... h=...;" up to and without b=. */
int sign_field_head(const struct sign_key *key, const struct frame *f,
		    struct slice body_hash_base64, int64_t now_s, struct buf *out) MUST_CHECK;
/* What follows once the signature is known: "CRLF TAB b=... CRLF". */
int sign_field_signature(struct slice signature, struct buf *out) MUST_CHECK;
