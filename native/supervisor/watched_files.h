// The files that stand for KVM's objects in the trapped programs, and the news of their last close.
//
// Each is a memfd. A program gets a second open file description of it, which inotify watches:
// IN_CLOSE comes when the last fd and the last mapping of that description are gone, in whatever
// process, which is when the kernel would call a file's release. The event is queued before the
// close() or munmap() that caused it returns, so whoever drains the events before he answers a call
// sees every close that came before it.
//
// KVM's files cannot be opened a second time, and the loop refuses to. Where somebody does it
// nevertheless (another process, io_uring, a path that was changed meanwhile), IN_OPEN tells of it, and
// from then on no close counts as the last one: the file ends with its inode (IN_DELETE_SELF), or with
// the last program, if this process maps it.
//
// A file is recognised by its inode, so dup, fork, threads and fds passed over sockets need no
// bookkeeping.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "../util/unique_fd.h"
#include "new_file.h"

namespace tdctl::supervisor {

// Used by several threads.
class WatchedFiles {
 public:
  // Has no events_fd() where inotify gives no instance (fs.inotify.max_user_instances).
  WatchedFiles();

  // Readable when a last close is to be told. -1: there is none.
  int events_fd() const { return queues_.empty() ? -1 : any_events_.get(); }

  // Hears of nothing any more.
  void close();

  NewFile make(const FileShape& shape);
  // Forgets a file that no program got; its close is no news.
  void discard(FileNumber number);

  // native_kvm: a file of the KVM that this machine has itself.
  enum class Lookup { ours, other, native_kvm, not_open, out_of_reach };
  struct Found {
    Lookup lookup;
    FileNumber number = 0;
    Mappable mappable = Mappable::any;
    bool is_read_only = false;
  };
  // What `fd` refers to in a thread.
  Found find(pid_t thread, int fd) const;
  // What a link of /proc leads to; looked at without a word to the file system that has it.
  Found find_link(const char* link) const;

  // Tells every file that was closed for the last time since the last call; in order, for as long as
  // there are not more files than one queue is for.
  void drain(const std::function<void(FileNumber)>& closed);
  // Tells those that only the end of every program closes.
  void drain_rest(const std::function<void(FileNumber)>& closed);

 private:
  struct Inode {
    dev_t device;
    ino_t number;
    bool operator==(const Inode&) const = default;
  };
  struct InodeHash {
    std::size_t operator()(const Inode& inode) const { return inode.number ^ (inode.device << 48); }
  };
  // An inotify instance. It never has more watches than its queue has room for the events of, so
  // that none is dropped, however many files the end of a process closes at once.
  struct Queue {
    UniqueFd events;
    std::unordered_map<int, FileNumber> by_watch = {};
  };
  struct File {
    Inode inode;
    Queue* queue;
    int watch;
    Mappable mappable;
    bool is_read_only;
    // Somebody opened it a second time.
    bool reopened = false;
  };

  // One with room; null, with errno set, where no more can be had.
  Queue* queue_with_room();
  void drain(Queue& queue, const std::function<void(FileNumber)>& closed);
  Found find_status(const char* link) const;
  // Whether the event is the end of the file.
  static bool ends(File& file, std::uint32_t event);
  void forget(FileNumber number);

  // An epoll instance with the events of all queues.
  UniqueFd any_events_;
  const std::size_t watches_per_queue_;
  mutable std::mutex mutex_;
  // In place for good, once made.
  std::deque<Queue> queues_;
  FileNumber last_ = 0;
  std::unordered_map<FileNumber, File> files_;
  std::unordered_map<Inode, FileNumber, InodeHash> by_inode_;
};

}  // namespace tdctl::supervisor
