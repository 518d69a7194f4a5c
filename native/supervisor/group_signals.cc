#include "group_signals.h"

#include <initializer_list>

namespace tdctl::supervisor {

namespace {

sigset_t for_programs() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number :
       {SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT}) {
    sigaddset(&set, number);
  }
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) sigaddset(&set, number);
  return set;
}

void set_action(int number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  ::sigaction(number, &action, nullptr);
}

}  // namespace

sigset_t GroupSignals::none() {
  sigset_t set;
  sigemptyset(&set);
  return set;
}

GroupSignals GroupSignals::ignore() {
  const sigset_t set = for_programs();
  GroupSignals signals;
  for (int number = 1; number <= SIGRTMAX; ++number) {
    struct sigaction now;
    if (sigismember(&set, number) != 1 || ::sigaction(number, nullptr, &now) < 0) continue;
    if ((now.sa_flags & SA_SIGINFO) != 0 || now.sa_handler != SIG_DFL) continue;
    set_action(number, SIG_IGN);
    sigaddset(&signals.ignored_, number);
  }
  return signals;
}

GroupSignals::~GroupSignals() {
  for (int number = 1; number <= SIGRTMAX; ++number) {
    if (sigismember(&ignored_, number) == 1) set_action(number, SIG_DFL);
  }
}

}  // namespace tdctl::supervisor
