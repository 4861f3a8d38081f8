import { version } from '../../src/index.ts';
import { adapterText } from '../ui/device.ts';
import type { Measurement, Times } from './measure.ts';
import { medianInterval, spread } from './spread.ts';

/** One engine's times in milliseconds. */
export interface EngineResult {
  readonly name: 'WebGPU' | 'CPU engine' | 'CPU reference';
  readonly median: number;
  /** Of 95 % or more; null of fewer than six runs. */
  readonly interval: readonly [low: number, high: number] | null;
  readonly runs: number;
  readonly first: number;
}

/** What a measurement comes to: plain data, for the sentence, the link and the card. */
export interface Result {
  readonly model: string;
  readonly version: string;
  readonly browser: string;
  readonly adapter: string;
  readonly macs: number;
  readonly engines: readonly EngineResult[];
  /** Milliseconds from the start: file read, ready, first result, tuned. */
  readonly cold: readonly (number | null)[];
  readonly framesPerSecond: number | null;
  readonly hostMs: number | null;
  readonly gpuMs: number | null;
  readonly stallMs: number;
  /** Layers within their bounds, and layers. */
  readonly layers: readonly [ok: number, all: number] | null;
}

/** Three significant digits: what is shown, and what a link carries. */
export const rounded = (value: number): number => Number(value.toPrecision(3));

export function resultOf(title: string, macs: number, measurement: Measurement): Result {
  const { model, cold, throughput, profile, report, stallMs } = measurement;
  const engine = (name: EngineResult['name'], times: Times | null): EngineResult[] => {
    if (!times) return [];
    const interval = medianInterval(times.runs);
    return [
      {
        name,
        median: rounded(spread(times.runs).median),
        interval: interval && [rounded(interval.low), rounded(interval.high)],
        runs: times.runs.length,
        first: rounded(times.first),
      },
    ];
  };
  const maybe = (value: number | null | undefined) => (value === null || value === undefined ? null : rounded(value));
  return {
    model: title,
    version,
    browser: browserName(navigator.userAgent),
    adapter: model.device === 'webgpu' ? adapterText(model.adapter) : 'none',
    macs,
    engines: [
      ...engine('WebGPU', measurement.gpu),
      ...engine('CPU engine', measurement.wasm),
      ...engine('CPU reference', measurement.cpu),
    ],
    cold: [cold.read, cold.ready, cold.firstResult, cold.tuned].map(maybe),
    framesPerSecond: maybe(throughput?.framesPerSecond),
    hostMs: maybe(throughput?.hostMs),
    gpuMs: maybe(profile?.layers.reduce((sum, { ms }) => sum + ms, 0)),
    stallMs: rounded(stallMs),
    layers: report && [report.layers.filter(({ ok }) => ok).length, report.layers.length],
  };
}

/** "Firefox 153", "Chrome 156". */
export function browserName(agent: string): string {
  for (const [name, pattern] of [
    ['Firefox', /Firefox\/(\d+)/],
    ['Edge', /Edg\/(\d+)/],
    ['Chrome', /Chrome\/(\d+)/],
    ['Safari', /Version\/(\d+).*Safari/],
  ] as const) {
    const major = pattern.exec(agent)?.[1];
    if (major) return `${name} ${major}`;
  }
  return 'another browser';
}
