/** The package as npm would publish it: what it holds, what its declarations say, and that tools agree with its manifest. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifest, node, npm, packPackage } from '../support/packed.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mobilenet-webgpu-package-'));
const types = join(folder, 'package', 'dist', 'types');
let tarball = '';
let files: string[] = [];

beforeAll(async () => {
  ({ tarball, files } = await packPackage(folder));
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true }));

it('holds the build, licence, readme and changelog, and nothing else', () => {
  const rest = files.filter((path) => !path.startsWith('dist/'));
  expect(rest.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
  const entries = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry as Record<string, string>),
  );
  const named = [...entries, ...Object.values(manifest.bin ?? {}), manifest.main, manifest.types, manifest.unpkg];
  expect(named.length).toBeGreaterThan(5);
  for (const path of named as string[]) expect(files, path).toContain(path.replace(/^\.\//, ''));
  expect(manifest.jsdelivr).toBe(manifest.unpkg);
  expect(files).toContain(`${manifest.unpkg.replace(/^\.\//, '')}.map`);
  // A user installs this package alone.
  expect(manifest.dependencies).toBeUndefined();
});

it('has types first in every export', () => {
  for (const [name, entry] of Object.entries(manifest.exports)) {
    if (typeof entry === 'object') expect([name, ...Object.keys(entry as object)]).toEqual([name, 'types', 'default']);
  }
});

it('is as publint wants it', async () => {
  const { messages, pkg } = await publint({ pkgDir: join(folder, 'package'), strict: true });
  expect(messages.map((message) => formatMessage(message, pkg!))).toEqual([]);
});

it('is as "are the types wrong" wants it', async () => {
  const cli = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  // It ends with 1 where there is a problem, and says which on standard output.
  const said = node(folder, cli, tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-color');
  expect(await said.catch((error: { stdout: string }) => new Error(error.stdout))).toContain('(ESM)');
});

it('would be published', async () => {
  expect(await npm(join(folder, 'package'), 'publish', '--dry-run', '--json')).toContain(manifest.name);
});

describe('declarations', () => {
  /** But of what graphs and plans are made of. */
  const read = () =>
    readdirSync(types)
      .filter((name) => name !== 'internals.d.ts')
      .map((name) => ({ name, text: readFileSync(join(types, name), 'utf8') }));

  it('name no type that an entry does not export', () => {
    const exported = new Set<string>();
    for (const { name, text } of read()) {
      if (name.startsWith('shared')) continue;
      for (const [, list] of text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)) {
        for (const each of list!.split(','))
          exported.add(
            each
              .trim()
              .replace(/^type /, '')
              .split(' as ')[0]!,
          );
      }
    }
    const declared = read().flatMap(({ text }) =>
      [...text.matchAll(/^(?:declare (?:abstract )?class|interface|type) (\w+)/gm)].map(([, name]) => name!),
    );
    expect(declared.length).toBeGreaterThan(50);
    expect(declared.filter((name) => !exported.has(name))).toEqual([]);
  });

  it('change only where the change is announced', async () => {
    // Announce it in CHANGELOG.md, by the rules of docs/versions.md; then: npx vitest run --project node test/package -u
    const plain = read().map(({ name, text }) => ({ name, text: text.replace(/\/\*\*[\s\S]*?\*\/\n?/g, '') }));
    // Which file a declaration lies in is none of a user's business, nor how it is called there.
    const declarations = plain.flatMap(({ text }) =>
      text
        .split(/^(?=(?:declare|interface|type|import|export|\/\/\/) )/m)
        .map((part) => part.replace(/\$\d+\b/g, '').trim()),
    );
    const own = declarations.filter((part) => !/^(?:import|export|\/\/\/) ?/.test(part) && part !== '');
    await expect(`${[...new Set(own)].sort().join('\n')}\n`).toMatchFileSnapshot('api/declarations.txt');
    const entries = plain
      .filter(({ name }) => !name.startsWith('shared'))
      .map(({ name, text }) => {
        const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) => list!.split(','));
        const names = lists.map((each) =>
          each
            .trim()
            .replace(/^type /, '')
            .replace(/^.* as /, ''),
        );
        return `${name.replace('.d.ts', '')}: ${names.sort().join(', ')}\n`;
      });
    await expect(entries.sort().join('')).toMatchFileSnapshot('api/entries.txt');
  });
});

describe('a user of', () => {
  const use = join(folder, 'use');
  const compilers = { 'TypeScript 7': 'typescript/lib/tsc.js', 'TypeScript 5.9': 'typescript-5.9/lib/tsc.js' };
  const program = `
    import { load, type Model, UsageError } from 'mobilenet-webgpu';
    import { load as loadInNode } from 'mobilenet-webgpu/node';
    import { detect } from 'mobilenet-webgpu/tasks';
    export const model: Model = await load('v1-0.25-32', { device: 'auto' });
    export const same: Model = await loadInNode('model.tflite');
    export const label: string | null = (await model.classify({ width: 1, height: 1, data: new Uint8Array(4) }))[0]!.label;
    export const x: number = (await detect(model, { width: 1, height: 1, data: new Uint8Array(4) }))[0]!.box[0];
    export const wrong: boolean = new UsageError('x').code === 'usage';
    // @ts-expect-error: there is no such device
    await load('v1-0.25-32', { device: 'quantum' });
  `;

  beforeAll(async () => {
    mkdirSync(join(use, 'node_modules'), { recursive: true });
    symlinkSync(join(folder, 'package'), join(use, 'node_modules', manifest.name));
    writeFileSync(join(use, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(use, 'use.ts'), program);
    writeFileSync(join(use, 'empty.ts'), 'export {};');
  });

  /** What the compiler says of a file, a line each. */
  async function errorsOf(compiler: string, file: string, resolution: string, webgpu: boolean): Promise<string[]> {
    const config = {
      compilerOptions: {
        ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true, target: 'ES2022' },
        ...(resolution === 'NodeNext' ? { module: 'NodeNext' } : { module: 'ESNext', moduleResolution: resolution }),
        lib: ['ES2022', 'DOM'],
        types: webgpu ? ['@webgpu/types'] : [],
        typeRoots: [join(root, 'node_modules'), join(root, 'node_modules/@types')],
        preserveSymlinks: true,
      },
      files: [file],
    };
    const name = `${compiler.split('/')[0]}-${file}-${resolution}-${webgpu}.json`;
    writeFileSync(join(use, name), JSON.stringify(config));
    const tsc = join(root, 'node_modules', compiler);
    const said = await node(use, tsc, '-p', name).catch((error: { stdout: string }) => error.stdout);
    return said.split('\n').filter(Boolean);
  }

  it.each(Object.entries(compilers))('%s compiles it, libraries checked', async (name, compiler) => {
    expect(await errorsOf(compiler, 'use.ts', 'Bundler', false)).toEqual([]);
    expect(await errorsOf(compiler, 'use.ts', 'NodeNext', false)).toEqual([]);
    // @webgpu/types goes against the DOM library of TypeScript 7 by itself: no more errors than of an empty program.
    const alone = name === 'TypeScript 7' ? await errorsOf(compiler, 'empty.ts', 'Bundler', true) : [];
    expect(await errorsOf(compiler, 'use.ts', 'Bundler', true)).toEqual(alone);
  });
});
