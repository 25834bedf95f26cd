/* What a test tells it to is done to one program: files that cannot be written or synced, another time, no names.

   It is preloaded, and looks at a page of shared memory that the test writes (`tests/faults/shim.py` has the same).
   Files are those whose path has FAULTS_PATH in it; all others are as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct faults {
  volatile int64_t write_errno;
  volatile int64_t sync_errno;
  volatile int64_t sync_count; /* so many syncs fail, then none; below 0: all */
  volatile int64_t sync_ms;
  volatile int64_t clock_s;
  volatile int64_t names; /* EAI_... or 0 */
  volatile int64_t names_ms;
  volatile int64_t hits;
};

static struct faults none;
static struct faults *told = &none;
static const char *part;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULTS_PAGE");
  part = getenv("FAULTS_PATH");
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *page = mmap(NULL, sizeof(struct faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (page != MAP_FAILED) told = page;
}

#define REAL(type, name, ...)                                  \
  static type (*real)(__VA_ARGS__);                            \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static int is_meant(int fd) {
  char link[64], path[4096];
  if (!part) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = 0;
  return strstr(path, part) != NULL;
}

static int fails(int fd, volatile int64_t *number) {
  if (!*number || !is_meant(fd)) return 0;
  __sync_fetch_and_add(&told->hits, 1);
  errno = (int)*number;
  return 1;
}

static int sync_fails(int fd) {
  if (told->sync_ms && is_meant(fd)) {
    struct timespec pause = {told->sync_ms / 1000, (told->sync_ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
  }
  if (!told->sync_errno || !told->sync_count || !is_meant(fd)) return 0;
  if (told->sync_count > 0) __sync_fetch_and_sub(&told->sync_count, 1);
  return fails(fd, &told->sync_errno);
}

ssize_t write(int fd, const void *data, size_t size) {
  REAL(ssize_t, "write", int, const void *, size_t);
  return fails(fd, &told->write_errno) ? -1 : real(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
  return fails(fd, &told->write_errno) ? -1 : real(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  return fails(fd, &told->write_errno) ? -1 : real(fd, data, size, at);
}

int ftruncate(int fd, off_t size) {
  REAL(int, "ftruncate", int, off_t);
  return fails(fd, &told->write_errno) ? -1 : real(fd, size);
}

int ftruncate64(int fd, off64_t size) {
  REAL(int, "ftruncate64", int, off64_t);
  return fails(fd, &told->write_errno) ? -1 : real(fd, size);
}

int fsync(int fd) {
  REAL(int, "fsync", int);
  return sync_fails(fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  return sync_fails(fd) ? -1 : real(fd);
}

static int open_fails(const char *path, int flags) {
  if (!told->write_errno || !part || !strstr(path, part) || told->write_errno != EROFS) return 0;
  if ((flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT)) return 0;
  __sync_fetch_and_add(&told->hits, 1);
  errno = EROFS;
  return 1;
}

#define OPEN(name)                                    \
  int name(const char *path, int flags, ...) {        \
    REAL(int, #name, const char *, int, ...);         \
    mode_t mode = 0;                                  \
    if (flags & (O_CREAT | O_TMPFILE)) {              \
      va_list more;                                   \
      va_start(more, flags);                          \
      mode = va_arg(more, mode_t);                    \
      va_end(more);                                   \
    }                                                 \
    if (open_fails(path, flags)) return -1;           \
    return real(path, flags, mode);                   \
  }
OPEN(open)
OPEN(open64)

int clock_gettime(clockid_t which, struct timespec *now) {
  REAL(int, "clock_gettime", clockid_t, struct timespec *);
  int done = real(which, now);
  if (!done && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += told->clock_s;
  return done;
}

int gettimeofday(struct timeval *now, void *zone) {
  struct timespec found;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &found)) return -1;
  now->tv_sec = found.tv_sec;
  now->tv_usec = found.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *into) {
  struct timespec found;
  clock_gettime(CLOCK_REALTIME, &found);
  if (into) *into = found.tv_sec;
  return found.tv_sec;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  REAL(int, "getaddrinfo", const char *, const char *, const struct addrinfo *, struct addrinfo **);
  int is_name = node && strchr("0123456789", node[0]) == NULL;
  if (is_name && told->names_ms) {
    struct timespec pause = {told->names_ms / 1000, (told->names_ms % 1000) * 1000000};
    __sync_fetch_and_add(&told->hits, 1);
    nanosleep(&pause, NULL);
  }
  if (is_name && told->names) {
    __sync_fetch_and_add(&told->hits, 1);
    return (int)told->names;
  }
  return real(node, service, hints, found);
}
