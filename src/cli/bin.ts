#!/usr/bin/env node
/** The command of the package: mobilenet-webgpu COMMAND [ARGUMENTS]. */
import type { Io } from './io.ts';

type Main = (argv: readonly string[], io: Io) => Promise<number>;

const commands: Readonly<Record<string, readonly [about: string, main: () => Promise<Main>]>> = {
  classify: ['the best classes of pictures', async () => (await import('./classify.ts')).main],
  detect: ['objects in pictures', async () => (await import('./detect.ts')).main],
  pose: ['people in pictures, by keypoints', async () => (await import('./pose.ts')).main],
  segment: ['what pixels of pictures show', async () => (await import('./segment.ts')).main],
  embed: ['the features that a classifier reads of pictures', async () => (await import('./embed.ts')).main],
  inspect: ['parameters, multiplications and the plan of a model', async () => (await import('./inspect.ts')).main],
  validate: ['every layer on WebGPU against the CPU reference', installedValidate],
  convert: ['a model as one file that opens sooner; float16 weights', async () => (await import('./convert.ts')).main],
  fetch: ['models of the catalogue, to serve them yourself', async () => (await import('./fetch.ts')).main],
  doctor: ['what WebGPU is here, to paste into a report', async () => (await import('./doctor.ts')).main],
};

async function installedValidate(): Promise<Main> {
  const { validateWith } = await import('./validate-command.ts');
  return validateWith((await import('./validate-installed.ts')).whereThereIsWebGpu);
}

const help = `usage: mobilenet-webgpu COMMAND [ARGUMENTS]; --help after a command says which

${Object.entries(commands)
  .map(([name, [about]]) => `  ${name.padEnd(10)}${about}`)
  .join('\n')}
`;

const [name = '', ...argv] = process.argv.slice(2);
if (name === '--help' || name === '-h') process.stdout.write(help);
else if (name === '--version') process.stdout.write(`${(await import('../version.ts')).version}\n`);
else if (!Object.hasOwn(commands, name)) {
  process.stderr.write(name === '' ? help : `unknown command "${name}"\n${help}`);
  process.exitCode = 2;
} else {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));
  const main = await commands[name]![1]();
  const { stdout, stderr } = process;
  const terminal = stdout.isTTY && stderr.isTTY ? { columns: stdout.columns } : undefined;
  const code = await main(argv, { stdout, stderr, signal: interrupt.signal, terminal, program: 'mobilenet-webgpu' });
  // Everything written is flushed before the process ends; Dawn would keep it alive.
  stdout.write('', () => process.exit(code));
}
