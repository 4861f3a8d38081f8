/** What docs/trust.md says of a device that is destroyed at a stage. */
import { readFileSync } from 'node:fs';

export interface Outcome {
  readonly destroyed: boolean;
  readonly steps: Readonly<Record<string, string>>;
  readonly sameBits: boolean;
  readonly results: number;
  readonly deadBytes: number;
  readonly left: number;
  readonly ms: number;
}

const rows = readFileSync('docs/trust.md', 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()));
const head = rows.find(([, first]) => first === 'destroyed during')!;

/** The cell of a stage; `where` as the table calls it. */
export const documented = (stage: string, where: string): string =>
  rows.slice(rows.indexOf(head)).find(([, first]) => first === stage)![head.indexOf(where)]!;

/** The same in the table's words. */
export function inWords({ destroyed, steps, sameBits, results, deadBytes, left }: Outcome): string {
  const failed = Object.entries(steps).filter(([, outcome]) => outcome !== 'ok');
  if (!destroyed) return 'the stage was not met';
  if (failed.length > 0) return failed.map((one) => one.join(': ')).join('; ');
  if (!sameBits || results !== 3) return `${results} results, ${sameBits ? 'the same' : 'other'} bits`;
  return `all go on, ${Math.max(deadBytes, left)} bytes`;
}
