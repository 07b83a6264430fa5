/* control/campaigns/footer.h - bulk mail has an unsubscribe link that people see: where a part of
 * the template has none, the organisation's footer goes at its end.
 *
 * A link counts when everybody gets it: outside of comments, and in no section but one over
 * unsubscribe_url itself.  In HTML it is the href of an <a>; in text the address.
 * The footer is plain text.  {{unsubscribe_url}} in it is the place of the link; without it, the
 * link is the last line.
 *
 * Owns:   nothing; out grows.
 * Blocks: never.
 * Limits: out has no cap (buf_put()); what is written is little more than part and footer. */
#pragma once
#include "base/buf.h"

/* Writes the part, with the footer if it needs one.  An empty part, and any with an empty footer,
 * stays as it is.  In HTML the footer stands before </body>. */
void footer_put_html(struct buf *out, struct slice html, struct slice footer);
void footer_put_text(struct buf *out, struct slice text, struct slice footer);
