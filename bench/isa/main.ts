import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { oneOf, runToExitCode } from '../../src/cli/command.ts';
import type { Io } from '../../src/cli/io.ts';
import { UsageError } from '../../src/errors.ts';
import { type CompiledFor, gpus } from './gpus.ts';
import { type Shader, shadersOf } from './shaders.ts';
import { markdown, type Row, type Seen } from './table.ts';

const help = `usage: npm run bench -- --isa TOOL [--gpu NAME,…] [--model ID,…] [--precision P,…] [--plan P,…] [--only REGEXP] [--json]

What GPUs' compilers make of the kernels that each GPU starts with, on a machine without them: spills, registers, lanes.
TOOL is a folder with isa.mjs, which runs a Node program on Mesa's compilers, faked by Debian's mesa-drm-shim, and prints
a row of figures a pipeline (isa.mjs --gpu NAME --json -- node PROGRAM). --only: of rows of the table, such as depthwise.
Exit code 1: a kernel spills or leaves lanes idle, or was not compiled.`;

const networks = 'v1-1.0-224,v2-1.0-224,v3-large-1.0-224,v3-small-1.0-224,v4-conv-small-224';

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

function parse(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      isa: { type: 'string' },
      gpu: { type: 'string', default: gpus.map(({ name }) => name).join(',') },
      model: { type: 'string', default: networks },
      precision: { type: 'string', default: 'float32,float16-storage,float16' },
      plan: { type: 'string', default: 'unfused' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      'no-install': { type: 'boolean' },
    },
  });
  const tool = join(values.isa ?? '', 'isa.mjs');
  if (!existsSync(tool)) throw new UsageError(`--isa is "${values.isa}", where there is no isa.mjs`);
  const chosen = values.gpu.split(',').map((name) => {
    const gpu = gpus.find((each) => each.name === name);
    if (!gpu) throw new UsageError(`--gpu is "${name}", expected ${gpus.map((each) => each.name).join(', ')}`);
    return gpu;
  });
  return {
    tool,
    chosen,
    only: new RegExp(values.only),
    json: values.json,
    models: values.model.split(','),
    precisions: values.precision
      .split(',')
      .map((word) => oneOf('precision', word, ['float32', 'float16', 'float16-storage'] as const)),
    plans: values.plan.split(',').map((word) => oneOf('plan', word, ['unfused', 'fused'] as const)),
  };
}

async function run({ tool, chosen, only, json, ...options }: ReturnType<typeof parse>, io: Io): Promise<number> {
  const seen: Seen[] = [];
  for (const gpu of chosen) {
    const shaders = (await shadersOf(gpu, options)).filter(({ layer }) => only.test(layer));
    io.stderr.write(`${gpu.title}: ${shaders.length} pipelines …\n`);
    const rows = await compiled(tool, gpu, shaders, io);
    for (const { label, layer, kernel, precision } of shaders) {
      seen.push({ gpu, layer, kernel, precision, row: rows.find((row) => row.label === label) ?? null });
    }
  }
  const bad = seen.filter(({ row }) => row === null || row.spills + (row.fills || 0) > 0 || row['lanes %'] < 100);
  io.stdout.write(json ? `${JSON.stringify(seen)}\n` : markdown(seen, chosen));
  io.stderr.write(`${seen.length} pipelines, ${bad.length} with spills or idle lanes\n`);
  return bad.length > 0 ? 1 : 0;
}

/** What the tool says of each shader. */
function compiled(tool: string, gpu: CompiledFor, shaders: readonly Shader[], { signal, stderr }: Io): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'isa-'));
  const file = join(folder, 'shaders.json');
  writeFileSync(file, JSON.stringify(shaders.map(({ label, spec }) => ({ label, spec }))));
  const program = fileURLToPath(new URL('compile.mjs', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tool, '--gpu', gpu.name, '--json', '--', 'node', program, file], { signal });
    const texts: string[] = [];
    child.stdout.on('data', (text) => texts.push(String(text)));
    child.stderr.on('data', (text) => stderr.write(text));
    child.on('error', reject);
    child.on('close', () => {
      rmSync(folder, { recursive: true });
      try {
        resolve(JSON.parse(texts.join(''))[gpu.name] ?? []);
      } catch {
        reject(new UsageError(`${tool} gave no rows for ${gpu.name}: ${texts.join('').slice(0, 200)}`));
      }
    });
  });
}
