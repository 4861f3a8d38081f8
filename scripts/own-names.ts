/** What chunks of the package share, by the names that it has inside of them: half of each list of exports. */
import { decode, encode } from '@jridgewell/sourcemap-codec';

/** By names of exports: those inside. */
export type Names = ReadonlyMap<string, string>;

/** `export{…}` of a chunk's own, at its end. */
const ownList = /\bexport\{([^}]*)\}(?=;?\s*(?:\/\/#.*)?\s*$)/;

/** `import{…}from"./chunk.js"`, and the like of `export`. */
const sharedList = /\b(import|export)\{([^}]*)\}from"\.\/([^"]+)"/g;

/** `import("./chunk.js").then(e=>e.name)`: a module that lies in a chunk with others. */
const askedLater = /\bimport\(["'`]\.\/([^"'`]+)["'`]\)\.then\((\w+)=>\2\.([\w$]+)\)/g;

/**
 * The names of two letters at most, which the bundler gave, of what a chunk exports: with those that only lists of other chunks
 * have. Throws where it would export a name twice.
 */
export function ownNames(file: string, code: string, codes: readonly string[]): Names {
  const later = codes.flatMap((each) => [...each.matchAll(askedLater)]).filter(([, chunk]) => chunk === file);
  const asked = new Set(later.map(([, , , name]) => name!));
  const pairs = (ownList.exec(code)?.[1] ?? '').split(',').map((pair) => pair.split(' as '));
  const stays = ([inside, name = inside]: string[]) => name!.length > 2 || asked.has(name!);
  const kept = new Set(pairs.filter(stays).map(([inside, name = inside]) => name!));
  const names = new Map(
    pairs.flatMap(([inside, name]) => (name && !stays([inside!, name]) && !kept.has(inside!) ? [[name, inside!]] : [])),
  );
  const exported = pairs.map(([inside, name = inside]) => names.get(name!) ?? name);
  if (new Set(exported).size < exported.length) throw new Error(`${file} would export a name twice: ${exported}`);
  return names;
}

/** A chunk with the names in the lists of what it exports and imports: `own`, and `of` for other chunks. */
export function withOwnNames(code: string, own: Names, of: (file: string) => Names): string {
  const pair = (outside: string, inside: string) => (outside === inside ? inside : `${outside} as ${inside}`);
  return code
    .replace(ownList, (_, list: string) => {
      const pairs = list.split(',').map((each) => each.split(' as '));
      return `export{${pairs.map(([inside, name = inside]) => pair(inside!, own.has(name!) ? inside! : name!)).join()}}`;
    })
    .replace(sharedList, (_, kind: string, list: string, file: string) => {
      const names = of(file);
      const pairs = list.split(',').map((each) => each.split(' as '));
      return `${kind}{${pairs.map(([outside, inside = outside]) => pair(names.get(outside!) ?? outside!, inside!)).join()}}from"./${file}"`;
    });
}

/** How long the imports are that a chunk begins with. */
export const importsLength = (code: string): number => /^(?:import(?:\{[^}]*\}from)?"[^"]*";)*/.exec(code)![0].length;

/** The mappings of a chunk whose imports have become so much longer. */
export function shifted(mappings: string, by: number): string {
  const [first = [], ...rest] = decode(mappings);
  for (const segment of first) if (segment.length > 1) segment[0] += by;
  return encode([first, ...rest]);
}
