#include "thread_status.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../util/unique_fd.h"

namespace tdctl::supervisor {

namespace {

// Of a line, as much as any field that is asked for takes: a name and 64 bits in digits.
class LineStart {
 public:
  void append(std::string_view part) {
    const std::size_t length = std::min(part.size(), sizeof text_ - 1 - length_);
    std::memcpy(text_ + length_, part.data(), length);
    length_ += length;
  }
  void clear() { length_ = 0; }

  // False: it is another field's line.
  bool read(StatusField& field) {
    const std::string_view line(text_, length_);
    if (!line.starts_with(field.name) || !line.substr(field.name.size()).starts_with(':')) {
      return false;
    }
    text_[length_] = '\0';
    field.value = std::strtoull(text_ + field.name.size() + 1, nullptr, field.base);
    return true;
  }

 private:
  char text_[64];
  std::size_t length_ = 0;
};

}  // namespace

bool read_status(pid_t thread, std::span<StatusField> fields) {
  char path[48];
  std::snprintf(path, sizeof path, "/proc/%d/status", thread);
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return false;
  LineStart line;
  char buffer[4096];
  for (;;) {
    const ssize_t length = ::read(file.get(), buffer, sizeof buffer);
    if (length < 0) return false;
    if (length == 0) return true;
    std::string_view rest(buffer, static_cast<std::size_t>(length));
    for (std::size_t end; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
      line.append(rest.substr(0, end));
      if (line.read(fields.front())) fields = fields.subspan(1);
      if (fields.empty()) return true;
      line.clear();
    }
    line.append(rest);
  }
}

}  // namespace tdctl::supervisor
