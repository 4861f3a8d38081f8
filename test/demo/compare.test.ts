/** What Compare makes of measured times: intervals, the answer in words, links. */
import { describe, expect, it } from 'vitest';
import { markdownOf } from '../../demo/compare/card.ts';
import { hashOf, resultIn } from '../../demo/compare/permalink.ts';
import { browserName, type EngineResult, type Result } from '../../demo/compare/result.ts';
import { medianInterval } from '../../demo/compare/spread.ts';
import { verdict } from '../../demo/compare/verdict.ts';
import { randomValues } from '../support/random-values.ts';

const engine = (name: EngineResult['name'], median: number, interval: EngineResult['interval']): EngineResult => ({
  name,
  median,
  interval,
  runs: 9,
  first: 2 * median,
});

const result = (engines: readonly EngineResult[]): Result => ({
  model: 'MobileNetV2 ×1.0 | 224²',
  version: '0.1.0',
  browser: 'Firefox 153',
  adapter: 'an adapter',
  macs: 300_774_272,
  engines,
  cold: [0, 210, 320, null],
  framesPerSecond: 9.1,
  hostMs: 0.4,
  gpuMs: 99,
  stallMs: 31,
  layers: [57, 57],
});

describe("a median's interval", () => {
  it('has the ranks of the binomial distribution', () => {
    const values = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
    expect(medianInterval(values(5))).toBeNull();
    expect(medianInterval(values(6))).toEqual({ low: 1, high: 6, confidence: 1 - 2 / 64 });
    // Of nine: 2nd to 8th, 1 − 2 · (1 + 9) / 512; of twenty: 6th to 15th, 95.9 % (Conover, table A3).
    expect(medianInterval(values(9))).toEqual({ low: 2, high: 8, confidence: 1 - 20 / 512 });
    const twenty = medianInterval(values(20))!;
    expect([twenty.low, twenty.high, twenty.confidence.toFixed(3)]).toEqual([6, 15, '0.959']);
  });

  it('holds the true median as often as it says, of values that are far from normal', () => {
    let held = 0;
    for (let trial = 0; trial < 1000; trial++) {
      const values = [...randomValues(9, 1 + trial, 0, 1)].map((value) => Math.exp(6 * value));
      const { low, high } = medianInterval(values)!;
      if (low <= Math.exp(3) && Math.exp(3) <= high) held++;
    }
    expect(held / 1000).toBeGreaterThan(0.94);
  });
});

describe('the answer', () => {
  const [gpu, cpu] = [engine('WebGPU', 109, [100, 120]), engine('CPU engine', 12, [11, 13])];
  it.each([
    [[gpu, cpu], /^Use the CPU here: 12\.0 ms against 109 ms on the GPU\.$/],
    [[engine('WebGPU', 2, [1, 3]), cpu], /^Use the GPU here: 2\.00 ms against 12\.0 ms on the CPU\.$/],
    [[engine('WebGPU', 12.5, [11, 15]), cpu], /as fast as one another/],
    [[engine('WebGPU', 109, null), cpu], /The CPU was faster.*six runs or more/],
    [[gpu, engine('CPU reference', 800, null)], /109 ms on the GPU, 7\.3 × less than the CPU reference/],
    [[cpu], /no GPU here.*12\.0 ms on the CPU/],
    [[], /Nothing was measured/],
  ] as const)('of %j', (engines, says) => expect(verdict(result(engines))).toMatch(says));

  it('is a card in Markdown whose table has as many cells in each row', () => {
    const card = markdownOf(result([gpu, cpu]), 'https://page.test/#x');
    const rows = card.split('\n').filter((line) => line.startsWith('| '));
    expect(rows).toHaveLength(4);
    for (const row of rows) expect(row.match(/(?<!\\)\|/g)).toHaveLength(6);
    expect(card).toMatch(/cold start: file read 0 ms, ready 210 ms, first result 320 ms\./i);
    expect(card.endsWith('https://page.test/#x')).toBe(true);
  });
});

describe('a link', () => {
  const shared = result([engine('WebGPU', 109, [100, 120]), engine('CPU reference', 800, null)]);

  it('carries the result, whatever its letters', () => {
    expect(resultIn(hashOf(shared))).toEqual(shared);
    expect(resultIn('#compare')).toBeNull();
    expect(resultIn('')).toBeNull();
  });

  it('that was cut, edited or made up is an error that says so', () => {
    const hash = hashOf(shared);
    const [body, sum] = hash.slice('#compare?r='.length).split('.') as [string, string];
    const made = (text: string) => `#compare?r=${Buffer.from(text).toString('base64url')}.${sum}`;
    for (const wrong of [
      hash.slice(0, -1),
      hash.replace('.', 'A.'),
      `#compare?r=${body}`,
      '#compare?r=',
      '#compare?r=!!!.a',
      made('{}'),
      `#compare?r=${'A'.repeat(10_000)}.${sum}`,
    ])
      expect(() => resultIn(wrong), wrong.slice(0, 40)).toThrow(/result in this link is damaged.*measure here/);
    for (let at = 11; at < hash.length; at += 7) {
      const letter = hash[at] === 'a' ? 'b' : 'a';
      expect(() => resultIn(hash.slice(0, at) + letter + hash.slice(at + 1)), String(at)).toThrow(/damaged/);
    }
  });

  it('with a sound sum but wrong figures is one too', () => {
    for (const wrong of [
      { ...shared, engines: [{ ...shared.engines[0]!, median: -1 }] },
      { ...shared, cold: [1] },
      { ...shared, model: 'x'.repeat(300) },
      { ...shared, layers: ['57', 57] },
    ])
      expect(() => resultIn(hashOf(wrong as Result))).toThrow(/damaged/);
  });
});

it.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0', 'Firefox 153'],
  ['Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36', 'Chrome 156'],
  ['Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0', 'Edge 156'],
  ['Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15', 'Safari 26'],
  ['curl', 'another browser'],
])('%s is called %s', (agent, name) => expect(browserName(agent)).toBe(name));
