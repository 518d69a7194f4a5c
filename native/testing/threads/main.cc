// The supervisor's two threads, for ThreadSanitizer, which Node cannot be run under: this program has
// no more of the addon than the loop, and in place of the JS thread a main thread that answers.
// scripts/test-native-sanitized.mjs builds and runs it: `threads ROUNDS SEED`; it runs itself as the
// client. Exit code 8: nothing can be supervised here.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "../../supervisor/loop.h"
#include "../../supervisor/notifications.h"

namespace {

using namespace tdctl::supervisor;

constexpr unsigned long kvm_request = 0xae03;
constexpr int client_processes = 2;
constexpr int client_threads = 3;
constexpr int client_rounds = 40;

// What a client's thread does: files come and go, with calls of ours and of the kernel's between.
void call_in_turn() {
  for (int round = 0; round < client_rounds; ++round) {
    const int kvm = ::open("/dev/kvm", O_RDWR | O_CLOEXEC);
    const int copy = ::dup(kvm);
    for (int call = 0; call < 5; ++call) ::ioctl(copy, kvm_request, call);
    ::close(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ::close(kvm);
    ::close(copy);
  }
}

void handle_signal(int) {}

int be_client() {
  struct sigaction action = {};
  action.sa_handler = handle_signal;
  ::sigaction(SIGALRM, &action, nullptr);
  for (int process = 1; process < client_processes; ++process) ::fork();
  const itimerval often = {.it_interval = {.tv_sec = 0, .tv_usec = 3000},
                           .it_value = {.tv_sec = 0, .tv_usec = 3000}};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  std::vector<std::thread> threads;
  for (int at = 0; at < client_threads; ++at) threads.emplace_back(call_in_turn);
  for (std::thread& thread : threads) thread.join();
  return 0;
}

class Queue {
 public:
  void push(Event event) {
    {
      const std::lock_guard lock(mutex_);
      events_.push_back(std::move(event));
    }
    pushed_.notify_one();
  }
  Event pop() {
    std::unique_lock lock(mutex_);
    pushed_.wait(lock, [this] { return !events_.empty(); });
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  bool empty() const {
    const std::lock_guard lock(mutex_);
    return events_.empty();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable pushed_;
  std::deque<Event> events_;
};

// Answers as the JS thread does, and sometimes not at once.
class Answerer {
 public:
  Answerer(Loop& loop, std::mt19937& random) : loop_(loop), random_(random) {}

  void answer(const OpenEvent& open) {
    const std::optional<Call> call = loop_.calls().find(open.call);
    if (!call) return;
    NewFile file = loop_.files().make(
        {.name = "kvm", .size_bytes = 4096, .mapped = chance(2), .flags = open.flags});
    if (file.error != 0) return loop_.refuse_unanswered(open.call);
    if (chance(2)) loop_.is_system(file.number);
    loop_.calls().remove(open.call);
    loop_.install(call->id, file, {.close_on_exec = open.close_on_exec});
  }

  void answer(const IoctlEvent& ioctl) {
    if (chance(20)) {
      loop_.calls().keep(ioctl.call);
      loop_.calls().wait_for_signal(ioctl.call, std::nullopt);
      return;
    }
    const std::optional<Call> call = loop_.calls().find(ioctl.call);
    if (!call) return;
    loop_.calls().remove(ioctl.call);
    tdctl::supervisor::answer(loop_.listener(), call->id, 0);
  }

  bool chance(unsigned one_in) { return random_() % one_in == 0; }

 private:
  Loop& loop_;
  std::mt19937& random_;
};

// One command, to its end or to a stop() on the way.
int supervise(const char* self, std::mt19937& random) {
  auto launched = launch({.command = {self, "client"}});
  if (const auto* failure = std::get_if<LaunchFailure>(&launched)) {
    std::fprintf(stderr, "nothing can be supervised here: stage %d, errno %d\n",
                 static_cast<int>(failure->stage), failure->error);
    return 8;
  }
  Queue queue;
  ConstantAnswers constants;
  constants.add(kvm_request, 4, 1);
  Loop loop(std::move(std::get<HeldClient>(launched)), std::move(constants),
            [&queue](Event event) { queue.push(std::move(event)); });
  if (loop.start() != nullptr) return 1;
  if (let_go(loop.client()) != 0) return 1;
  Answerer answerer(loop, random);
  const unsigned stop_after = random() % 2 == 0 ? random() % 500 : ~0u;
  for (unsigned told = 0; told < stop_after; ++told) {
    const Event event = queue.pop();
    if (std::holds_alternative<EndedEvent>(event)) break;
    CallNumber call = 0;
    if (const auto* open = std::get_if<OpenEvent>(&event)) {
      answerer.answer(*open);
      call = open->call;
    } else if (const auto* ioctl = std::get_if<IoctlEvent>(&event)) {
      answerer.answer(*ioctl);
      call = ioctl->call;
    } else if (const auto* interrupted = std::get_if<InterruptedEvent>(&event)) {
      loop.refuse_unanswered(interrupted->call);
    }
    if (call == 0) continue;
    if (queue.empty() && !answerer.chance(10)) {
      loop.linger(Loop::Clock::now() + std::chrono::milliseconds(2));
    } else {
      loop.stop_lingering();
    }
  }
  loop.stop();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2 && std::string_view(arguments[1]) == "client") return be_client();
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 20;
  const unsigned seed = count > 2 ? static_cast<unsigned>(std::atoi(arguments[2])) : 1;
  std::mt19937 random(seed);
  for (int round = 0; round < rounds; ++round) {
    if (const int status = supervise("/proc/self/exe", random); status != 0) return status;
  }
  std::printf("%d commands supervised, seed %u\n", rounds, seed);
  return 0;
}
