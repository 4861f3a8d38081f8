import type { IntegerKind } from '../graph/integers.ts';
import type { Node } from '../graph/ops.ts';
import { realNode } from '../graph/real-node.ts';
import { defineInteger } from './int8.ts';
import type { Kernel } from './kernel.ts';
import { reshape } from './reshape.ts';
import { transpose } from './transpose.ts';

/** The shader of real numbers, which only moves them. */
const moved = (kind: IntegerKind, { program }: Kernel): Kernel =>
  defineInteger([kind], {
    name: `int8-${kind}`,
    program(body, shapes) {
      const node: Node = realNode({ op: 'integer', name: '', inputs: [''], output: '', body });
      return program(node, shapes);
    },
  });

export const int8Reshape = moved('reshape', reshape);
export const int8Transpose = moved('transpose', transpose);
