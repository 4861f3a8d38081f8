/** What the package is made of: where it comes from, and on which terms. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Locked {
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

const { lockfileVersion, packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, Locked>>;
};
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const locked = Object.entries(packages).filter(([path]) => path !== '');
const ours = new Set(
  ['dependencies', 'peerDependencies', 'devDependencies'].flatMap((kind) => Object.keys(manifest[kind] ?? {})),
);

/** Terms that ask no more of users than to name the authors. */
const permissive = [
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'Apache-2.0 AND MIT',
  'MIT OR Apache-2.0',
];
/** Of tools that only developers run. */
const ofTools = [
  ...permissive,
  'MPL-2.0',
  'BlueOak-1.0.0',
  'Python-2.0',
  'CC-BY-4.0',
  'LGPL-3.0-only',
  '(MIT OR CC0-1.0)',
];

it('every package of the lock file has a hash, comes from the registry, and is wanted', () => {
  expect(lockfileVersion).toBe(3);
  expect(locked.length).toBeGreaterThan(50);
  const faults = locked.flatMap(([path, { integrity, resolved, link }]) => {
    if (link) return [`${path} is a link`];
    if (!integrity?.startsWith('sha512-')) return [`${path} has no SHA-512`];
    return resolved === undefined || resolved.startsWith('https://') ? [] : [`${path} comes from ${resolved}`];
  });
  expect(faults).toEqual([]);
  for (const name of ours) expect(packages[`node_modules/${name}`], name).toBeDefined();
  const stated = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  // An address, a folder or a branch has no hash that a lock file could hold.
  expect(stated.filter(([, range]) => /[:/]/.test((range as string).replace(/^npm:[a-z-]+@/, '')))).toEqual([]);
});

/** Packages whose code is part of what is built: all that the engine imports, but for peers, which a user installs. */
function bundled(): Set<string> {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.startsWith('cli'),
  );
  const names = files.flatMap((path) =>
    [...readFileSync(`src/${path}`, 'utf8').matchAll(/(?:from|import\() ?'([^.'][^']*)'/g)].map(([, name]) =>
      name!
        .split('/')
        .slice(0, name!.startsWith('@') ? 2 : 1)
        .join('/'),
    ),
  );
  return new Set(names.filter((name) => !name.startsWith('node:') && !manifest.peerDependencies?.[name]));
}

it('what is bundled runs nothing when it is installed, and has permissive terms; tools have known ones', () => {
  const parts = bundled();
  expect([...parts].sort()).toEqual(['@noble/hashes', 'fflate', 'flatbuffers', 'idb-keyval', 'pbf']);
  const faults = locked.flatMap(([path, { license = 'none', hasInstallScript }]) => {
    const isPart = parts.has(path.replace(/^.*node_modules\//, ''));
    const terms = isPart ? permissive : ofTools;
    return [
      ...(terms.includes(license) ? [] : [`${path}: ${license}`]),
      ...(hasInstallScript && isPart ? [`${path} has an install script`] : []),
    ];
  });
  expect(faults).toEqual([]);
});

it('has no package with known faults', (context) => {
  const { status, stdout } = spawnSync(process.execPath, ['scripts/audit.mjs'], { encoding: 'utf8' });
  if (stdout.startsWith('not audited: ')) context.skip(stdout.split('\n')[0]);
  expect(stdout).toContain('audited');
  expect(status, stdout).toBe(0);
});
