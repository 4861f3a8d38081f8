import { describe, expect, it } from 'vitest';
import { type LiveTensor, peakBytes, placeTensors } from '../../src/planner/memory.ts';
import { seededUniform } from '../support/random-values.ts';

/** A random network: each dispatch reads the tensor before it and now and then an older one. */
function randomNetwork(seed: number, dispatches: number): LiveTensor[] {
  const next = seededUniform(seed);
  const reads: number[][] = [];
  const lastRead: number[] = [0];
  for (let i = 0; i < dispatches; i++) {
    const inputs = new Set([i]);
    while (next() < 0.35) inputs.add(Math.floor(next() * (i + 1)));
    reads.push([...inputs]);
    for (const input of inputs) lastRead[input] = i;
    lastRead.push(i);
  }
  return Array.from({ length: dispatches + 1 }, (_, t) => ({
    name: `t${t}`,
    bytes: 256 * (1 + Math.floor(next() * 40)),
    from: t - 1,
    to: t === dispatches ? dispatches : lastRead[t]!,
    readByProducer: t === 0 ? [] : reads[t - 1]!.map((input) => `t${input}`),
  }));
}

function checkPlan(tensors: readonly LiveTensor[], largest?: number) {
  const { buffers, places } = placeTensors(tensors, largest);
  for (const a of tensors) {
    const at = places.get(a.name)!;
    expect(at.offset % 256).toBe(0);
    expect(at.offset + a.bytes).toBeLessThanOrEqual(buffers[at.buffer]!);
    for (const name of a.readByProducer)
      expect(places.get(name)!.buffer, `${a.name} reads ${name}`).not.toBe(at.buffer);
    for (const b of tensors) {
      const other = places.get(b.name)!;
      const together = a !== b && a.from <= b.to && b.from <= a.to && at.buffer === other.buffer;
      const disjoint = at.offset + a.bytes <= other.offset || other.offset + b.bytes <= at.offset;
      expect(!together || disjoint, `${a.name} and ${b.name} overlap while both are alive`).toBe(true);
    }
  }
  return { buffers, total: buffers.reduce((sum, bytes) => sum + bytes, 0) };
}

describe('placing tensors', () => {
  it('never lets two live tensors overlap, nor an output share a buffer with an input (200 random networks)', () => {
    for (let seed = 1; seed <= 200; seed++) checkPlan(randomNetwork(seed, 1 + (seed % 37)));
  });

  it('keeps buffers within a limit, and leaves places as they are where they fit (200 random networks)', () => {
    let split = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const tensors = randomNetwork(seed, 1 + (seed % 37));
      const free = placeTensors(tensors);
      expect(placeTensors(tensors, Math.max(...free.buffers))).toEqual(free);
      // The largest tensor has 40 · 256 bytes.
      const { buffers } = checkPlan(tensors, 45 * 256);
      expect(Math.max(...buffers)).toBeLessThanOrEqual(45 * 256);
      if (buffers.length > free.buffers.length) split++;
    }
    expect(split).toBeGreaterThan(50);
  });

  it('alternates two buffers along a chain', () => {
    const chain = Array.from({ length: 12 }, (_, t) => ({
      name: `t${t}`,
      bytes: 1024,
      from: t - 1,
      to: t,
      readByProducer: t === 0 ? [] : [`t${t - 1}`],
    }));
    const { buffers } = checkPlan(chain);
    expect(buffers).toEqual([1024, 1024]);
    expect(peakBytes(chain)).toBe(2048);
  });

  it('keeps a residual alive in a third place until it is added', () => {
    const block: LiveTensor[] = [
      { name: 'x', bytes: 256, from: -1, to: 2, readByProducer: [] },
      { name: 'expanded', bytes: 1536, from: 0, to: 1, readByProducer: ['x'] },
      { name: 'filtered', bytes: 1536, from: 1, to: 2, readByProducer: ['expanded'] },
      { name: 'projected', bytes: 256, from: 2, to: 3, readByProducer: ['filtered', 'x'] },
    ];
    const { total } = checkPlan(block);
    expect(total).toBe(256 + 1536 + 1536);
    expect(peakBytes(block)).toBe(256 + 1536 + 1536);
  });

  it('needs no memory for no tensors', () => {
    expect(placeTensors([])).toEqual({ buffers: [], places: new Map() });
  });
});
