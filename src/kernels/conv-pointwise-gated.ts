import source from '../../shaders/conv-pointwise-gated.wgsl?raw';
import type { Conv2d, Fused } from '../graph/ops.ts';
import { isPointwise } from './conv-pointwise.ts';
import {
  type Binding,
  ceilDiv,
  channelConstant,
  constantBinding,
  defineKernel,
  inputBinding,
  type NodeShapes,
  outputBinding,
  piecewiseOf,
  shapeBinding,
  sigmoidOverride,
  weightsConstant,
} from './kernel.ts';
import { packDot } from './pack.ts';

const TILE_PIXELS = 4;
const TILE_CHANNELS = 16;
const WORKGROUP = 32;

const columnsOf = ({ outChannels }: Conv2d) => ceilDiv(outChannels, TILE_CHANNELS) * TILE_CHANNELS;

/** A pointwise convolution that alone reads what was multiplied by a gate. */
function resolve({ parts, inputs: names }: Fused, { inputs: [input, gate] }: NodeShapes): Conv2d | null {
  const [scale, project] = parts;
  if (parts.length !== 2 || scale?.op !== 'multiply' || scale.activation !== 'none') return null;
  if (project?.op !== 'conv2d' || !isPointwise(project) || project.inputs[0] !== scale.output) return null;
  if (scale.inputs[0] !== names[0] || scale.inputs[1] !== names[1]) return null;
  return gate![0] === input![0] && gate![1] === 1 && gate![2] === 1 ? project : null;
}

/** (input · gate), projected, plus a residual where there is one. */
export const convPointwiseGated = defineKernel<Fused>({
  name: 'conv-pointwise-gated',
  op: 'fused',
  accepts: (node, shapes) => resolve(node, shapes) !== null,
  program(node, shapes) {
    const project = resolve(node, shapes)!;
    const { inputs, output } = shapes;
    const residual = project.inputs.length > 1;
    const pixels = output[1] * output[2];
    const bindings: Binding[] = [shapeBinding, inputBinding(0), inputBinding(1), constantBinding(0)];
    bindings.push(constantBinding(1), outputBinding);
    if (residual) bindings.push(inputBinding(2));
    return {
      file: 'conv-pointwise-gated.wgsl',
      source,
      constants: { TILE_PIXELS, TILE_CHANNELS, RESIDUAL: residual },
      overrides: { WORKGROUP_X: WORKGROUP, ...sigmoidOverride(project.activation) },
      shape: {
        pixels,
        cin4: ceilDiv(inputs[0]![3], 4),
        cout4: ceilDiv(project.outChannels, 4),
        columns: columnsOf(project),
        ...piecewiseOf(project.activation),
      },
      bindings,
      workgroups: [ceilDiv(ceilDiv(pixels, TILE_PIXELS), WORKGROUP), columnsOf(project) / TILE_CHANNELS, output[0]],
    };
  },
  constants(node, shapes) {
    const project = resolve(node, shapes)!;
    const cin = shapes.inputs[0]![3];
    const columns = columnsOf(project);
    return [
      weightsConstant(4 * ceilDiv(cin, 4) * columns, () =>
        packDot(project.weights, 1, cin, project.outChannels, columns),
      ),
      channelConstant(project.bias, columns),
    ];
  },
});
