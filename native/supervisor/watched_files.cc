#include "watched_files.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace tdctl::supervisor {

namespace {

struct ProcPath {
  char text[48];
};

// How many events wait in an inotify queue before it drops them.
std::size_t queued_events() {
  constexpr std::size_t of_every_linux = 16384;
  const UniqueFd file(::open("/proc/sys/fs/inotify/max_queued_events", O_RDONLY | O_CLOEXEC));
  char text[32] = {};
  if (!file.is_open() || ::read(file.get(), text, sizeof text - 1) <= 0) return of_every_linux;
  return std::max<std::size_t>(std::strtoul(text, nullptr, 10), 4);
}

WatchedFiles::Lookup not_found() {
  const bool denied = errno == EACCES || errno == EPERM;
  return denied ? WatchedFiles::Lookup::out_of_reach : WatchedFiles::Lookup::not_open;
}

// The device by its number; what it made by the name that /proc gives.
bool is_native_kvm(const char* link, const struct stat& status) {
  if (S_ISCHR(status.st_mode)) return status.st_rdev == makedev(10, 232);
  char target[32] = {};
  constexpr std::string_view made_by_kvm = "anon_inode:kvm-";
  return ::readlink(link, target, sizeof target - 1) > 0 &&
         std::string_view(target).starts_with(made_by_kvm);
}

// O_PATH: no ioctl goes through such an fd.
bool is_path_only(pid_t thread, int fd) {
  ProcPath path;
  std::snprintf(path.text, sizeof path.text, "/proc/%d/fdinfo/%d", thread, fd);
  const UniqueFd file(::open(path.text, O_RDONLY | O_CLOEXEC));
  char text[128] = {};
  if (!file.is_open() || ::read(file.get(), text, sizeof text - 1) <= 0) return false;
  constexpr std::string_view name = "flags:";
  const char* const flags = std::strstr(text, name.data());
  return flags != nullptr && (std::strtoul(flags + name.size(), nullptr, 8) & O_PATH) != 0;
}

}  // namespace

// A file's end makes three events: the close, the end of the inode and that of the watch.
WatchedFiles::WatchedFiles()
    : any_events_(::epoll_create1(EPOLL_CLOEXEC)), watches_per_queue_(queued_events() / 4) {
  queue_with_room();
}

WatchedFiles::Queue* WatchedFiles::queue_with_room() {
  for (Queue& queue : queues_) {
    if (queue.by_watch.size() < watches_per_queue_) return &queue;
  }
  UniqueFd events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!events.is_open()) return nullptr;
  epoll_event interest = {.events = EPOLLIN, .data = {}};
  if (::epoll_ctl(any_events_.get(), EPOLL_CTL_ADD, events.get(), &interest) < 0) return nullptr;
  return &queues_.emplace_back(std::move(events));
}

void WatchedFiles::close() {
  const std::lock_guard lock(mutex_);
  for (Queue& queue : queues_) queue.events.reset();
  any_events_.reset();
}

NewFile WatchedFiles::make(const FileShape& shape) {
  NewFile made = make_file(shape);
  if (made.error != 0) return made;
  struct stat status;
  if (::fstat(made.description.get(), &status) < 0) return {.error = errno};
  ProcPath path;
  std::snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", made.description.get());

  const std::lock_guard lock(mutex_);
  Queue* const queue = queue_with_room();
  if (queue == nullptr) return {.error = errno};
  // No description but the program's is open by now.
  const int watch = ::inotify_add_watch(queue->events.get(), path.text,
                                        IN_OPEN | IN_CLOSE | IN_DELETE_SELF);
  if (watch < 0) return {.error = errno};
  made.number = ++last_;
  const Inode inode = {.device = status.st_dev, .number = status.st_ino};
  const bool is_read_only = (shape.flags & O_ACCMODE) == O_RDONLY;
  files_.emplace(made.number, File{.inode = inode,
                                   .queue = queue,
                                   .watch = watch,
                                   .mappable = shape.mappable,
                                   .is_read_only = is_read_only});
  by_inode_.emplace(inode, made.number);
  queue->by_watch.emplace(watch, made.number);
  return made;
}

