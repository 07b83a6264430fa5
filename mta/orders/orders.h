/* mta/orders/orders.h - the life of orders: given, listed, undone, over by themselves.
 *
 * An order is a rule of the spool (mta/rules/order.h), and its number grows by one each time.  The
 * front desk ends those whose time is over, lets a bounce act after its grace period, and notices
 * that everybody whom a cancel or a bounce names has ended.  Of those that are over the latest
 * ORDERS_KEPT are kept, for ORDERS_KEPT_DAYS.
 * Guarantee: an order is durable and in effect when done() is called.
 * Owns:      struct order_writing is its caller's, and must stay until done() or
 *            orders_forget_writing().
 * Threads:   the front desk's.
 * Fails:     E_UNKNOWN: there is no order of this number; E_CONFLICT: it is over, or cannot be
 *            undone any more; E_FULL: ORDERS_MAX stand; what the spool says.
 * Limits:    whoever is in flight ends as his server says; a cancel waits 60 s for them. */
#pragma once
#include "mta/core/part.h"
#include "mta/rules/order.h"

enum { ORDERS_KEPT = 200, ORDERS_KEPT_DAYS = 30 };

extern const struct part orders_part;
struct orders;
struct orders *orders_of(struct engine *e);

struct order_writing {
	struct durable_wait wait;
	struct orders *orders;
	struct order order; /* as it is written */
	void (*done)(struct order_writing *w, int err);
};
/* w->order without number and time becomes an order, which gets them. */
int orders_give(struct orders *o, struct order_writing *w) MUST_CHECK;
/* The order of this number ends; w->order is then that order. */
int orders_end(struct orders *o, uint64_t id, enum order_end how, const char *by,
	       struct order_writing *w) MUST_CHECK;
void orders_forget_writing(struct order_writing *w);
int orders_find(struct orders *o, uint64_t id, struct order *ret) MUST_CHECK;
/* The latest first, at most `most`; each() gives false to stop. */
void orders_each(struct orders *o, unsigned most, bool (*each)(void *arg, const struct order *o),
		 void *arg);
/* May it be taken back by its number? */
bool orders_may_undo(const struct order *o);
/* Have those that a cancel or a bounce names ended?  *ret_left: so many were still being
 * delivered when patience was over. */
bool orders_are_settled(struct orders *o, uint64_t id, uint64_t *ret_left);
