/** KVM_TDX_INIT_MEM_REGION: chunks, continuation, cancelling. */
import { describe, expect, type TestContext, test } from 'vitest';
import type { RecordedCall } from '../../native/index.ts';
import { errnoNumbers } from '../../src/abi/kvm/errno.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { stall } from '../../src/host/stall.ts';
import { rejection, scripted, u64 } from './support.ts';

const { EAGAIN, EBUSY, EINTR, EIO } = errnoNumbers;
const request = ioctlNumbers.KVM_MEMORY_ENCRYPT_OP;
const gpa = 0x1_0000_0000n;
const page = 4096n;

async function setup(context: TestContext) {
  const on = await scripted(context);
  const source = await on.addon.UserMemory.map(64n * page);
  context.onTestFinished(() => source.close());
  /** The struct after the kernel did all but `left` pages up to page `end` of the region. */
  const at = (end: number, left: number) => {
    const done = BigInt(end - left);
    return u64(source.address + done * page, gpa + done * page, BigInt(left));
  };
  const region = { source, sourceOffsetBytes: 0n, gpa, chunkPages: 4 };
  return { ...on, region, at };
}

/** First page and number of pages of each call. */
function pagesOf(calls: readonly RecordedCall[]): (readonly [bigint, bigint])[] {
  return calls.map(({ data }) => {
    const [, at = 0n, pages = 0n] = new BigUint64Array(data.buffer);
    return [(at - gpa) / page, pages];
  });
}

test('the addon and the simulated host bear a stall for as long', async (context) => {
  expect((await scripted(context)).addon.testing.stallTimeoutMs).toBe(stall.timeoutMs);
});

describe('a region', () => {
  test('goes in chunks, source and gpa in step, with progress after each', async (context) => {
    const { vcpu, script, region, at } = await setup(context);
    const { calls } = script(
      { request, data: at(4, 0) },
      { request, data: at(8, 0) },
      { request, data: at(10, 0) },
    );
    const progress: number[] = [];
    await vcpu.tdxInitMemRegion({
      ...region,
      pages: 10,
      onProgress: (done) => progress.push(done),
    });
    expect(pagesOf(calls())).toEqual([
      [0n, 4n],
      [4n, 4n],
      [8n, 2n],
    ]);
    expect(calls().map(({ data }) => data)).toEqual([at(4, 4), at(8, 4), at(10, 2)]);
    expect(progress).toEqual([4, 8, 10]);
  });

  test('of 512 pages and less is one call where no chunk size is given', async (context) => {
    const { addon, vcpu, script } = await setup(context);
    const source = await addon.UserMemory.map(513n * page);
    const { calls } = script(
      { request, data: u64(0n, 0n, 0n) },
      { request, data: u64(0n, 0n, 0n) },
    );
    await vcpu.tdxInitMemRegion({ source, sourceOffsetBytes: 0n, gpa, pages: 513 });
    expect(pagesOf(calls())).toEqual([
      [0n, 512n],
      [512n, 1n],
    ]);
    await source.close();
  });

  test('of no pages is the kernel to refuse', async (context) => {
    const { vcpu, script, region } = await setup(context);
    script({ request, errno: errnoNumbers.EINVAL });
    expect((await rejection(vcpu.tdxInitMemRegion({ ...region, pages: 0 }))).code).toBe('EINVAL');
  });
});

