import { isPointwise } from '../graph/layers.ts';
import type { Conv2d, Fused } from '../graph/ops.ts';
import {
  hardwareTiles,
  invocationsOf,
  isWorthwhile,
  type PointwiseVariant,
  pointwiseProgram,
  usualTile,
} from './conv-pointwise.ts';
import { columnsOf, dotLayout, dotVariantName, tileOf } from './dot.ts';
import {
  ceilDiv,
  convolutionBindings,
  defineKernel,
  inputBinding,
  type Kernel,
  LARGEST_TEXTURE,
  type NodeShapes,
} from './kernel.ts';

/** A pointwise convolution that alone reads what was multiplied by a gate. */
function resolve({ parts, inputs: names }: Fused, { inputs: [input, gate] }: NodeShapes): Conv2d | null {
  const [scale, project] = parts;
  if (parts.length !== 2 || scale?.op !== 'multiply' || scale.activation !== 'none') return null;
  if (!isPointwise(project) || project.inputs[0] !== scale.output) return null;
  if (scale.inputs[0] !== names[0] || scale.inputs[1] !== names[1]) return null;
  return gate![0] === input![0] && gate![1] === 1 && gate![2] === 1 ? project : null;
}

/** (input · gate), projected, plus a residual where there is one. */
const gated = (name: string, tile: PointwiseVariant): Kernel =>
  defineKernel<Fused>({
    name,
    op: 'fused',
    accepts(node, shapes) {
      const project = resolve(node, shapes);
      if (!project || tile.weights !== 'texture') return project !== null;
      return Math.max(columnsOf(project, tile), ceilDiv(shapes.inputs[0]![3], 4)) <= LARGEST_TEXTURE;
    },
    suits: (node, shapes) => isWorthwhile(tile, resolve(node, shapes)!, shapes.output),
    invocations: (node, shapes) => invocationsOf(tile, resolve(node, shapes)!, shapes.output),
    program(node, shapes) {
      const project = resolve(node, shapes)!;
      const [images, height, width, inputs] = shapes.inputs[0]!;
      const bindings = [...convolutionBindings(false), inputBinding(1)];
      if (project.inputs.length > 1) bindings.push(inputBinding(2));
      return pointwiseProgram(project, tile, [images, height * width, inputs], bindings, true);
    },
    constants: (node, shapes) => dotLayout(resolve(node, shapes)!, 1, shapes.inputs[0]![3], tile),
  });

export const convPointwiseGated = gated('conv-pointwise-gated', usualTile);

export const gatedVariants: readonly Kernel[] = [
  ...hardwareTiles,
  { ...tileOf(4, 16, 'pixels'), software: true },
  { ...tileOf(7, 16, 'pixels'), weights: 'texture' as const, software: true },
].map((tile) => gated(dotVariantName('conv-pointwise-gated', tile), tile));
