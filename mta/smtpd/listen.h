/* mta/smtpd/listen.h - the sockets that an address is listened at: one per lane, and all of them of
 * this process.
 *
 * Guarantee: no other process listens at the same address and port, also not another engine of the
 *            same user, which SO_REUSEPORT alone would let in to share the clients.
 * Owns:    the socket is the caller's, until smtpd_listen_close().
 * Fails:   negative errno of the socket; -EADDRINUSE also as above.
 * Threads: any. */
#pragma once
#include "mta/config/entries.h"

int smtpd_listen_open(const struct listener *at, int *ret_fd) MUST_CHECK;
void smtpd_listen_close(const struct listener *at, int fd);
