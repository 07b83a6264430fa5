/* tests/sim/conn_sim.h - the second network: conn.h answered by scripted hosts, in simulated time.
 *
 * A host is an address and a script; each connection to it runs the script from its first line.
 * Lines are a word and its argument; '#' starts a comment line; \r \n \t \0 \e \\ \xNN are escapes.
 *
 *	refuse            the connection is refused (first line only)
 *	no-connect        ... is never answered (first line only)
 *	say TEXT          sends TEXT and CRLF          raw TEXT       sends TEXT
 *	drip MS TEXT      sends TEXT and CRLF, a byte each MS
 *	flood N TEXT      says TEXT N times            forever TEXT   says it without end
 *	fill N TEXT       sends N bytes of TEXT repeated, no CRLF
 *	garbage N         sends N bytes of chance
 *	expect TEXT       the next line must begin with TEXT
 *	body              takes a message up to its dot; an empty one is a mistake
 *	chunk             takes "BDAT n" and its n bytes; with LAST, what came so is a message
 *	take N            takes N bytes of input       dot            the next line is a lone dot
 *	delay MS          waits
 *	close rst         ends the connection          half-close     ends our sending side
 *	hang              reads nothing any more       silent         reads everything, says nothing
 *	break             from here on our writes fail; the conn tells so by its event
 *	slow N MS         takes in N bytes each MS from here on
 *	tls [WORDS]       completes the handshake      tls-fail       breaks it
 *	                  with a certificate: ca=NAME  an authority says so   expired
 *	                  key=TEXT  the data of a TLSA record that matches it
 *	reply VERB TEXT   what "serve" answers to VERB (EHLO MAIL RCPT DATA DOT RSET ...);
 *	                  500 and 502 to BDAT do not know it: its bytes are commands
 *	serve [N]         a decent server, until QUIT or until N messages were taken
 *	alone WHAT        what "serve" does to commands that come behind another one at once: "drop"
 *	                  them, "close", or the reply to each of them; "drop-after": drops what
 *	                  comes behind a message at once
 *	model NAME        a session whose answers a model gives (tests/sim/model_sim.h); first line
 *	again             starts the script's lines after the last "mark" again
 *	mark
 *
 * Guarantee (asserted): no conn is asked for with a source of another family than its target; none
 * holds more than CONN_IN_MAX in and CONN_OUT_HIGH + 4 KiB out. */
#pragma once
#include "mta/door/conn.h"

void conn_sim_reset(void); /* forgets hosts, messages, mistakes */
/* Any earlier script of the address is replaced.  E_SYNTAX with a text in conn_sim_mistake(). */
int conn_sim_host(struct slice ip_port, struct slice script) MUST_CHECK;
const char *conn_sim_mistake(void); /* what a script expected and did not get; NULL */
unsigned conn_sim_live(void);       /* conns not yet freed */
unsigned conn_sim_opened(void);     /* conns ever asked for */
/* What conn_open() and conn_start_tls() give from now on; 0: they do their work. */
void conn_sim_refuse_open(int err);
void conn_sim_refuse_tls(int err);
/* From now on the machine has (not) this address: what has it as its source cannot be opened. */
void conn_sim_address(struct slice ip, bool here);
/* From now on no route leads from this address to that one: conn_open() gives `err`; 0: it does. */
void conn_sim_route(struct slice from, struct slice to, int err);
/* From now on what this address opens is answered by nobody: it ends with `err`, or is never
 * answered (E_TIMEOUT); 0: it is answered again. */
void conn_sim_cut_off(struct slice ip, int err);
unsigned conn_sim_opened_from(struct slice ip);   /* of conn_sim_opened() */
unsigned conn_sim_open_from(struct slice ip);     /* those that are open now */
unsigned conn_sim_messages_from(struct slice ip); /* of conn_sim_messages() */
/* Messages taken, unstuffed, in order. */
unsigned conn_sim_messages(void);
struct slice conn_sim_message(unsigned i);
bool conn_sim_message_is_from(unsigned i, struct slice ip);
void conn_sim_drop_messages(void); /* they are not kept from now on: there will be many */

/* One look at every conn; true: something happened.  Milliseconds until more may happen, or -1. */
bool conn_sim_step(struct loop *l);
int64_t conn_sim_next(void);

void loop_sim_init(struct loop *l); /* timers on the simulated clock */
void loop_sim_end(struct loop *l);
/* Runs until nothing is left to happen or `ms` have passed, moving the clock to each next event. */
void loop_sim_run(struct loop *l, int64_t ms);
