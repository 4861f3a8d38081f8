import { table } from '../src/cli/table.ts';
import type { AdapterDescription } from '../src/index.ts';
import { isOurs } from './engines/keys.ts';
import { type Results, type Rivalry, type Row, rivalry } from './results.ts';

/** The adapter in one line. Firefox does not name it. */
export function adapterName(adapter: AdapterDescription | null): string {
  if (!adapter) return 'no WebGPU adapter';
  const { vendor, architecture, description } = adapter;
  return [vendor, architecture, description].filter(Boolean).join(' ') || 'an adapter that does not name itself';
}

/** How a row differs from others of its engine. */
export const variantOf = ({ name, device, nudged, tuned, precision }: Row): string =>
  [
    isOurs({ name }) && device === 'webgpu' ? (tuned ? 'tuned' : 'as shipped') : '',
    nudged ? 'nudged' : '',
    precision === 'int8' || (precision.startsWith('float16') && isOurs({ name })) ? precision : '',
    precision.startsWith('float16') && !isOurs({ name }) ? 'fp16' : '',
  ]
    .filter(Boolean)
    .join(', ');

/** Heads and cells of the table of results; ratios are to this engine on WebGPU, tuned. */
export function resultTable(rows: readonly Row[]): { head: string[]; body: string[][] } {
  const ours = rows.find((row) => isOurs(row) && row.device === 'webgpu');
  const head = [
    ...['engine', 'device', 'way', '', 'median ms', 'ratio', 'p95 ms', 'host ms', 'frames/s', 'in flight', 'first ms'],
    ...[
      'ratio',
      'start ms',
      'tuning ms',
      'dispatches',
      'submits',
      'GPU MB',
      'download MB',
      'largest difference',
      'NMSE',
    ],
  ];
  const body = rows.map((row) => [
    `${row.name}${row.version ? ` ${row.version}` : ''}`,
    row.device,
    variantOf(row) || '–',
    row.ok ? 'ok' : row.error ? 'FAILED' : '…',
    threeDigits(row.medianMs),
    ratio(row.medianMs, ours?.medianMs),
    threeDigits(row.p95Ms),
    threeDigits(row.hostMs),
    threeDigits(row.framesPerSecond),
    row.framesInFlight === null ? '–' : String(row.framesInFlight),
    threeDigits(row.firstMs),
    ratio(row.firstMs, ours?.firstMs),
    threeDigits(row.startMs),
    threeDigits(row.tuningMs),
    row.dispatches === null ? '–' : String(row.dispatches),
    row.submits === null ? '–' : String(row.submits),
    megabytes(row.gpuBytes),
    megabytes(row.downloadBytes),
    exponential(row.maxAbsDiff),
    exponential(row.nmse),
  ]);
  return { head, body };
}

/** This engine beside the fastest peer, in words. */
export function verdicts(rows: readonly Row[]): string[] {
  const sentence = (
    what: string,
    time: 'medianMs' | 'firstMs',
    found: Rivalry | null,
    setting: (row: Row) => string,
  ) => {
    if (!found) return [];
    const { ours, rival, ratio } = found;
    const way = [variantOf(rival), setting(rival)].filter(Boolean).join('; ');
    const times = `${threeDigits(ours[time])} ms to ${threeDigits(rival[time])}`;
    return [`${what}: ${ratio.toFixed(2)} of the time of ${rival.name}${way ? ` (${way})` : ''}, ${times}.`];
  };
  return [
    ...sentence('Warm runs', 'medianMs', rivalry(rows, 'medianMs'), (row) => row.setting),
    ...sentence('First result', 'firstMs', rivalry(rows, 'firstMs'), (row) => row.firstSetting),
  ];
}

/** What there is to say of a row beside its numbers: what failed, or the settings that counted and how the model ran. */
export function remarks(rows: readonly Row[]): string[] {
  return rows.flatMap((row) => {
    const { name, device, setting, firstSetting, note, error, maxSteps } = row;
    const inWords = (chosen: string) => chosen || 'as it comes';
    const chosen = setting || firstSetting ? [`warm: ${inWords(setting)}; first: ${inWords(firstSetting)}`] : [];
    const steps = maxSteps === undefined ? [] : [`${maxSteps || 'no'} steps from the reference on integers`];
    const parts = error ? [`FAILED: ${error}`] : [...chosen, ...(note ? [note] : []), ...steps];
    const way = variantOf(row);
    return parts.length > 0 ? [`${name} (${device}${way ? `, ${way}` : ''}): ${parts.join('; ')}`] : [];
  });
}

/** Results for a terminal. */
export function describe(results: Results): string {
  const { model, plan, precision, threads, browser, adapter, pollsSlowly, engines } = results;
  const { head, body } = resultTable(engines);
  const wrong = engines.some(({ ok }) => !ok);
  return [
    `${model}, ${plan} plan, ${precision === 'half' ? 'half precision, ' : ''}${browser} on ${adapterName(adapter)}, ${threads} threads of WebAssembly\n`,
    table([head, ...body]),
    [...verdicts(engines), ...remarks(engines)].map((line) => `${line}\n`).join(''),
    pollsSlowly
      ? 'This browser looks at its queue only now and then: peers were measured nudged, too.\n'
      : 'This browser looks at its queue at once: nobody has to be nudged.\n',
    ...(wrong
      ? []
      : [`All outputs are those of the CPU reference${precision === 'half' ? ', to half precision' : ''}.\n`]),
  ].join('\n');
}

const threeDigits = (value: number | null): string =>
  value === null ? '–' : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

const ratio = (value: number | null, base: number | null | undefined): string =>
  value === null || !base ? '–' : `${(value / base).toPrecision(3)} ×`;

const megabytes = (value: number | null): string => (value === null ? '–' : (value / 1e6).toFixed(1));

const exponential = (value: number | null): string =>
  value === null ? '–' : value === Number.MAX_VALUE ? '∞' : value.toExponential(1);
