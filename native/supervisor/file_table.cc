#include "file_table.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>

namespace tdctl::supervisor {

namespace {

// How many fds the directory has with a number below the limit.
rlim_t count_below(const char* directory, rlim_t limit) {
  DIR* const fds = ::opendir(directory);
  if (fds == nullptr) return 0;
  rlim_t count = 0;
  while (const dirent* const entry = ::readdir(fds)) {
    if (entry->d_name[0] == '.') continue;
    if (std::strtoul(entry->d_name, nullptr, 10) < limit) ++count;
  }
  ::closedir(fds);
  return count;
}

}  // namespace

bool has_descriptor(pid_t thread) {
  rlimit limit;
  if (::prlimit(thread, RLIMIT_NOFILE, nullptr, &limit) < 0) return true;
  char directory[32];
  std::snprintf(directory, sizeof directory, "/proc/%d/fd", thread);
  // Since Linux 6.2 its size is the number of fds, of which some may lie above a limit that was lowered.
  struct stat status;
  if (::stat(directory, &status) < 0) return true;
  const auto open = static_cast<rlim_t>(status.st_size);
  if (open > 0 && open < limit.rlim_cur) return true;
  return count_below(directory, limit.rlim_cur) < limit.rlim_cur;
}

}  // namespace tdctl::supervisor
