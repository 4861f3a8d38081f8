import { execFileSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import type { EnginePage } from '../../src/cli/engine-page.ts';
import { enginePage, freshEnginePage } from '../support/engine-page.ts';
import { browsers, suite } from '../support/suite.ts';
import { stages } from './loss-stages.ts';
import { documented, inWords, type Outcome } from './loss-table.ts';

const module = '/test/device/loss-in-page.ts';

interface Streamed {
  readonly lost: number;
  readonly rebuilt: number;
  readonly done: number;
  readonly wrong: number;
  readonly outOfOrder: number;
  readonly errors: readonly string[];
  readonly recoveries: readonly number[];
  readonly dead: number;
}

/** In the full suite as often as the promise says. */
const losses = suite === 'full' ? 20 : 3;

/** A browser's process of the GPU, among its descendants. */
function gpuProcessOf(browser: number): number | null {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .flatMap((match) => (match ? [{ pid: Number(match[1]), parent: Number(match[2]), command: match[3]! }] : []));
  const family = new Set([browser]);
  for (let before = 0; before !== family.size; ) {
    before = family.size;
    for (const { pid, parent } of rows) if (family.has(parent)) family.add(pid);
  }
  return rows.find(({ pid, command }) => family.has(pid) && command.includes('--type=gpu-process'))?.pid ?? null;
}

function expectNoneLost({ lost, rebuilt, wrong, outOfOrder, errors, recoveries, dead }: Streamed) {
  expect(errors).toEqual([]);
  expect({ lost, wrong, outOfOrder, dead }).toEqual({ lost: losses, wrong: 0, outOfOrder: 0, dead: 0 });
  expect(rebuilt).toBeGreaterThanOrEqual(losses);
  expect(recoveries.length).toBeGreaterThanOrEqual(losses);
  const sorted = [...recoveries].sort((a, b) => a - b);
  process.stdout.write(
    `recovery after ${recoveries.length} losses: median ${sorted[sorted.length >> 1]!.toFixed(0)} ms, ` +
      `longest ${sorted.at(-1)!.toFixed(0)} ms\n`,
  );
}

describe.each(browsers)('a lost device in %s', (browser) => {
  it.each([
    ...stages.map((stage) => [stage, 'kept'] as const),
    ...(['first inference', 'plan taken up', 'idle'] as const).map((stage) => [stage, 'not kept'] as const),
  ])('during %s, weights %s: calls go on, with the same bits, and nothing is left of it', async (stage, weights) => {
    const page = await enginePage(browser);
    const tunes = ['trial of a kernel', 'plan taken up'].includes(stage);
    const outcome = await page.call<Outcome>(module, 'destroyedAt', {
      ...{ stage, tunes, keepWeights: weights === 'kept' },
    });
    expect(Object.keys(outcome.steps)).toEqual(['load', 'run', 'classify', ...(tunes ? ['tune'] : []), 'next']);
    expect(inWords(outcome)).toBe(documented(stage, browser === 'chrome' ? 'Chromium' : 'Firefox'));
  });

  it('of the caller is told of, and no other is opened', async () => {
    const said = await (await enginePage(browser)).call(module, 'ownDevice');
    const lost = expect.stringMatching(/^DeviceLostError: .*destroyed.*load the model again/);
    expect(said).toEqual({ pending: lost, next: lost, opened: 0, held: 0 });
  });

  it(`${losses} times in a stream of frames: each frame has its own result, in order`, async () => {
    expectNoneLost(await (await enginePage(browser)).call<Streamed>(module, 'stream', { losses, here: true }));
  });
});

describe("Chromium's GPU process", () => {
  let page: EnginePage | undefined;
  afterAll(() => page?.close());

  it(`killed ${losses} times in a stream of frames: each frame has its own result, in order`, async (context) => {
    if (process.platform === 'win32') context.skip('processes are looked up by ps');
    page = await freshEnginePage('chrome', {
      chromeFlags: ['--disable-gpu-process-crash-limit', '--disable-domain-blocking-for-3d-apis'],
    });
    const browser = page.browser.process()!.pid!;
    page.onProgress = () => {
      const gpu = gpuProcessOf(browser);
      if (gpu) process.kill(gpu, 'SIGKILL');
    };
    expectNoneLost(await page.call<Streamed>(module, 'stream', { losses, here: false }));
  });
});
