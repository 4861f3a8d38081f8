import { readFileSync } from 'node:fs';
import { type BuildEnvironmentOptions, build, defineConfig, type Plugin, type UserConfig } from 'vite';
import { importsLength, type Names, ownNames, shifted, withOwnNames } from './scripts/own-names.ts';
import { chunkGroups, compactShaders } from './scripts/package-parts.ts';

/** A chunk's shaders before its kernels: texts of one language that stand together compress better. */
function shadersTogether(): Plugin {
  const folder = new URL('src/kernels/', import.meta.url);
  const found = (file: string, pattern: RegExp) => readFileSync(new URL(file, folder), 'utf8').match(pattern) ?? [];
  /** By modules with which chunks begin: the kernels there. */
  const kernels: Readonly<Record<string, readonly string[]>> = {
    '/src/index.ts': found('index.ts', /(?<=from '\.\/)[\w-]+\.ts/g),
    '/src/kernels/variants.ts': [
      ...found('variants.ts', /(?<=from '\.\/)[\w-]+\.ts/g),
      ...['image-to-tensor.ts', 'rank-classes.ts', 'trial-values.ts', 'largest-difference.ts'],
    ],
  };
  return {
    name: 'shaders-together',
    transform(code, id) {
      const first = Object.keys(kernels).find((path) => id.endsWith(path));
      if (!first) return null;
      const shaders = kernels[first]!.flatMap((kernel) => found(kernel, /(?<=\/)shaders\/[\w-]+\.wgsl\?raw/g));
      const up = '../'.repeat(first.split('/').length - 2);
      return { code: shaders.map((path) => `import '${up}${path}';`).join('') + code, map: null };
    },
  };
}

/** `onnx` for src/loaders/onnx/index.ts, `onnx-fold` for fold.ts beside it: a chunk's name in a network log tells what it reads. */
function loaderOf(module: string | null): string | null {
  if (module?.includes('/src/writers/')) return 'writer';
  const [, folder, file] = /\/src\/loaders\/([\w-]+)\/([\w-]+)\.ts$/.exec(module ?? '') ?? [];
  return folder ? (file === 'index' ? folder : `${folder}-${file}`) : null;
}

/** What is imported by a name known at run time alone, bundlers of users leave as it is: comments are gone by now. */
function keepImports(): Plugin {
  return {
    name: 'keep-imports',
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== 'chunk') continue;
        file.code = file.code.replace(/\bimport\((?!["'`])/g, 'import(/*webpackIgnore:true*//*@vite-ignore*/');
      }
    },
  };
}

function ownNamesInLists(): Plugin {
  const none: Names = new Map();
  return {
    name: 'own-names',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
      const codes = chunks.map(({ code }) => code);
      const shared = chunks.filter(({ isEntry }) => !isEntry);
      const names = new Map(shared.map(({ fileName, code }) => [fileName, ownNames(fileName, code, codes)]));
      const of = (file: string) => names.get(file) ?? none;
      for (const chunk of chunks) {
        const before = importsLength(chunk.code);
        chunk.code = withOwnNames(chunk.code, of(chunk.fileName), of);
        const map = bundle[`${chunk.fileName}.map`];
        if (map?.type !== 'asset') continue;
        const parsed = JSON.parse(String(map.source));
        const mappings = shifted(parsed.mappings, importsLength(chunk.code) - before);
        map.source = JSON.stringify({ ...parsed, mappings });
      }
    },
  };
}

/** The worker's text, for pages of bundlers (src/worker-text.ts). */
function workerText(): Plugin {
  return {
    name: 'worker-text',
    async load(id) {
      if (!id.endsWith('/src/worker-text.ts')) return null;
      const { plugins, build: options } = oneFile;
      const lib = { entry: 'src/worker.ts', formats: ['es' as const] };
      const made = await build({
        configFile: false,
        logLevel: 'error',
        plugins: plugins!,
        build: { ...options, lib, write: false, sourcemap: false, license: false },
      });
      const [{ output }] = made as unknown as [{ output: [{ code: string }] }];
      return `export default ${JSON.stringify(output[0].code)};`;
    },
  };
}

const common = {
  target: 'es2022',
  minify: true,
  sourcemap: true,
  license: { fileName: 'LICENSES.md' },
} as const satisfies BuildEnvironmentOptions;

/** For CDNs: all that a page may need in one file. */
const oneFile: UserConfig = {
  plugins: [compactShaders(), keepImports()],
  build: {
    ...common,
    lib: { entry: { 'mobilenet-webgpu': 'src/index.ts' }, formats: ['es'] },
    rolldownOptions: { output: { codeSplitting: false, minify: true, comments: { annotation: false } } },
  },
};

/**
 * The package: an entry for networks, the same with files and Dawn for Node (`node`), one for what detectors' outputs
 * mean (`tasks`), and a chunk for each loader, which is fetched when a file of its format is opened. What it uses is
 * bundled, with the licences beside it, so that a page needs no bundler.
 */
const modules: UserConfig = {
  plugins: [compactShaders(), shadersTogether(), keepImports(), workerText(), ownNamesInLists()],
  build: {
    ...common,
    lib: {
      entry: {
        index: 'src/index.ts',
        cpu: 'src/cpu/index.ts',
        analysis: 'src/analysis/index.ts',
        compat: 'src/compat/index.ts',
        labels: 'src/labels/index.ts',
        node: 'src/node/index.ts',
        tasks: 'src/tasks/index.ts',
        transfer: 'src/transfer/index.ts',
        worker: 'src/worker.ts',
      },
      formats: ['es'],
    },
    rolldownOptions: {
      external: /^node:/,
      output: {
        chunkFileNames: ({ facadeModuleId, name }) => `${loaderOf(facadeModuleId) ?? name}.js`,
        minify: true,
        comments: { annotation: false },
        codeSplitting: {
          groups: chunkGroups,
        },
      },
    },
  },
};

/** The command, in `cli`: it takes the public API from the modules beside its folder. */
const command: UserConfig = {
  ssr: { noExternal: true },
  plugins: [
    {
      name: 'entries-beside',
      enforce: 'pre',
      async resolveId(source, importer) {
        const path = (await this.resolve(source, importer, { skipSelf: true }))?.id ?? '';
        const [, entry] = /\/src\/(?:(\w+)\/)?index\.ts$/.exec(path) ?? [null, null];
        if (!importer?.includes('/src/cli/') || !path.includes('/src/')) return null;
        return /\/src\/((node|tasks)\/)?index\.ts$/.test(path)
          ? { id: `../${entry ?? 'index'}.js`, external: true }
          : null;
      },
    },
    compactShaders(),
  ],
  build: {
    ...common,
    target: 'node20',
    ssr: true,
    rolldownOptions: {
      input: { bin: 'src/cli/bin.ts' },
      external: [/^\.\.\/\w+\.js$/, 'puppeteer', '@puppeteer/browsers', 'vite'],
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name].js',
        minify: true,
        comments: { annotation: false },
      },
    },
  },
};

export default defineConfig(({ mode }) => ({ cdn: oneFile, cli: command })[mode] ?? modules);
