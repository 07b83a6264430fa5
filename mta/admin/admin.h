/* mta/admin/admin.h - the admin socket: the postern command sends questions and orders, and
 * gets values (ADMIN and REPORT frames of schema/wire/link.h, without a HELLO).
 *
 *	command    arguments                          report
 *	status     -                                  engine, lanes, books, submission
 *	books      -                                  the spool's books
 *	queue      by, max                            rows of counts, largest first
 *	show       what [, max]                       the job, its recipients that are queued, more;
 *	                                              history: what the log says of a job
 *	why        what (a selector)                  the chain of reasons; partial
 *	find       selector, max                      count, held, partial, recipients
 *	hold, release, suspend, resume, retry, cancel
 *	           selector [, reason, until, author, preview]
 *	           count, selector, order; a sample when it is a preview; held or left: how many
 *	           were not reached
 *	move       likewise, with pool
 *	bounce     likewise, with text, grace
 *	cap        likewise, with rate, connections
 *	orders     max                                orders, the latest first
 *	order-show, order-undo   order                that order
 *	transcript what (ID, ID:ROW, a domain)        transcripts of sessions that failed
 *	trace      key (begin, end or empty), what (a selector), from (milliseconds)
 *	                                              lines of live sessions, lost
 *	content    what (ID, ID:ROW)                  the message as it would be sent now
 *	hold       selector, reason [, preview]       count, rule
 *	release    selector [, preview]               count; held: of them by another rule
 *	move       selector, pool, reason [, preview] count
 *	retry      selector [, preview]               count
 *	cancel     selector, reason [, preview]       count, left; once the queue was swept
 *	rules      -                                  standing holds and cancels
 *	senders    max                                who may send, and how many are suppressed
 *	credentials  max [, key: tenant/id]           who may submit, and how much each has sent
 *	events     from, max                          next, events, more
 *	top        -                                  rates: in all, by provider, tenant, source
 *	metrics    -                                  text for Prometheus
 *	config     -                                  every option and its value
 *	consumers  -                                  who reads the log, and how far
 *	suspend-source   source, what (a provider or site) [, value, reason, author]   rule
 *	resume-source    source, what                       rule
 *	shape-order    what (a section), key, value (empty: take back), author
 *	shape-show     -                              every value in force, and where it stands
 *	shape-orders   -                              live orders, and what they replace
 *	shape-explain  what (a domain) [, tenant, source, pool]   its values, and where they stand
 *	shape-test     text                           what is wrong with a file of shapes
 *	tls-explain    what (a domain)                its hosts, records and policy, asked for anew;
 *	                                              the decision; how the last sessions went
 *	adaptive   max                                sources that are held back at sites, and why
 *	adaptive-forget  what (a site, or all) [, source]   how many were forgotten
 *	warmup     [source, what (a provider)], max   plans, and plan against fact, day by day
 *	warmup-set     source, what, value (a plan) [, reason, author]   rule
 *	warmup-unset   source, what                   rule
 *	warmup-pause   source [, what, reason, author]   rule
 *	warmup-resume  source [, what]                rule; released: how many were held back
 *	sources    -                                  the addresses that mail leaves from
 *	source-add     source, pool, what (EHLO name)
 *	               [, value (weight), text (proxy), reason, author]   rule
 *	source-remove  source, pool               rule
 *	routes                                    routes: of smart hosts
 *	route-test     key: its name              good, text, host, ip, tls, auth
 *	source-check   source                     findings, good; after some seconds at most
 *	source-drain, source-disable, source-enable   source [, reason, author]   rule
 *	tenants    -                                  tenants: queued, limits, weights; campaigns
 *	tenant-limit   what (tenant/N, campaign/N), value (words) [, reason, author]   limits, rule
 *	tenant-undo    what [, reason, author]        limits, rule
 *	reload     -                                  as SIGHUP; needs_restart, or what is wrong
 *	flush-dns  -                                  every lane asks DNS again
 *
 * Files:   server.c is its life, query.c asks the lanes and adds up, commands.c is the table; the
 *          reports are in queue.c (what is queued), senders.c (senders and suppressions),
 *          credentials.c (who may submit),
 *          orders.c and ending.c (orders), look.c (recipients), suspend.c (suspensions),
 *          source.c and source_check.c (sources), shape.c (shapes), tenant.c (limits of
 *          tenants), tls.c (how mail travels),
 *          adaptive.c (what was learned), warmup.c (new sources), history.c (the past
 *          of mail) and facts.c (facts).
 * Guarantee: an order that is a rule is durable and in effect before it is answered.
 * Blocks:  on the page cache for `events` and `show`.
 * Threads: the front desk's; lanes are asked with lane_post().
 * Limits:  the socket's file is 0600, peers are root or our own user; 64 clients and 64 questions
 *          at a time; ADMIN_ROWS_MAX rows per answer. */
#pragma once
#include "mta/core/part.h"

extern const struct part admin_part;

struct admin_options {
	char *socket;
};
extern const struct option_set admin_option_set;
