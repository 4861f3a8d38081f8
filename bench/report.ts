import { table } from '../src/cli/table.ts';
import type { AdapterDescription } from '../src/index.ts';
import type { Results, Row } from './results.ts';

/** The adapter in one line. Firefox does not name it. */
export function adapterName(adapter: AdapterDescription | null): string {
  if (!adapter) return 'no WebGPU adapter';
  const { vendor, architecture, description } = adapter;
  return [vendor, architecture, description].filter(Boolean).join(' ') || 'an adapter that does not name itself';
}

/** Heads and cells of the table of results; ratios are to this engine on WebGPU. */
export function resultTable(rows: readonly Row[]): { head: string[]; body: string[][] } {
  const ours = rows.find(({ name, device }) => name === 'mobilenet-webgpu' && device === 'webgpu');
  const head = [
    ...['engine', 'device', '', 'median ms', 'ratio', 'p95 ms', 'host ms', 'frames/s', 'in flight', 'first ms'],
    ...['ratio', 'start ms', 'dispatches', 'submits', 'GPU MB', 'download MB', 'largest difference'],
  ];
  const body = rows.map((row) => [
    `${row.name}${row.version ? ` ${row.version}` : ''}`,
    row.device,
    row.ok ? 'ok' : 'FAILED',
    threeDigits(row.medianMs),
    ratio(row.medianMs, ours?.medianMs),
    threeDigits(row.p95Ms),
    threeDigits(row.hostMs),
    threeDigits(row.framesPerSecond),
    row.framesInFlight === null ? '–' : String(row.framesInFlight),
    threeDigits(row.firstMs),
    ratio(row.firstMs, ours?.firstMs),
    threeDigits(row.startMs),
    row.dispatches === null ? '–' : String(row.dispatches),
    row.submits === null ? '–' : String(row.submits),
    megabytes(row.gpuBytes),
    megabytes(row.downloadBytes),
    row.maxAbsDiff === null ? '–' : row.maxAbsDiff === Number.MAX_VALUE ? '∞' : row.maxAbsDiff.toExponential(1),
  ]);
  return { head, body };
}

/** Results for a terminal. */
export function describe(results: Results): string {
  const { head, body } = resultTable(results.engines);
  const failures = results.engines.flatMap(({ name, device, error }) =>
    error ? [`${name} (${device}): ${error}\n`] : [],
  );
  const notes = results.engines.flatMap(({ name, device, note }) => (note ? [`${name} (${device}): ${note}\n`] : []));
  const { model, plan, threads, browser, adapter } = results;
  return [
    `${model}, ${plan} plan, ${browser} on ${adapterName(adapter)}, ${threads} threads of WebAssembly\n`,
    table([head, ...body]),
    ...(notes.length > 0 ? [notes.join('')] : []),
    failures.length > 0 ? failures.join('') : 'All outputs are those of the CPU reference.\n',
  ].join('\n');
}

const threeDigits = (value: number | null): string =>
  value === null ? '–' : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

const ratio = (value: number | null, base: number | null | undefined): string =>
  value === null || !base ? '–' : `${(value / base).toPrecision(3)} ×`;

const megabytes = (value: number | null): string => (value === null ? '–' : (value / 1e6).toFixed(1));