void WatchedFiles::discard(FileNumber number) {
  const std::lock_guard lock(mutex_);
  forget(number);
}

void WatchedFiles::forget(FileNumber number) {
  const auto found = files_.find(number);
  if (found == files_.end()) return;
  const auto& file = found->second;
  const auto [inode, queue, watch] = std::tuple(file.inode, file.queue, file.watch);
  ::inotify_rm_watch(queue->events.get(), watch);
  queue->by_watch.erase(watch);
  by_inode_.erase(inode);
  files_.erase(found);
}

WatchedFiles::Found WatchedFiles::find(pid_t thread, int fd) const {
  ProcPath path;
  std::snprintf(path.text, sizeof path.text, "/proc/%d/fd/%d", thread, fd);
  const Found found = find_status(path.text);
  const bool is_for_kernel = found.lookup == Lookup::native_kvm && is_path_only(thread, fd);
  return is_for_kernel ? Found{Lookup::not_open} : found;
}

WatchedFiles::Found WatchedFiles::find_link(const char* link) const {
  char target[64] = {};
  if (::readlink(link, target, sizeof target - 1) < 0) return {not_found()};
  if (std::strcmp(target, "/dev/kvm") == 0) return {Lookup::native_kvm};
  constexpr std::string_view memfd = "/memfd:";
  return std::string_view(target).starts_with(memfd) ? find_status(link) : Found{Lookup::other};
}

WatchedFiles::Found WatchedFiles::find_status(const char* link) const {
  struct stat status;
  if (::stat(link, &status) < 0) return {not_found()};
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_inode_.find({.device = status.st_dev, .number = status.st_ino});
    if (found != by_inode_.end()) {
      const File& file = files_.at(found->second);
      return {Lookup::ours, found->second, file.mappable, file.is_read_only};
    }
  }
  return {is_native_kvm(link, status) ? Lookup::native_kvm : Lookup::other};
}

void WatchedFiles::drain(const std::function<void(FileNumber)>& closed) {
  for (std::size_t at = 0;; ++at) {
    Queue* queue;
    {
      const std::lock_guard lock(mutex_);
      if (at == queues_.size()) return;
      queue = &queues_[at];
    }
    drain(*queue, closed);
  }
}

void WatchedFiles::drain(Queue& queue, const std::function<void(FileNumber)>& closed) {
  alignas(inotify_event) char buffer[4096];
  for (;;) {
    const ssize_t length = ::read(queue.events.get(), buffer, sizeof buffer);
    if (length <= 0) return;
    for (ssize_t at = 0; at < length;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof *event) + event->len;
      FileNumber number;
      {
        const std::lock_guard lock(mutex_);
        const auto found = queue.by_watch.find(event->wd);
        // IN_IGNORED follows a watch that was removed.
        if (found == queue.by_watch.end()) continue;
        number = found->second;
        if (!ends(files_.at(number), event->mask)) continue;
        forget(number);
      }
      closed(number);
    }
  }
}

bool WatchedFiles::ends(File& file, std::uint32_t event) {
  if ((event & IN_OPEN) != 0) file.reopened = true;
  return (event & IN_DELETE_SELF) != 0 || ((event & IN_CLOSE) != 0 && !file.reopened);
}

void WatchedFiles::drain_rest(const std::function<void(FileNumber)>& closed) {
  drain(closed);
  std::vector<FileNumber> rest;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, file] : files_) {
      if (file.reopened) rest.push_back(number);
    }
    for (const FileNumber number : rest) forget(number);
  }
  std::ranges::for_each(rest, closed);
}

}  // namespace tdctl::supervisor
