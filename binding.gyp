# Built by scripts/build-native.mjs, never by npm: package.json says "gypfile": false.
{
  "variables": { "sanitize%": 0 },
  "target_defaults": { "default_configuration": "Release" },
  "targets": [
    {
      "target_name": "tdctl",
      "sources": [
        "native/addon.cc",
        "native/exchange.cc",
        "native/guest.cc",
        "native/guest_channel.cc",
        "native/guest_devices.cc",
        "native/guest_entry.cc",
        "native/guest_exit_js.cc",
        "native/guest_make.cc",
        "native/guest_memfd.cc",
        "native/guest_rest.cc",
        "native/guest_state.cc",
        "native/msrs.cc",
        "native/system.cc",
        "native/user_memory.cc",
        "native/vcpu.cc",
        "native/vcpu_exits.cc",
        "native/vcpu_init_mem_region.cc",
        "native/vcpu_registers.cc",
        "native/vcpu_state.cc",
        "native/vcpu_state_js.cc",
        "native/vcpu_thread.cc",
        "native/vm.cc",
        "native/vm_devices.cc",
        "native/vm_memory.cc",
        "native/vm_state.cc",
        "native/vm_tdx.cc",
        "native/devices/ports.cc",
        "native/devices/serial_port.cc",
        "native/process/datagram.cc",
        "native/process/fd_channel.cc",
        "native/process/fd_channel_now.cc",
        "native/process/fd_questions.cc",
        "native/process/pidfd.cc",
        "native/supervisor/address_spaces.cc",
        "native/supervisor/client_memory.cc",
        "native/supervisor/file_table.cc",
        "native/supervisor/filter.cc",
        "native/supervisor/group_signals.cc",
        "native/supervisor/guard.cc",
        "native/supervisor/guard_process.cc",
        "native/supervisor/handlers.cc",
        "native/supervisor/held_command.cc",
        "native/supervisor/kvm_paths.cc",
        "native/supervisor/launch.cc",
        "native/supervisor/loop.cc",
        "native/supervisor/loop_calls.cc",
        "native/supervisor/loop_memory.cc",
        "native/supervisor/loop_paths.cc",
        "native/supervisor/needs.cc",
        "native/supervisor/new_file.cc",
        "native/supervisor/notifications.cc",
        "native/supervisor/open_calls.cc",
        "native/supervisor/own_memory.cc",
        "native/supervisor/pending_signals.cc",
        "native/supervisor/supervisor.cc",
        "native/supervisor/supervisor_launch.cc",
        "native/supervisor/terminal.cc",
        "native/supervisor/thread_status.cc",
        "native/supervisor/watched_files.cc",
        "native/testing/exports.cc",
        "native/testing/script.cc",
        "native/uapi/against_system.cc",
        "native/uapi/layout.cc",
        "native/uapi/layout_guest.cc",
        "native/util/arguments.cc",
        "native/util/bytes_js.cc",
        "native/util/closer.cc",
        "native/util/cpuid_js.cc",
        "native/util/errno_name.cc",
        "native/util/fd_handle.cc",
        "native/util/fd_message.cc",
        "native/util/js_error.cc",
        "native/util/kernel.cc",
        "native/util/loop_watch.cc",
        "native/util/memory_slots.cc",
        "native/util/task.cc"
      ],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=9",
        "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        # While an environment is torn down, errors can be neither thrown nor seen.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "cflags": ["-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"],
      "cflags_cc": ["-std=gnu++20", "-O2", "-fno-exceptions", "-fno-rtti"],
      "cflags_cc!": ["-std=gnu++17"],
      # A fork of this process (supervisor/guard_process.cc) goes on without the memory in which the
      # loader would look up a function at its first call.
      "ldflags": ["-Wl,-z,now"],
      "conditions": [
        ["sanitize==1", {
          "cflags": [
            "-fsanitize=address,undefined",
            "-fno-sanitize-recover=undefined",
            "-fno-omit-frame-pointer",
            "-g"
          ],
          "ldflags": ["-fsanitize=address,undefined"]
        }, {
          # One file for every glibc from 2.34 on and for musl: with what it needs of libstdc++ inside, and
          # with the names of the C library that all of them have.
          "sources": ["native/util/runtime.cc"],
          "defines!": ["_FILE_OFFSET_BITS=64", "_LARGEFILE_SOURCE"],
          "cflags": ["-ffunction-sections", "-fdata-sections"],
          "ldflags": [
            "-static-libstdc++",
            "-static-libgcc",
            "-Wl,--version-script=<(module_root_dir)/native/exports.map",
            "-Wl,--gc-sections"
          ]
        }]
      ]
    }
  ]
}
