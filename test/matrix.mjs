#!/usr/bin/env node
// The tables of kernels on every stack of WebGPU that this machine can have: npm run matrix -- [--stack NAME]… [--every N] [--resume] [--write]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { given, known } from './support/given.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The last rows of the table. */
const [CASES, EVERY] = ['cases', 'of them, one in'];
const full = { device: 'full', precision: 'float32' };
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** By name: where it runs, on which device, at which precision, and the environment that it needs, or why there is none. */
const stacks = {
  chromium: { ...full, where: 'chrome' },
  'chromium, halves packed': { ...full, where: 'chrome', precision: 'float16-packed' },
  'chromium, default limits': { ...full, where: 'chrome', device: 'default-limits' },
  'chromium, compatibility': { ...full, where: 'chrome', device: 'compatibility' },
  firefox: { ...full, where: 'firefox' },
  'firefox, float16': { ...full, where: 'firefox', precision: 'float16' },
  'firefox, 128 invocations': { ...full, where: 'firefox', device: '128-invocations' },
  'node, SwiftShader': { ...full, where: 'node', environment: onSwiftShader },
  // Its compiler takes seconds for each variant.
  'node, lavapipe': { ...full, where: 'node', variants: false, sparser: 2, environment: onLavapipe },
  'node, lavapipe, float16': {
    ...full,
    where: 'node',
    precision: 'float16',
    variants: false,
    sparser: 2,
    environment: onLavapipe,
  },
};

const help = `usage: npm run matrix -- [--stack NAME]… [--every N] [--resume] [--write]
Without --stack all of them run, one after another; --every N: a case in N; --resume: not those that ran with that N before;
--write: into docs/matrix.md, where those that did not run stay as they are. The stacks:
${Object.keys(stacks)
  .map((name) => `  ${name}`)
  .join('\n')}
`;

const options = {
  stack: { type: 'string', multiple: true },
  every: { type: 'string', default: '1' },
  resume: { type: 'boolean' },
  write: { type: 'boolean' },
};
const values = given(help, options, ({ stack, every }) => {
  known('stack', stack, Object.keys(stacks));
  if (!(Number(every) >= 1)) throw new Error(`--every is "${every}", expected a number of at least 1`);
});

