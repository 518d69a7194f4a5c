// Preloaded into one tdctl: counts the calls that touch files below a directory, and makes the Nth
// fail, or kills the process there. What the process starts itself runs without it.
//
//   SWEEP_DIRECTORY  below which files count; a real path
//   SWEEP_CALLS      the file that gets a line for each call: KIND PATH; a * in front marks those
//                    that this library made fail
//   SWEEP_AT         which call is the one, from 1; 0 for none
//   SWEEP_ACTION     once, stays (for the directory of that file), everywhere (and from then on),
//                    short (half is written, then it stays), kill-before, kill-after
//   SWEEP_ERRNO      a number
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t whose;
static char directory[PATH_MAX];
static char action[32];
static char failing[PATH_MAX];  // The directory in which calls fail from now on; empty for none.
static int calls_fd = -1;
static int error_number;
static long at;
static long count;

static void take(const char* name, char* into, size_t size) {
  const char* value = getenv(name);
  snprintf(into, size, "%s", value == NULL ? "" : value);
  unsetenv(name);
}

__attribute__((constructor)) static void start(void) {
  char calls[PATH_MAX], number[32];
  take("SWEEP_DIRECTORY", directory, sizeof directory);
  take("SWEEP_ACTION", action, sizeof action);
  take("SWEEP_AT", number, sizeof number);
  at = atol(number);
  take("SWEEP_ERRNO", number, sizeof number);
  error_number = atoi(number);
  take("SWEEP_CALLS", calls, sizeof calls);
  unsetenv("LD_PRELOAD");
  whose = getpid();
  // Out of the way of the numbers that the program's own files get.
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, calls, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  calls_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
  syscall(SYS_close, fd);
}

static bool is_below(const char* path) {
  const size_t length = strlen(directory);
  return strncmp(path, directory, length) == 0 && path[length] == '/';
}

