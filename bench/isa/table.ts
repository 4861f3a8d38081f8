import type { Precision } from '../../src/planner/plan.ts';
import type { CompiledFor } from './gpus.ts';

/** Of the tool: what a compiler says of a pipeline. */
export interface Row {
  readonly label: string;
  readonly spills: number;
  /** Empty where spills are counted in registers. */
  readonly fills: number | '';
  /** Of the waves of a workgroup. */
  readonly 'lanes %': number;
  readonly registers: number | '';
  /** Waves or threads that fit, of how many. */
  readonly occupancy: string;
  /** Multiply-adds among the issue slots of the hot loop. */
  readonly 'fma %'?: number;
}

export interface Seen {
  readonly gpu: CompiledFor;
  readonly layer: string;
  readonly kernel: string;
  readonly precision: Precision;
  /** Null where the pipeline was not compiled. */
  readonly row: Row | null;
}

/** A row a layer, a column a GPU; a cell is of the worst of its pipelines. */
export function markdown(seen: readonly Seen[], gpus: readonly CompiledFor[]): string {
  const layers = [...new Set(seen.map(({ layer }) => layer))].sort();
  const lines = [`| layer | ${gpus.map(({ title }) => title).join(' | ')} |`, `| --- |${' --- |'.repeat(gpus.length)}`];
  for (const layer of layers) {
    const cells = gpus.map((gpu) => cellOf(seen.filter((each) => each.layer === layer && each.gpu === gpu)));
    lines.push(`| ${layer} | ${cells.join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}

function cellOf(seen: readonly Seen[]): string {
  if (seen.length === 0) return '—';
  const rows = seen.flatMap(({ row }) => row ?? []);
  if (rows.length < seen.length) return 'not compiled';
  const shares = rows.flatMap((row) => row['fma %'] ?? []);
  const range = (values: readonly number[], unit: string) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return `${least === most ? least : `${least}–${most}`} ${unit}`;
  };
  const worst = rows.reduce((a, b) => (spilled(b) > spilled(a) ? b : a));
  const lanes = Math.min(...rows.map((row) => row['lanes %']));
  const parts = [
    [...new Set(seen.map(({ kernel }) => kernel))]
      .map((kernel) => kernel.replace(/^(half\/)?[^/]*\/?/, '') || 'own')
      .join(', '),
    range(shares, '%'),
  ];
  const registers = rows.flatMap(({ registers }) => registers || []);
  if (registers.length > 0) parts.push(range(registers, 'r'));
  if (worst.occupancy) parts.push(rows.reduce((a, b) => (b.registers > a.registers ? b : a)).occupancy);
  if (lanes < 100) parts.push(`lanes ${lanes} %`);
  if (spilled(worst) > 0) parts.push(`**spills ${worst.spills}+${worst.fills || 0}**`);
  return parts.join(' · ');
}

const spilled = ({ spills, fills }: Row): number => spills + (fills || 0);