const files = readdirSync(join(root, 'test/kernels'))
  .map((name) => `test/kernels/${name}`)
  .filter(
    (path) => path.endsWith('.gpu.test.ts') && /describe(Kernel|Variants)/.test(readFileSync(join(root, path), 'utf8')),
  );
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
/** What stacks came to, kept for `--resume`: they take minutes each. */
const kept = join(root, '.cache', 'matrix');
mkdirSync(kept, { recursive: true });
const columns = (values.stack ?? Object.keys(stacks)).map((name) => {
  const { environment = () => ({ env: {} }), sparser = 1, ...stack } = stacks[name];
  const every = sparser * Number(values.every);
  const file = join(kept, `${name} every ${every}.json`);
  if (values.resume && existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  const { env, reason } = environment();
  if (reason) process.stdout.write(`${name}: left out: ${reason}\n`);
  const column = { name, reason, every, lines: reason ? [] : run({ name, ...stack }, every, env) };
  if (!reason) writeFileSync(file, JSON.stringify(column));
  return column;
});
process.stdout.write(document(columns));
const page = join(root, 'docs/matrix.md');
if (values.write) writeFileSync(page, document(columns, standing(readFileSync(page, 'utf8'))));
const wrong = columns
  .flatMap(({ lines }) => lines)
  .flatMap(({ stack, kernel, wrong }) => wrong.map((one) => [stack, kernel, one]));
for (const one of wrong) process.stdout.write(`${one.join(': ')}\n`);
process.exitCode = wrong.length > 0 ? 1 : 0;

function run(stack, every, env) {
  const folder = mkdtempSync(join(tmpdir(), 'matrix-'));
  const results = join(folder, 'results');
  writeFileSync(results, '');
  try {
    const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', 'gpu', '--reporter', 'dot', ...files], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        ...env,
        MATRIX_STACK: JSON.stringify(stack),
        MATRIX_RESULTS: results,
        MATRIX_EVERY: String(every),
      },
    });
    const lines = readFileSync(results, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    // A worker that ends without a word leaves no line.
    const silent = status !== 0 && lines.every(({ wrong }) => wrong.length === 0);
    return silent
      ? [
          ...lines,
          {
            stack: stack.name,
            kernel: 'vitest',
            cases: 0,
            refused: 0,
            largest: 0,
            missing: [],
            wrong: [`ended with ${status}`],
          },
        ]
      : lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withoutDawn() {
  try {
    createRequire(import.meta.url).resolve('webgpu');
    return null;
  } catch {
    return 'the package "webgpu" is not installed (npm install --no-save webgpu)';
  }
}

function onSwiftShader() {
  if (!existsSync(swiftShader)) return { reason: `there is no ${swiftShader}, which Debian's package chromium has` };
  return { env: { VK_DRIVER_FILES: swiftShader }, reason: withoutDawn() };
}

/** Mesa as Debian 12's backports have it, unpacked beside the installed one, which Dawn finds too old. */
function onLavapipe() {
  const reason = withoutDawn();
  if (reason) return { reason };
  const folder = join(root, 'node_modules', '.mesa');
  const driver = join(folder, 'usr/share/vulkan/icd.d/lvp_icd.json');
  if (!existsSync(driver)) {
    const failure = unpackMesa(folder);
    if (failure || !existsSync(driver))
      return { reason: `Mesa 25 cannot be had: ${failure ?? 'the package has no lavapipe'}` };
  }
  const [libraries] = readdirSync(join(folder, 'usr/lib')).map((name) => join(folder, 'usr/lib', name));
  return {
    env: {
      VK_DRIVER_FILES: driver,
      LD_LIBRARY_PATH: libraries,
      XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
    },
  };
}

/** The archive of Debian that apt is set up with, if any. */
function debianArchive() {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(SITE)'], { encoding: 'utf8' });
  return stdout?.split('\n').find((site) => /\/debian\/?$/.test(site));
}

/** Why not; null where it is there. */
function unpackMesa(folder) {
  const archive = debianArchive();
  if (!archive) return 'apt is not set up with an archive of Debian';
  const apt = mkdtempSync(join(tmpdir(), 'matrix-apt-'));
  try {
    for (const name of ['lists/partial', 'debs/partial']) mkdirSync(join(apt, name), { recursive: true });
    const signed = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';
    const source = (suite) => `deb ${signed} ${archive} ${suite} main\n`;
    writeFileSync(join(apt, 'sources.list'), source('bookworm') + source('bookworm-backports'));
    const options = [
      `Dir::Etc::sourcelist=${apt}/sources.list`,
      'Dir::Etc::sourceparts=-',
      `Dir::State::Lists=${apt}/lists`,
      `Dir::Cache=${apt}`,
      `Dir::Cache::archives=${apt}/debs`,
      'APT::Sandbox::User=root',
    ].flatMap((option) => ['-o', option]);
    const download = ['-y', '-t', 'bookworm-backports', '--download-only', '--no-install-recommends', '--reinstall'];
    const steps = [['update'], ['install', ...download, 'mesa-vulkan-drivers']].map((step) => [
      'apt-get',
      [...options, ...step],
    ]);
    for (const [command, parameters] of steps) {
      const { status, error, stderr } = spawnSync(command, parameters, { encoding: 'utf8' });
      if (status !== 0) return error?.message ?? stderr.trim().split('\n').at(-1);
    }
    for (const name of readdirSync(join(apt, 'debs')).filter((one) => one.endsWith('.deb'))) {
      const { status, error, stderr } = spawnSync('dpkg', ['-x', join(apt, 'debs', name), folder], {
        encoding: 'utf8',
      });
      if (status !== 0) return error?.message ?? stderr.trim();
    }
    return null;
  } finally {
    rmSync(apt, { recursive: true, force: true });
  }
}

/** Variants of a kernel are one row. */
function familyOf(kernel) {
  return kernel.split('/', /^(half|byte)\//.test(kernel) ? 2 : 1).join('/');
}

/** What a stack came to by rows of the table. */
function cellsOf({ lines, every }) {
  const cells = {};
  for (const family of new Set(lines.map(({ kernel }) => familyOf(kernel)))) {
    const own = lines.filter(({ kernel }) => familyOf(kernel) === family);
    const sum = (count) => own.reduce((total, line) => total + count(line), 0);
    const [cases, refused, failed] = [
      sum((line) => line.cases),
      sum((line) => line.refused),
      sum((line) => line.wrong.length),
    ];
    const largest = Math.max(...own.map((line) => line.largest));
    const error = failed > 0 ? `**${failed} wrong**` : largest === 0 ? 'exact' : largest.toPrecision(2);
    cells[family] =
      cases > 0
        ? `${cases}, ${error}${refused > 0 ? `, ${refused} refused` : ''}`
        : own.find(({ missing }) => missing.length > 0)?.missing.join(', ');
  }
  return { ...cells, [CASES]: String(lines.reduce((total, line) => total + line.cases, 0)), [EVERY]: String(every) };
}

/** The cells of the table that stands in a document, by stack. */
function standing(text) {
  const [heads, , ...rows] = (text.match(/^\| .* \|$/gm) ?? []).map((line) => line.slice(2, -2).split(' | '));
  const columns = heads?.slice(1) ?? [];
  return Object.fromEntries(
    columns.map((name, i) => [name, Object.fromEntries(rows.map(([row, ...cells]) => [row, cells[i]]))]),
  );
}

/** `others`: cells of stacks that did not run. */
function document(columns, others = {}) {
  const ran = columns.filter(({ reason }) => !reason).map((column) => [column.name, cellsOf(column)]);
  const tables = { ...others, ...Object.fromEntries(ran) };
  const there = Object.keys(stacks).filter((name) => tables[name]);
  const families = new Set(there.flatMap((name) => Object.keys(tables[name])));
  const rows = [...[...families].filter((row) => row !== CASES && row !== EVERY).sort(), CASES, EVERY];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const left = columns.filter(({ reason }) => reason).map(({ name, reason }) => `Left out: ${name}: ${reason}.\n`);
  return [
    '# Kernels on stacks of WebGPU',
    '',
    'Made by `npm run matrix -- --write`, stack by stack. A row is a kernel with its variants; a cell has the cases that ran, each',
    'three times on an arena full of NaN, and the largest error as a share of its derived bound: 1 would be the bound, `exact` is no',
    'error. _Refused_: a typed error, as the variant needs a limit that the device has not. `–`: the kernel is not for that precision.',
    '',
    'Chromium is Dawn on SwiftShader, Firefox wgpu and naga on lavapipe, Node Dawn. Default limits: a device for which nothing was asked.',
    "Compatibility: `featureLevel: 'compatibility'`, of 128 invocations a workgroup; Firefox has none, and is kept to 128 by a wrapper.",
    'Node on lavapipe (Mesa 25) runs no variants, and half as many cases.',
    '',
    line(['kernel', ...there]),
    line(['---', ...there.map(() => '---')]),
    ...rows.map((row) => line([row, ...there.map((name) => tables[name][row] ?? '–')])),
    '',
    ...left,
  ].join('\n');
}
