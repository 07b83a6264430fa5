/* mta/smtpd/proxy.h - the PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): for
 * whom a proxy speaks.
 *
 *	v1 = "PROXY " ( "UNKNOWN" *any / ( "TCP4" / "TCP6" ) SP ip SP ip SP port SP port ) CRLF
 *	                                                        at most 107 bytes, the client first
 *	v2 = 12 bytes signature, version and command: u8, family: u8, length: u16, addresses, TLVs
 *
 * Guarantee: nothing beyond the header is used: what follows is the client's.
 * Owns:   nothing.
 * Fails:  proxy_parse(): E_SYNTAX; E_LIMIT for one that is longer than PROXY_HEADER_MAX.
 * Limits: TCP only; TLVs are passed over. */
#pragma once
#include "base/address.h"

enum { PROXY_HEADER_MAX = 536 };

/* 1: *ret_used bytes are the header, and *ret_client is the client, of family 0 when the proxy
 * speaks for itself (v1 UNKNOWN, v2 LOCAL or no address); 0: the beginning of one. */
int proxy_parse(struct slice in, struct ip *ret_client, size_t *ret_used) MUST_CHECK;
