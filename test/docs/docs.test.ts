/** Documents: no dead link, parts that are made from the code are what their commands print, device results fit their schema. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../scripts/docs.ts';
import { anchorsOf, documents, linksOf } from './documents.ts';

it('have no dead link', () => {
  const all = documents();
  const byPath = new Map(all.map((document) => [document.path, document]));
  expect(all.length).toBeGreaterThan(15);
  const dead = all.flatMap((document) =>
    linksOf(document).flatMap((link) => {
      if (/^(https?|mailto):/.test(link)) return [];
      const [file = '', anchor] = link.split('#');
      const path = file === '' ? document.path : posix.join(posix.dirname(document.path), file);
      if (!existsSync(path)) return [`${document.path}: ${link}`];
      const target = byPath.get(path);
      return anchor && target && !anchorsOf(target).has(anchor) ? [`${document.path}: ${link}`] : [];
    }),
  );
  expect(dead).toEqual([]);
});

describe('made from the code', () => {
  const printedBy = async (name: string) => {
    let printed = '';
    const stdout = {
      write: (text: string) => {
        printed += text;
      },
    };
    expect(await main([name], { stdout, stderr: stdout, signal: new AbortController().signal })).toBe(0);
    return printed;
  };

  it.each(['kernels', 'supported', 'devices', 'classes', 'peers'])(
    'docs/%s.md is what its command prints',
    async (name) => {
      const printed = await printedBy(name);
      expect(readFileSync(`docs/${name}.md`, 'utf8'), `node scripts/docs.mjs ${name} > docs/${name}.md`).toBe(printed);
    },
  );

  it('the table of peers in README.md is what its command prints', async () => {
    const printed = await printedBy('peers-summary');
    expect(printed.split('\n').length).toBeGreaterThan(3);
    expect(readFileSync('README.md', 'utf8'), 'node scripts/docs.mjs peers-summary').toContain(printed);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: a JSON schema
function misfits(value: unknown, schema: any, place: string): string[] {
  const kinds: string[] = [schema.type ?? []].flat();
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const fits = (one: string) => one === kind || (one === 'integer' && Number.isInteger(value));
  if (kinds.length > 0 && !kinds.some(fits)) return [`${place} is ${kind}, expected ${kinds.join(' or ')}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${place} is ${value}, expected one of ${schema.enum}`];
  if (typeof value === 'number' && value < (schema.minimum ?? Number.NEGATIVE_INFINITY))
    return [`${place} is ${value}`];
  if (Array.isArray(value)) {
    const length =
      value.length >= (schema.minItems ?? 0) && value.length <= (schema.maxItems ?? Number.POSITIVE_INFINITY);
    if (!length) return [`${place} has ${value.length} items`];
    return value.flatMap((item, i) => misfits(item, schema.items ?? {}, `${place}[${i}]`));
  }
  if (kind !== 'object') return [];
  const object = value as Record<string, unknown>;
  const missing = (schema.required ?? []).filter((key: string) => !Object.hasOwn(object, key));
  const unknown =
    schema.additionalProperties === false ? Object.keys(object).filter((key) => !schema.properties[key]) : [];
  return [
    ...missing.map((key: string) => `${place}.${key} is missing`),
    ...unknown.map((key) => `${place}.${key} is unknown`),
    ...Object.entries(object).flatMap(([key, item]) =>
      misfits(item, schema.properties?.[key] ?? {}, `${place}.${key}`),
    ),
  ];
}

it('results of devices fit their schema', () => {
  const schema = JSON.parse(readFileSync('docs/devices/schema.json', 'utf8'));
  const names = readdirSync('docs/devices').filter((name) => name !== 'schema.json');
  expect(names.length).toBeGreaterThanOrEqual(2);
  for (const name of names) {
    expect(misfits(JSON.parse(readFileSync(`docs/devices/${name}`, 'utf8')), schema, name), name).toEqual([]);
  }
  expect(misfits({ device: 'x', system: 1, result: { engines: [] } }, schema, 'wrong')).toContain(
    'wrong.system is number, expected string',
  );
});
