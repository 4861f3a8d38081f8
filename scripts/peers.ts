/** docs/peers.md and the table in README.md: this engine beside its peers, from what `npm run bench -- --json` printed. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isOurs } from '../bench/engines/keys.ts';
import { adapterName } from '../bench/report.ts';
import { type Results, type Row, rivalry } from '../bench/results.ts';
import { table } from './markdown.ts';

const folder = fileURLToPath(new URL('../docs/bench/', import.meta.url));

const names: Readonly<Record<string, string>> = {
  'mobilenet-webgpu': 'mobilenet-webgpu',
  litert: 'LiteRT.js',
  tfjs: 'TensorFlow.js',
  'onnxruntime-web': 'ONNX Runtime Web',
};

/** As they are shown, from left to right. */
const columns = (['webgpu', 'wasm'] as const).flatMap((device) =>
  Object.keys(names).flatMap((name) =>
    device === 'wasm' && isOurs({ name })
      ? []
      : [{ name, device, title: `${names[name]} ${device === 'wasm' ? 'WASM' : 'WebGPU'}` }],
  ),
);

type Figure = 'medianMs' | 'firstMs' | 'framesPerSecond';

const threeDigits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** The best row of an engine on a device: this engine's as it is used, a peer's nudged or not. */
function bestOf({ engines }: Results, { name, device }: Pick<Row, 'name' | 'device'>, figure: Figure): number | null {
  const rows = engines.filter((row) => row.ok && row.name === name && row.device === device);
  const used = isOurs({ name }) ? rows.filter(({ tuned }) => tuned || !rows.some((row) => row.tuned)) : rows;
  const values = used.flatMap((row) => row[figure] ?? []);
  if (values.length === 0) return null;
  return figure === 'framesPerSecond' ? Math.max(...values) : Math.min(...values);
}

/** The bench's results in the order of their networks. */
function resultsOf(): Results[] {
  const order = ['v1', 'v2', 'v3-large', 'v3-small', 'v4'];
  const place = ({ model }: Results) => (order.findIndex((name) => model.startsWith(name)) + 1 || 99) - 1;
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(`${folder}${name}`, 'utf8')) as Results)
    .sort((a, b) => place(a) - place(b));
}

/** "Chromium 156" of "Chrome/156.0.8078.114". */
function browserOf({ browser }: Results): string {
  const [name = '', version = ''] = browser.split('/');
  return `${/chrome/i.test(name) ? 'Chromium' : `${name[0]!.toUpperCase()}${name.slice(1)}`} ${version.split('.')[0]}`;
}

const groupOf = (results: Results): string =>
  `${browserOf(results)}${results.precision === 'auto' ? '' : `, precision ${results.precision}`}`;

function groups(): Map<string, Results[]> {
  const found = new Map<string, Results[]>();
  for (const results of resultsOf()) found.set(groupOf(results), [...(found.get(groupOf(results)) ?? []), results]);
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];

function section(title: string, group: readonly Results[]): string {
  const tableOf = (figure: Figure) => {
    const time = figure !== 'framesPerSecond';
    const rows = group.map((results) => {
      const found = time ? rivalry(results.engines, figure) : null;
      return [
        results.model,
        ...columns.map((column) => {
          const value = bestOf(results, column, figure);
          return value === null ? '–' : threeDigits(value);
        }),
        ...(time ? [found ? `**${found.ratio.toFixed(2)}**` : '–'] : []),
      ];
    });
    const head = ['network', ...columns.map((column) => column.title), ...(time ? ['of the fastest WebGPU peer'] : [])];
    return table(head, rows);
  };
  const rows = group.flatMap(({ engines }) => engines).filter(({ version }) => version !== '');
  const versions = unique(rows.map(({ name, version }) => `${names[name] ?? name} ${version}`));
  const wrong = group.flatMap(({ model, engines }) =>
    engines.filter(({ ok }) => !ok).map(({ name, device }) => `${names[name] ?? name} (${device}) on ${model}`),
  );
  return [
    `## ${title}`,
    '',
    [
      `${unique(group.map(({ browser }) => browser)).join(', ')} on ${unique(group.map(({ adapter }) => adapterName(adapter) + (adapter?.software ? ' (software)' : ''))).join(', ')}; ${unique(group.map(({ threads }) => String(threads))).join(', ')} threads of WebAssembly; ${unique(
        group.map(({ date }) => date),
      )
        .sort()
        .join(', ')}; ${versions.join(', ')}.`,
      wrong.length === 0
        ? 'Every output was that of the CPU reference.'
        : `Not shown, as they did not run or gave another output: ${wrong.join(', ')}.`,
    ].join(' '),
    '',
    'Median of a warm inference, upload and readback included, in milliseconds:',
    '',
    tableOf('medianMs'),
    '',
    'First result from bytes in memory in a fresh browser, shaders compiled, in milliseconds:',
    '',
    tableOf('firstMs'),
    '',
    'Frames a second, as many under way as serve the engine:',
    '',
    tableOf('framesPerSecond'),
  ].join('\n');
}

export const peers = (): string =>
  [
    '# Beside its peers',
    '',
    '<!-- Made by "node scripts/docs.mjs peers". -->',
    '',
    "What `npm run bench -- --browser B --model M --json` printed while nothing else ran on the machine is kept in [bench/](bench/), a file a run; these tables are made of it. The same weights and the same input for all; peers at the fastest of their settings, nudged where that helps ([how it is measured](../bench/README.md)). Absolute times are the machine's; compare within a line. To add a run: put its JSON into `docs/bench/`, then `node scripts/docs.mjs peers > docs/peers.md`, and put what `node scripts/docs.mjs peers-summary` prints into README.md.",
    '',
    [...groups()].map(([title, group]) => section(title, group)).join('\n\n'),
    '',
  ].join('\n');

/** For README.md: this engine and the fastest WebGPU peer of each network. */
export function peersSummary(): string {
  const rows = [...groups()].flatMap(([title, group]) =>
    group.map((results) => {
      const cells = (['medianMs', 'firstMs'] as const).flatMap((figure) => {
        const found = rivalry(results.engines, figure);
        if (!found) return ['–', '–', '–'];
        const { ours, rival, ratio } = found;
        return [
          `**${threeDigits(ours[figure]!)}**`,
          `${threeDigits(rival[figure]!)} (${names[rival.name]})`,
          ratio.toFixed(2),
        ];
      });
      return [title, results.model, ...cells];
    }),
  );
  const head = ['browser', 'network', 'warm, ms', 'fastest peer', 'ratio', 'first result, ms', 'fastest peer', 'ratio'];
  return `${table(head, rows)}\n`;
}
