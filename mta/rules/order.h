/* mta/rules/order.h - one order of the operator or of the control plane, and its text in the spool:
 * the rule "order/<id>", whose value is lines of a name, a blank and a text.
 *
 *	hold      matching recipients stay queued, untried; also those that come later
 *	release   they are not held by holds given before this one
 *	suspend   as a hold; or, when it names a source, nothing leaves from that source
 *	cancel    they end as cancelled
 *	bounce    they are held until act_ms, then end as bounced
 *	move      they leave from the sources of another pool
 *	cap       a rate, and so many at a time
 *	retry     they were tried at once: a note of what was done
 *
 * Of several orders that say different things about somebody the latest counts; those before it
 * stand, and count again when it ends.
 * Owns:   the texts are members; the selector's slices point into `what`, so an order must not be
 *         copied: order_take() does it.
 * Fails:  order_read(): E_SYNTAX.
 * Limits: as the arrays say; lines with unknown names are skipped. */
#pragma once
#include "base/buf.h"
#include "mta/rules/selector.h"

enum order_kind {
	ORDER_HOLD,
	ORDER_RELEASE,
	ORDER_SUSPEND,
	ORDER_CANCEL,
	ORDER_BOUNCE,
	ORDER_MOVE,
	ORDER_CAP,
	ORDER_RETRY,
	ORDER_KINDS
};
enum order_end {
	ORDER_STANDS,
	ORDER_DONE,     /* it was carried out */
	ORDER_UNDONE,   /* taken back by its id */
	ORDER_EXPIRED,  /* its time was over */
	ORDER_RELEASED, /* by release or resume of the same selector */
	ORDER_ENDS
};

struct order {
	uint64_t id;
	enum order_kind kind;
	enum order_end end;
	bool acts;               /* bounce: the grace period is over */
	int64_t at_ms, until_ms; /* given; ends by itself, 0: never */
	int64_t act_ms;          /* bounce: when the grace period is over */
	int64_t ended_ms;
	uint64_t count;      /* recipients that it named when it was given */
	int64_t per_day;     /* cap; 0: no rate */
	int64_t connections; /* cap; 0: any number */
	char what[SELECTOR_TEXT_MAX];
	char author[128], reason[256], ended_by[128];
	char pool[128], text[256]; /* move; bounce */
	struct selector selector;
};

const char *order_kind_name(enum order_kind kind);
const char *order_end_name(enum order_end end);
/* Is it in force as long as nobody ends it? */
bool order_stands(const struct order *o);
/* A text may stand in a line. */
bool order_text_is_good(const char *text);
void order_take(struct order *to, const struct order *from);
/* "order/<id>"; buf holds ORDER_KEY_MAX bytes. */
enum { ORDER_KEY_MAX = 32 };
void order_key(uint64_t id, char *buf);
int order_id_of(struct slice rule_key, uint64_t *ret) MUST_CHECK; /* E_SYNTAX: another rule */
int order_read(struct slice rule_key, struct slice rule_value, struct order *ret) MUST_CHECK;
void order_print(const struct order *o, struct buf *out);
