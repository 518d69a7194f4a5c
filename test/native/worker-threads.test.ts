/** The addon in worker threads: nothing shared, nothing left behind when one is terminated. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, type TestContext, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { openFds, requireAddon } from './support.ts';

/** Runs `body` in a worker thread with `addon` in scope; what it passes to `post` comes out. */
function startWorker(context: TestContext, body: string): Worker {
  requireAddon(context);
  const native = loadAddon();
  const path = native.available ? native.path : '';
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const addon = require(workerData.path);
     const requests = workerData.requests;
     const post = (message) => parentPort.postMessage(message);
     (async () => { ${body} })();`,
    { eval: true, workerData: { path, requests: ioctlNumbers } },
  );
  context.onTestFinished(async () => {
    await worker.terminate();
  });
  return worker;
}

test('a script in one environment does not reach another', async (context) => {
  const addon = requireAddon(context);
  const script = addon.testing.script([{ request: ioctlNumbers.KVM_GET_API_VERSION, returns: 1 }]);
  const worker = startWorker(
    context,
    `addon.testing.script([{ request: requests.KVM_GET_API_VERSION, returns: 2 }]);
     const system = await addon.System.open('/dev/null');
     post([await system.kvmGetApiVersion(), addon.leakedFds()]);
     await system.close();`,
  );
  const system = await addon.System.open('/dev/null');
  expect(await system.kvmGetApiVersion()).toBe(1);
  const [message] = await once(worker, 'message');
  expect(message).toEqual([2, 0]);
  script.end();
  await system.close();
});

test('many at once make and close objects, and every fd comes back', async (context) => {
  const before = openFds();
  const workers = Array.from({ length: 4 }, () =>
    startWorker(
      context,
      `const ids = Array.from({ length: 50 }, (_, id) => id);
       const vcpu = { request: requests.KVM_CREATE_VCPU, returns: 'fd' };
       for (let round = 0; round < 10; round += 1) {
         addon.testing.script([
           { request: requests.KVM_CREATE_VM, returns: 'fd' }, ...ids.map(() => vcpu)]);
         const system = await addon.System.open('/dev/null');
         const vm = await system.kvmCreateVm(0);
         const vcpus = await vm.kvmCreateVcpus(ids);
         await Promise.all([...vcpus, vm, system].map((object) => object.close()));
       }
       post(addon.leakedFds());`,
    ),
  );
  const exits = workers.map((worker) => once(worker, 'exit'));
  const messages = await Promise.all(workers.map((worker) => once(worker, 'message')));
  expect(messages).toEqual([[0], [0], [0], [0]]);
  await Promise.all(exits);
  expect(afterWorkers(before)).toEqual([]);
});

test('terminated with calls in flight and objects open, it leaves no fd', async (context) => {
  const before = openFds();
  const worker = startWorker(
    context,
    `const system = await addon.System.open('/dev/null');
     const { release } = addon.testing.script([
       { request: requests.KVM_CREATE_VM, returns: 'fd' },
       { request: requests.KVM_CREATE_VCPU, returns: 'fd' },
       ...Array.from({ length: 2000 }, () => ({ request: requests.KVM_CREATE_VCPU, returns: 'fd' }))]);
     const vm = await system.kvmCreateVm(0);
     const vcpu = await vm.kvmCreateVcpu(0);
     const memory = await addon.UserMemory.map(4096n);
     vm.close();
     vcpu.close();
     for (let id = 1; id < 400; id += 1) system.kvmCheckExtension(id).catch(() => {});
     vm.kvmCreateVcpus(Array.from({ length: 1000 }, (_, id) => id)).catch(() => {});
     memory.close();
     post('busy');
     while (true);`,
  );
  await once(worker, 'message');
  await worker.terminate();
  expect(afterWorkers(before)).toEqual([]);
});

test('terminated in the middle of a long region, it ends with the chunk', async (context) => {
  const before = openFds();
  const worker = startWorker(
    context,
    `const system = await addon.System.open('/dev/null');
     const busy = { request: requests.KVM_MEMORY_ENCRYPT_OP, errno: 16 };
     addon.testing.script([
       { request: requests.KVM_CREATE_VM, returns: 'fd' },
       { request: requests.KVM_CREATE_VCPU, returns: 'fd' },
       ...Array.from({ length: 5000 }, () => busy)]);
     const vm = await system.kvmCreateVm(0);
     const vcpu = await vm.kvmCreateVcpu(0);
     const source = await addon.UserMemory.map(4096n);
     const region = { source, sourceOffsetBytes: 0n, gpa: 0n, pages: 1 };
     vcpu.tdxInitMemRegion({ ...region, onProgress() {}, signal: AbortSignal.timeout(60000) });
     post('busy');`,
  );
  await once(worker, 'message');
  await worker.terminate();
  expect(afterWorkers(before)).toEqual([]);
});

/** The /dev/null fds that were not there before; a worker thread has others of its own. */
function afterWorkers(before: ReadonlyMap<number, string>): string[] {
  return [...openFds()]
    .filter(([fd, target]) => target === '/dev/null' && !before.has(fd))
    .map(([fd, target]) => `${fd} ${target}`);
}
