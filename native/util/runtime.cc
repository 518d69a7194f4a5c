// What libstdc++ would bring along for exceptions, which the addon is built without: its unwinder asks the
// loader for what only glibc has, and musl would not load the addon. A failure that would have been thrown
// ends the process, as std::terminate() would.
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace {

[[noreturn]] void give_up(const char* what) {
  constexpr char who[] = "tdctl addon: ";
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, who, sizeof who - 1);
  written = ::write(STDERR_FILENO, what, std::strlen(what));
  written = ::write(STDERR_FILENO, "\n", 1);
  std::abort();
}

void* allocate(std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) give_up("out of memory");
  return memory;
}

}  // namespace

namespace std {

void __throw_bad_alloc() { give_up("out of memory"); }
void __throw_bad_array_new_length() { give_up("bad length of an array"); }
void __throw_bad_function_call() { give_up("an empty function was called"); }
void __throw_length_error(const char* what) { give_up(what); }
void __throw_logic_error(const char* what) { give_up(what); }
void __throw_out_of_range(const char* what) { give_up(what); }
void __throw_out_of_range_fmt(const char* what, ...) { give_up(what); }
void __throw_system_error(int error_number) { give_up(std::strerror(error_number)); }

// Whether a shared_ptr was made by code with run-time types; there is none.
bool _Sp_make_shared_tag::_S_eq(const type_info&) noexcept { return false; }

}  // namespace std

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

extern "C" {

void __cxa_pure_virtual() { give_up("a pure virtual function was called"); }

// Parts of libstdc++ were compiled with exceptions, of which none is thrown.
int __gxx_personality_v0() { give_up("an exception was thrown"); }
void _Unwind_Resume(void*) { give_up("an exception was thrown"); }

// A static variable of a function is made once (Itanium C++ ABI, 3.3.3): the first byte says that it is made,
// the second, that a thread is at it.
int __cxa_guard_acquire(std::uint8_t* guard) {
  for (;; ::sched_yield()) {
    if (std::atomic_ref(guard[0]).load() != 0) return 0;
    if (std::atomic_ref(guard[1]).exchange(1) == 0) return 1;
  }
}
void __cxa_guard_release(std::uint8_t* guard) {
  std::atomic_ref(guard[0]).store(1);
}

// glibc says here whether a shared_ptr may count without atomic operations; musl does not have it.
extern char __libc_single_threaded;
char __libc_single_threaded = 0;
}
