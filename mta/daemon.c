/* mta/daemon.c - user, rights, descriptor limit, messages to the supervisor. */
#include "mta/daemon.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* Keeps only the right to listen on ports below 1024. */
static int keep_only_bind(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	data[0].permitted = data[0].effective = 1U << CAP_NET_BIND_SERVICE;
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int daemon_become(const char *user)
{
	struct passwd *pw;

	if (geteuid() != 0 || !*user)
		return 0;
	pw = getpwnam(user);
	if (!pw)
		return E_UNKNOWN;
	if (prctl(PR_SET_KEEPCAPS, 1L) < 0 || initgroups(user, pw->pw_gid) < 0 ||
	    setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0)
		return -errno;
	return keep_only_bind();
}

int daemon_harden(void)
{
	if (prctl(PR_SET_DUMPABLE, 0L) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	return 0;
}

int daemon_raise_files(uint64_t wanted)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return -errno;
	if (lim.rlim_cur >= wanted)
		return 0;
	lim.rlim_cur = wanted;
	if (lim.rlim_max < wanted) {
		struct rlimit more = { wanted, wanted };
		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return 0;
		lim.rlim_cur = lim.rlim_max;
	}
	return setrlimit(RLIMIT_NOFILE, &lim) < 0 ? -errno : 0;
}

void daemon_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	OWNED_FD int fd = -1;

	if (n < 2 || n >= sizeof(un.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(un.sun_path, path, n);
	if (*path == '@')
		un.sun_path[0] = '\0'; /* abstract name */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL,
			      (struct sockaddr *)(void *)&un,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}
