// Guest.make(): reads the options, and maps and starts the vCPUs off the main thread.
#include <cerrno>
#include <utility>

#include "guest.h"
#include "util/arguments.h"
#include "util/task.h"
#include "vcpu.h"
#include "vcpu_state_js.h"

namespace tdctl {

namespace {

// KVM_MAX_VCPUS of the largest kernel configuration.
constexpr std::uint32_t most_vcpus = 4096;
constexpr std::uint32_t most_run_bytes = 1 << 20;
constexpr std::uint32_t most_console_bytes = 1 << 30;
constexpr std::uint32_t highest_port = 0xffff;

GuestInterrupt read_interrupt(Arguments& arguments, Napi::Value value) {
  GuestInterrupt interrupt;
  if (value.IsUndefined() || !arguments.object(value, "interrupt")) return interrupt;
  const Napi::Value line = arguments.field(value, "line");
  if (!line.IsUndefined()) {
    interrupt.kind = GuestInterrupt::Kind::line;
    interrupt.line = arguments.uint32(line, "line");
    return interrupt;
  }
  interrupt.kind = GuestInterrupt::Kind::msi;
  const std::uint64_t address =
      arguments.uint64(arguments.field(value, "msiAddress"), "msiAddress");
  interrupt.msi.address_lo = static_cast<std::uint32_t>(address);
  interrupt.msi.address_hi = static_cast<std::uint32_t>(address >> 32);
  interrupt.msi.data = arguments.uint32(arguments.field(value, "msiData"), "msiData");
  return interrupt;
}

GuestOptions read_options(Arguments& arguments, Napi::Value value) {
  GuestOptions options;
  const Napi::Value debug_exit = arguments.field(value, "debugExitPort");
  if (!debug_exit.IsUndefined()) {
    options.ports.debug_exit = static_cast<std::uint16_t>(
        arguments.uint32(debug_exit, "debugExitPort", 0, highest_port));
  }
  const Napi::Value bound = arguments.field(value, "consoleBytes");
  if (!bound.IsUndefined()) {
    options.ports.console_bound = arguments.uint32(bound, "consoleBytes", 1, most_console_bytes);
  }
  options.apic_in_kernel = arguments.field(value, "apicInKernel").ToBoolean();
  options.interrupt = read_interrupt(arguments, arguments.field(value, "interrupt"));
  return options;
}

void read_handlers(Arguments& arguments, Napi::Value value, GuestHandlers* handlers) {
  arguments.object(value, "handlers");
  const std::pair<const char*, Napi::FunctionReference*> members[] = {
      {"console", &handlers->console}, {"debugConsole", &handlers->debug_console},
      {"exit", &handlers->exit},       {"ended", &handlers->ended},
      {"failed", &handlers->failed},
  };
  for (const auto& [name, member] : members) {
    const Napi::Value function = arguments.field(value, name);
    if (arguments.is_wrong()) return;
    if (!function.IsFunction()) {
      return arguments.type_mistake(std::string("`handlers.") + name + "` must be a function");
    }
    *member = Napi::Persistent(function.As<Napi::Function>());
  }
}

// A vCPU runs on one thread: whoever has it keeps it until the guest is stopped.
void read_vcpus(Arguments& arguments, Napi::Value value, GuestParts* parts) {
  const auto elements = arguments.array(value, "vcpus", most_vcpus);
  if (!elements) return;
  if (elements->Length() == 0) arguments.range_mistake("`vcpus` must have at least one vCPU");
  for (std::uint32_t at = 0; at < elements->Length() && !arguments.is_wrong(); ++at) {
    const std::string name = "vcpus[" + std::to_string(at) + "]";
    const Napi::Value element = arguments.field(*elements, std::to_string(at).c_str());
    std::optional<FdUse> use = arguments.vcpu(element, name);
    if (!use) return;
    const std::shared_ptr<FdHandle>& handle = unwrap<Vcpu>(element)->handle();
    if (handle->hold() != FdHandle::Hold::none) {
      return arguments.busy_mistake("`" + name + "` is a vCPU of a guest already");
    }
    handle->set_hold(FdHandle::Hold::parked);
    parts->handles.push_back(handle);
    parts->uses.push_back(std::move(*use));
  }
}

}  // namespace

Napi::Value Guest::make(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, nullptr);
  auto parts = std::make_unique<GuestParts>();
  arguments.object(info[0], "options");
  std::optional<FdUse> vm = arguments.vm(arguments.field(info[0], "vm"), "vm");
  read_vcpus(arguments, arguments.field(info[0], "vcpus"), parts.get());
  const std::uint32_t run_bytes = arguments.uint32(arguments.field(info[0], "runBytes"), "runBytes",
                                                   sizeof(uapi::kvm_run), most_run_bytes);
  const GuestOptions options = read_options(arguments, info[0]);
  const Napi::Value shape = arguments.field(info[0], "stateShape");
  if (!shape.IsUndefined()) parts->state_shape = read_state_shape(arguments, shape);
  read_handlers(arguments, arguments.field(info[0], "handlers"), &parts->handlers);
  if (arguments.is_wrong()) return rejected(env, arguments.mistake());

  parts->channel = GuestChannel::make(env);
  if (!parts->channel) return {};
  parts->vcpus = std::make_unique<GuestVcpus>(Environment::of(env).kernel, vm->fd(), options,
                                              [channel = parts->channel] { channel->wake(); });
  std::vector<int> fds;
  for (const FdUse& use : parts->uses) fds.push_back(use.fd());
  parts->uses.push_back(std::move(*vm));
  return run_off_thread(
      env,
      [parts = std::move(parts), fds = std::move(fds),
       run_bytes]() mutable -> Result<std::unique_ptr<GuestParts>> {
        for (const int fd : fds) {
          Result<Done> added = parts->vcpus->add(fd, run_bytes);
          // What was started is stopped with the task, on the JS thread.
          if (!added.ok()) return std::move(added.failure());
        }
        return std::move(parts);
      },
      tdctl::make<Guest>);
}

}  // namespace tdctl
