#include "watched_files.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace tdctl::supervisor {

namespace {

struct ProcPath {
  char text[48];
};

ProcPath own_fd_path(int fd) {
  ProcPath path;
  std::snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", fd);
  return path;
}

// How many events wait in an inotify queue before it drops them.
std::size_t queued_events() {
  constexpr std::size_t of_every_linux = 16384;
  const UniqueFd file(::open("/proc/sys/fs/inotify/max_queued_events", O_RDONLY | O_CLOEXEC));
  char text[32] = {};
  if (!file.is_open() || ::read(file.get(), text, sizeof text - 1) <= 0) return of_every_linux;
  return std::max<std::size_t>(std::strtoul(text, nullptr, 10), 4);
}

}  // namespace

SharedMapping::~SharedMapping() { ::munmap(address_, size_bytes_); }

// A file's end makes two events, the close and the end of the watch; twice that, to be sure.
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

NewFile WatchedFiles::make(const char* name, std::uint64_t size_bytes, bool mapped) {
  const UniqueFd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file.is_open()) return {.error = errno};
  if (size_bytes > 0 && ::ftruncate(file.get(), static_cast<off_t>(size_bytes)) < 0) {
    return {.error = errno};
  }
  NewFile made;
  if (mapped) {
    void* address =
        ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED) return {.error = errno};
    made.mapping = std::make_shared<SharedMapping>(address, size_bytes);
  }
  struct stat status;
  if (::fstat(file.get(), &status) < 0) return {.error = errno};
  const ProcPath path = own_fd_path(file.get());
  // A second description: that of memfd_create itself is never notified of.
  made.description = UniqueFd(::open(path.text, O_RDWR | O_CLOEXEC));
  if (!made.description.is_open()) return {.error = errno};

  const std::lock_guard lock(mutex_);
  Queue* const queue = queue_with_room();
  if (queue == nullptr) return {.error = errno};
  const int watch = ::inotify_add_watch(queue->events.get(), path.text, IN_CLOSE_WRITE);
  if (watch < 0) return {.error = errno};
  made.number = ++last_;
  const Inode inode = {.device = status.st_dev, .number = status.st_ino};
  files_.emplace(made.number, File{.inode = inode, .queue = queue, .watch = watch});
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
  const auto [inode, queue, watch] = found->second;
  ::inotify_rm_watch(queue->events.get(), watch);
  queue->by_watch.erase(watch);
  by_inode_.erase(inode);
  files_.erase(found);
}

WatchedFiles::Found WatchedFiles::find(pid_t thread, int fd) const {
  ProcPath path;
  std::snprintf(path.text, sizeof path.text, "/proc/%d/fd/%d", thread, fd);
  struct stat status;
  if (::stat(path.text, &status) < 0) {
    const bool denied = errno == EACCES || errno == EPERM;
    return {denied ? Lookup::out_of_reach : Lookup::not_open};
  }
  const std::lock_guard lock(mutex_);
  const auto found = by_inode_.find({.device = status.st_dev, .number = status.st_ino});
  if (found == by_inode_.end()) return {Lookup::other};
  return {Lookup::ours, found->second};
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
      // IN_IGNORED follows a watch that was removed.
      if ((event->mask & IN_CLOSE_WRITE) == 0) continue;
      FileNumber number;
      {
        const std::lock_guard lock(mutex_);
        const auto found = queue.by_watch.find(event->wd);
        if (found == queue.by_watch.end()) continue;
        number = found->second;
        forget(number);
      }
      closed(number);
    }
  }
}

}  // namespace tdctl::supervisor
