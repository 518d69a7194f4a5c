#include "kvm_paths.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

namespace tdctl::supervisor {

namespace {

using Components = std::vector<std::string_view>;

constexpr std::string_view standard_streams[] = {"stdin", "stdout", "stderr"};

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// The name of a mapping in /proc/PID/map_files.
bool is_range(std::string_view text) {
  return text.find('-') != text.npos && text.find_first_not_of("0123456789abcdef-") == text.npos;
}

bool is_self(std::string_view process) { return process == "self" || process == "thread-self"; }

// As the kernel would walk it if no directory on the way were a symlink.
Components components_of(std::string_view absolute) {
  Components walked;
  while (!absolute.empty()) {
    const std::string_view component = absolute.substr(0, absolute.find('/'));
    absolute.remove_prefix(std::min(component.size() + 1, absolute.size()));
    if (component == "..") {
      if (!walked.empty()) walked.pop_back();
    } else if (!component.empty() && component != ".") {
      walked.push_back(component);
    }
  }
  return walked;
}

// /proc/self/root is the root again.
std::span<const std::string_view> without_roots(std::span<const std::string_view> path) {
  while (path.size() > 3 && path[0] == "proc" && (is_self(path[1]) || is_number(path[1])) &&
         path[2] == "root") {
    path = path.subspan(3);
  }
  return path;
}

std::string of_thread(pid_t thread) { return "/proc/" + std::to_string(thread); }

// Empty: the path ends in no such link. A number of a process is good in the program's own /proc.
std::string link_of(pid_t thread, std::span<const std::string_view> path) {
  const std::string own = of_thread(thread);
  if (path.size() == 2 && path[0] == "dev") {
    const auto* stream = std::ranges::find(standard_streams, path[1]);
    const auto fd = std::distance(std::begin(standard_streams), stream);
    return stream == std::end(standard_streams) ? "" : fd_link(thread, static_cast<int>(fd));
  }
  if (path.size() == 3 && path[0] == "dev" && path[1] == "fd") {
    return own + "/fd/" + std::string(path[2]);
  }
  if (path.size() < 4 || path[0] != "proc") return "";
  const std::string_view kind = path[path.size() - 2];
  if (kind != "fd" && kind != "map_files") return "";
  std::string link = is_self(path[1]) ? own : own + "/root/proc/" + std::string(path[1]);
  for (const std::string_view component : path.subspan(2)) link.append("/").append(component);
  return link;
}

std::string absolute_path(const NamedPath& path) {
  std::string absolute;
  if (path.in_root || !path.text.starts_with('/')) {
    char directory[PATH_MAX];
    const ssize_t length = ::readlink(directory_link(path).c_str(), directory, sizeof directory);
    if (length <= 0) return "";
    absolute.assign(directory, static_cast<std::size_t>(length));
  }
  if (!path.in_root) return absolute.append("/").append(path.text);
  // No `..` leads out of a root.
  for (const std::string_view component : components_of(path.text)) {
    absolute.append("/").append(component);
  }
  return absolute;
}

}  // namespace

bool may_lead_to_kvm(std::string_view path) {
  const std::string_view last = last_component(path);
  return last == "kvm" || is_number(last) || is_range(last) ||
         std::ranges::find(standard_streams, last) != std::end(standard_streams);
}

Lead lead_of(const NamedPath& path) {
  const std::string absolute = absolute_path(path);
  const Components walked = components_of(absolute);
  const auto components = without_roots(walked);
  if (components.size() == 2 && components[0] == "dev" && components[1] == "kvm") {
    return {Lead::To::dev_kvm};
  }
  std::string link = link_of(path.thread, components);
  if (link.empty()) return {Lead::To::elsewhere};
  return {Lead::To::link, std::move(link)};
}

std::string fd_link(pid_t thread, int fd) {
  return of_thread(thread) + "/fd/" + std::to_string(fd);
}

std::string directory_link(const NamedPath& path) {
  return path.directory == AT_FDCWD ? of_thread(path.thread) + "/cwd"
                                    : fd_link(path.thread, path.directory);
}

std::string beside(std::string_view path, std::string_view name) {
  return std::string(path.substr(0, path.rfind('/') + 1)).append(name);
}

}  // namespace tdctl::supervisor