describe('after EAGAIN, EINTR and EBUSY', () => {
  test('it goes on with the struct that the kernel advanced', async (context) => {
    const { vcpu, script, region, at } = await setup(context);
    const { calls } = script(
      { request, errno: EAGAIN, data: at(4, 3) },
      { request, errno: EINTR, data: at(4, 1) },
      { request, errno: EBUSY },
      { request, data: at(4, 0) },
      { request, errno: EINTR, data: at(6, 1) },
      { request, data: at(6, 0) },
    );
    const progress: number[] = [];
    await vcpu.tdxInitMemRegion({ ...region, pages: 6, onProgress: (done) => progress.push(done) });
    expect(calls().map(({ data }) => data)).toEqual([
      at(4, 4),
      at(4, 3),
      at(4, 1),
      at(4, 1),
      at(6, 2),
      at(6, 1),
    ]);
    expect(progress).toEqual([4, 6]);
  });

  test('it goes on, too, where the kernel says success and left pages over', async (context) => {
    const { vcpu, script, region, at } = await setup(context);
    const { calls } = script({ request, data: at(4, 2) }, { request, data: at(4, 0) });
    await vcpu.tdxInitMemRegion({ ...region, pages: 4 });
    expect(calls().map(({ data }) => data)).toEqual([at(4, 4), at(4, 2)]);
  });

  test('it does not go on for ever without a page done', async (context) => {
    const { vcpu, script, region, at } = await setup(context);
    const busy = Array.from({ length: 50 }, () => ({ request, errno: EBUSY }));
    script({ request, errno: EAGAIN, data: at(4, 3) }, ...busy);
    const error = await rejection(
      vcpu.tdxInitMemRegion({ ...region, pages: 4, stallTimeoutMs: 20 }),
    );
    expect(error).toMatchObject({ code: 'EBUSY', pagesDone: 1 });
  });
});

test('another errno ends it, and the error says how many pages were done', async (context) => {
  const { vcpu, script, region, at } = await setup(context);
  const { calls } = script({ request, data: at(4, 0) }, { request, errno: EIO, data: at(8, 2) });
  const error = await rejection(vcpu.tdxInitMemRegion({ ...region, pages: 12 }));
  expect(error).toMatchObject({ request: 'KVM_TDX_INIT_MEM_REGION', code: 'EIO', pagesDone: 6 });
  expect(calls()).toHaveLength(2);
});

describe('cancelling', () => {
  test('before the start makes no call', async (context) => {
    const { vcpu, script, region } = await setup(context);
    const { calls } = script();
    const error = await rejection(
      vcpu.tdxInitMemRegion({ ...region, pages: 8, signal: AbortSignal.abort() }),
    );
    expect(error).toMatchObject({ code: 'EINTR', errno: 4, pagesDone: 0 });
    expect(error.message).toBe('KVM_TDX_INIT_MEM_REGION: cancelled after 0 of 8 pages');
    expect(calls()).toEqual([]);
  });

  test('during a chunk lets it end and begins no other', async (context) => {
    const { vcpu, script, region, at } = await setup(context);
    const { calls, release } = script({ request, data: at(4, 0), hold: true });
    const abort = new AbortController();
    const added = rejection(vcpu.tdxInitMemRegion({ ...region, pages: 8, signal: abort.signal }));
    abort.abort();
    release();
    expect(await added).toMatchObject({ code: 'EINTR', pagesDone: 4 });
    expect(calls()).toHaveLength(1);
  });

  test('ends the waiting on a busy module', async (context) => {
    const { vcpu, script, region } = await setup(context);
    script(...Array.from({ length: 1000 }, () => ({ request, errno: EBUSY })));
    const abort = new AbortController();
    const added = rejection(vcpu.tdxInitMemRegion({ ...region, pages: 8, signal: abort.signal }));
    setTimeout(() => abort.abort(), 10);
    expect(await added).toMatchObject({ code: 'EINTR', pagesDone: 0 });
  });

  test('by closing the vCPU stops between chunks, and the close waits for the chunk', async (context) => {
    const { vcpu, script, region, at } = await setup(context);
    const { calls, release } = script({ request, data: at(4, 0), hold: true });
    const added = rejection(vcpu.tdxInitMemRegion({ ...region, pages: 8 }));
    const closed = vcpu.close();
    release();
    expect(await added).toMatchObject({ code: 'EBADF', pagesDone: 4 });
    await closed;
    expect(calls()).toHaveLength(1);
  });

  test('an exception of onProgress ends it and comes out', async (context) => {
    const { vcpu, script, region, at } = await setup(context);
    const { calls } = script({ request, data: at(4, 0) });
    const oops = new Error('oops');
    const added = vcpu.tdxInitMemRegion({
      ...region,
      pages: 8,
      onProgress: () => {
        throw oops;
      },
    });
    await expect(added).rejects.toBe(oops);
    expect(calls()).toHaveLength(1);
  });
});