static void path_of_fd(int fd, char path[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = syscall(SYS_readlink, link, path, PATH_MAX - 1);
  path[length < 0 ? 0 : length] = '\0';
}

static void path_of_name(int at_fd, const char* name, char path[PATH_MAX]) {
  char base[PATH_MAX] = "";
  if (name[0] != '/' && at_fd != AT_FDCWD) path_of_fd(at_fd, base);
  if (name[0] != '/' && at_fd == AT_FDCWD && syscall(SYS_getcwd, base, sizeof base) < 0) base[0] = '\0';
  const size_t length = strlen(base);
  snprintf(path, PATH_MAX, "%s", base);
  snprintf(path + length, PATH_MAX - length, "%s%s", length > 0 ? "/" : "", name);
}

static bool is_in_failing_directory(const char* path) {
  const size_t length = strlen(failing);
  return length > 0 && strncmp(path, failing, length) == 0 && path[length] == '/';
}

// A full disk takes these all the same, for they give room back.
static bool gives_room(const char* kind) {
  return strcmp(kind, "truncate") == 0 || strcmp(kind, "unlink") == 0 || strcmp(kind, "rmdir") == 0;
}

static void note(const char* kind, const char* path, bool failed) {
  char line[PATH_MAX + 64];
  const int length = snprintf(line, sizeof line, "%s%s %s\n", failed ? "*" : "", kind, path + strlen(directory) + 1);
  syscall(SYS_write, calls_fd, line, length);
}

enum verdict { let_through, fail, write_half, kill_after };

static enum verdict judge(const char* kind, const char* path) {
  const bool is_the_one = ++count == at;
  if (is_the_one && strncmp(action, "kill", 4) == 0) {
    note(kind, path, true);
    if (strcmp(action, "kill-before") == 0) kill(whose, SIGKILL);
    return kill_after;
  }
  const bool fails = is_the_one || (is_in_failing_directory(path) && !gives_room(kind));
  note(kind, path, fails);
  if (!fails) return let_through;
  if (is_the_one && strcmp(action, "once") != 0) {
    snprintf(failing, sizeof failing, "%s", strcmp(action, "everywhere") == 0 ? directory : path);
    if (strcmp(failing, path) == 0) *strrchr(failing, '/') = '\0';
  }
  return is_the_one && strcmp(action, "short") == 0 ? write_half : fail;
}

static enum verdict consult(const char* kind, const char* path) {
  if (getpid() != whose || !is_below(path)) return let_through;
  pthread_mutex_lock(&lock);
  const enum verdict verdict = judge(kind, path);
  pthread_mutex_unlock(&lock);
  return verdict;
}

static enum verdict consult_fd(const char* kind, int fd) {
  char path[PATH_MAX];
  path_of_fd(fd, path);
  return consult(kind, path);
}

static long answer(enum verdict verdict, long result) {
  if (verdict == kill_after) kill(whose, SIGKILL);
  return result;
}

static long refuse(void) {
  errno = error_number;
  return -1;
}

static int open_at(int at_fd, const char* name, int flags, mode_t mode) {
  char path[PATH_MAX];
  path_of_name(at_fd, name, path);
  const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;
  const enum verdict verdict = consult(writes ? "create" : "open", path);
  if (verdict == fail || verdict == write_half) return (int)refuse();
  return (int)answer(verdict, syscall(SYS_openat, at_fd, name, flags, mode));
}

#define MODE_OF(flags)                                     \
  ({                                                       \
    mode_t mode_ = 0;                                      \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {          \
      va_list list_;                                       \
      va_start(list_, flags);                              \
      mode_ = va_arg(list_, mode_t);                       \
      va_end(list_);                                       \
    }                                                      \
    mode_;                                                 \
  })

int open(const char* name, int flags, ...) { return open_at(AT_FDCWD, name, flags, MODE_OF(flags)); }
int open64(const char* name, int flags, ...) { return open_at(AT_FDCWD, name, flags, MODE_OF(flags)); }
int openat(int fd, const char* name, int flags, ...) { return open_at(fd, name, flags, MODE_OF(flags)); }
int openat64(int fd, const char* name, int flags, ...) { return open_at(fd, name, flags, MODE_OF(flags)); }

ssize_t write(int fd, const void* bytes, size_t length) {
  const enum verdict verdict = consult_fd("write", fd);
  if (verdict == fail || (verdict == write_half && length < 2)) return refuse();
  return answer(verdict, syscall(SYS_write, fd, bytes, verdict == write_half ? length / 2 : length));
}

ssize_t pwrite64(int fd, const void* bytes, size_t length, off64_t offset) {
  const enum verdict verdict = consult_fd("write", fd);
  if (verdict == fail || (verdict == write_half && length < 2)) return refuse();
  return answer(verdict, syscall(SYS_pwrite64, fd, bytes, verdict == write_half ? length / 2 : length, offset));
}

ssize_t writev(int fd, const struct iovec* parts, int number) {
  const enum verdict verdict = consult_fd("write", fd);
  if (verdict == fail) return refuse();
  if (verdict == write_half) return syscall(SYS_write, fd, parts[0].iov_base, (parts[0].iov_len + 1) / 2);
  return answer(verdict, syscall(SYS_writev, fd, parts, number));
}

ssize_t pwritev64(int fd, const struct iovec* parts, int number, off64_t offset) {
  const enum verdict verdict = consult_fd("write", fd);
  if (verdict == fail) return refuse();
  if (verdict == write_half) return syscall(SYS_pwrite64, fd, parts[0].iov_base, (parts[0].iov_len + 1) / 2, offset);
  return answer(verdict, syscall(SYS_pwritev, fd, parts, number, offset, 0));
}

#define ON_FD(name, kind, number, parameters, ...)                       \
  int name parameters {                                                  \
    const enum verdict verdict = consult_fd(kind, fd);                   \
    if (verdict == fail || verdict == write_half) return (int)refuse();  \
    return (int)answer(verdict, syscall(number, __VA_ARGS__));           \
  }

ON_FD(fsync, "sync", SYS_fsync, (int fd), fd)
ON_FD(fdatasync, "sync", SYS_fdatasync, (int fd), fd)
ON_FD(ftruncate64, "truncate", SYS_ftruncate, (int fd, off64_t length), fd, length)

#define ON_NAME(name, kind, number, parameters, ...)                     \
  int name parameters {                                                  \
    char path[PATH_MAX];                                                 \
    path_of_name(AT_FDCWD, to, path);                                    \
    const enum verdict verdict = consult(kind, path);              \
    if (verdict == fail || verdict == write_half) return (int)refuse();  \
    return (int)answer(verdict, syscall(number, __VA_ARGS__));           \
  }

ON_NAME(rename, "rename", SYS_rename, (const char* from, const char* to), from, to)
ON_NAME(link, "link", SYS_link, (const char* from, const char* to), from, to)
ON_NAME(unlink, "unlink", SYS_unlink, (const char* to), to)
ON_NAME(mkdir, "mkdir", SYS_mkdir, (const char* to, mode_t mode), to, mode)
ON_NAME(rmdir, "rmdir", SYS_rmdir, (const char* to), to)

int unlinkat(int at_fd, const char* name, int flags) {
  char path[PATH_MAX];
  path_of_name(at_fd, name, path);
  const enum verdict verdict = consult((flags & AT_REMOVEDIR) != 0 ? "rmdir" : "unlink", path);
  if (verdict == fail || verdict == write_half) return (int)refuse();
  return (int)answer(verdict, syscall(SYS_unlinkat, at_fd, name, flags));
}
