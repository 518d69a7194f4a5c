/** What a terminated environment still holds goes in the kernel's order: the VM, then its memory. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { requireAddon } from './support.ts';

/** Stands before libc, and writes down each close of an fd and each munmap as it comes. */
const shim = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void note(const char *what, unsigned long number) {
  char line[64];
  int length = snprintf(line, sizeof line, "%s %lu\\n", what, number);
  int log = open(getenv("ORDER_LOG"), O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (write(log, line, length) != length) abort();
  ((int (*)(int))dlsym(RTLD_NEXT, "close"))(log);
}

int close(int fd) {
  note("close", fd);
  return ((int (*)(int))dlsym(RTLD_NEXT, "close"))(fd);
}

int munmap(void *address, size_t size) {
  if (size == 0x7a5000) note("munmap", size);
  return ((int (*)(void *, size_t))dlsym(RTLD_NEXT, "munmap"))(address, size);
}
`;

/** A worker is terminated while a call on the VM is in flight: then only destructors close it. */
const worker = `
const { parentPort, workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { path, requests } = workerData;
const addon = require(path);
(async () => {
  addon.testing.script([
    { request: requests.KVM_CREATE_VM, returns: 'fd' },
    { request: requests.KVM_SET_USER_MEMORY_REGION },
    { request: requests.KVM_CREATE_IRQCHIP, hold: true },
  ]);
  const system = await addon.System.open('/dev/null');
  const vm = await system.kvmCreateVm(0);
  const memory = await addon.UserMemory.map(0x7a5000n);
  await vm.kvmSetUserMemoryRegion({ slot: 0, gpa: 0n, sizeBytes: 0x7a5000n, memory });
  await memory.close();
  vm.kvmCreateIrqchip();
  parentPort.postMessage(vm.fd);
})();
`;

const main = `
const { Worker } = require('node:worker_threads');
const workerData = JSON.parse(process.argv[1]);
const worker = new Worker(${JSON.stringify(worker)}, { eval: true, workerData });
worker.on('message', async (fd) => {
  await worker.terminate();
  console.log(fd);
});
`;

test('memory is unmapped after the VM is closed, also by an environment that ends', (context) => {
  requireAddon(context);
  const native = loadAddon();
  const path = native.available ? native.path : '';
  const scratch = mkdtempSync(join(tmpdir(), 'tdctl-teardown-'));
  context.onTestFinished(() => rmSync(scratch, { recursive: true }));
  const library = join(scratch, 'order.so');
  execFileSync('gcc', ['-shared', '-fPIC', '-o', library, '-x', 'c', '-', '-ldl'], { input: shim });
  const log = join(scratch, 'order.log');
  const { LD_PRELOAD: others } = process.env;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['-e', main, JSON.stringify({ path, requests: ioctlNumbers })],
    {
      encoding: 'utf8',
      env: {
        ...process.env,
        LD_PRELOAD: others === undefined ? library : `${others} ${library}`,
        ORDER_LOG: log,
      },
    },
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const lines = readFileSync(log, 'utf8').split('\n');
  const closed = lines.lastIndexOf(`close ${stdout.trim()}`);
  const unmapped = lines.indexOf(`munmap ${0x7a5000}`);
  expect(closed).toBeGreaterThan(-1);
  expect(unmapped).toBeGreaterThan(closed);
});
