/* The zygote's loop in C: the same as `serve` in zygote.py, which stays the reference and the fallback.
 *
 * Why: after each clone every page that the zygote writes is copied. The loop in Python writes some 130 pages for one
 * program, mostly reference counts; this one writes a few. It returns in the child, confined, and to the parent only
 * when there is something for Python to do. Nothing here knows Python: the library is loaded with ctypes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STANDARD 4 /* descriptors that a child keeps: input, output, error, results */
#define CHANNEL_CLOSED (-1)
#define SCRATCH_USED (-2)

/* Raised with every change that native.py must know of: a library built from older sources is not used. */
int regreen_serve_version(void) { return 1; }

enum killed_by { BY_ITSELF, BY_CPU, BY_WALL };

struct __attribute__((packed)) order { double cpu, wall; uint8_t strict; };
struct __attribute__((packed)) end { int32_t status; uint8_t killed_by; double cpu, wall; };
struct patience { double calm, loaded, load, guess, shortest_wait; };

static double seconds(const struct timespec *t) { return t->tv_sec + t->tv_nsec / 1e9; }

static double now(clockid_t clock) {
    struct timespec t;
    return clock_gettime(clock, &t) ? 0.0 : seconds(&t);
}

/* Seconds that the child was ready but had no processor; `otherwise` where unknown. */
static double queued(pid_t pid, int proc, double otherwise) {
    char path[32], text[100];
    unsigned long long ran, waited;
    snprintf(path, sizeof path, "%d/schedstat", pid);
    int fd = proc < 0 ? -1 : openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return otherwise;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    return sscanf(text, "%llu %llu", &ran, &waited) == 2 ? waited / 1e9 : otherwise;
}

static struct end watch(pid_t pid, const struct order *order, const struct patience *patience, int proc) {
    struct end end = {0};
    struct rusage usage;
    sigset_t child;
    int status = 0;
    double started = now(CLOCK_MONOTONIC), wait = order->cpu < order->wall ? order->cpu : order->wall;
    clockid_t clock = (clockid_t)((~(unsigned)pid << 3) | 2); /* see clock_getcpuclockid(3) */
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        struct timespec t = {(time_t)wait, (long)((wait - (time_t)wait) * 1e9)};
        if (sigtimedwait(&child, NULL, &t) == SIGCHLD && wait4(pid, &status, WNOHANG, &usage) == pid) break;
        double used = now(clock), waited = queued(pid, proc, patience->guess * used);
        double limit = order->cpu;
        if (!order->strict) limit *= waited > patience->load * used ? patience->loaded : patience->calm;
        double idle = now(CLOCK_MONOTONIC) - started - waited;
        if (used >= limit || idle >= order->wall) {
            end.killed_by = used >= limit ? BY_CPU : BY_WALL;
            kill(pid, SIGKILL);
            while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {}
            break;
        }
        wait = limit - used < order->wall - idle ? limit - used : order->wall - idle;
        if (wait < patience->shortest_wait) wait = patience->shortest_wait;
    }
    end.status = status;
    end.cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    end.wall = now(CLOCK_MONOTONIC) - started;
    return end;
}

/* In the child: keep the standard descriptors and the job, leave the zygote's group, die with it, drop all rights. */
static int confine(const int *descriptors) {
    static const struct { uint32_t version; int pid; } header = {0x20080522, 0};
    static const uint32_t none[6];
    int job = descriptors[0];
    sigset_t nothing;
    sigemptyset(&nothing);
    sigprocmask(SIG_SETMASK, &nothing, NULL);
    for (int i = 0; i < STANDARD; i++) dup2(descriptors[1 + i], i);
    if (job > STANDARD) syscall(SYS_close_range, STANDARD, job - 1, 0);
    syscall(SYS_close_range, job + 1, ~0U, 0);
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (syscall(SYS_capset, &header, none)) _exit(71);
    return job;
}

/* Serve orders from `channel`. Returns the job's descriptor in a child, and to the zygote CHANNEL_CLOSED, or
 * SCRATCH_USED after a child that changed the folder `scratch` and before its end is told: call `tell` when clean. */
int regreen_serve(int channel, int proc, long flags, const char *scratch, const struct patience *patience,
                  struct end *end) {
    struct stat before, after;
    stat(scratch, &before);
    for (;;) {
        struct order order;
        int descriptors[1 + STANDARD];
        union { char space[CMSG_SPACE(sizeof descriptors)]; struct cmsghdr align; } control;
        struct iovec data = {&order, sizeof order};
        struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
                                 .msg_controllen = sizeof control};
        ssize_t n = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR) continue;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (n != sizeof order || !header || header->cmsg_len != CMSG_LEN(sizeof descriptors)) return CHANNEL_CLOSED;
        memcpy(descriptors, CMSG_DATA(header), sizeof descriptors);
        pid_t pid = syscall(SYS_clone, flags, 0, 0, 0, 0);
        if (pid == 0) return confine(descriptors);
        if (pid < 0) return CHANNEL_CLOSED;
        *end = watch(pid, &order, patience, proc);
        for (int i = 0; i <= STANDARD; i++) close(descriptors[i]);
        if (stat(scratch, &after) || after.st_ctim.tv_sec != before.st_ctim.tv_sec ||
            after.st_ctim.tv_nsec != before.st_ctim.tv_nsec)
            return SCRATCH_USED;
        if (send(channel, end, sizeof *end, MSG_NOSIGNAL) != sizeof *end) return CHANNEL_CLOSED;
    }
}
