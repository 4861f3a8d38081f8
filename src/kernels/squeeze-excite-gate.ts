import source from '../../shaders/squeeze-excite-gate.wgsl?raw';
import { productOf } from '../graph/layers.ts';
import type { Fused } from '../graph/ops.ts';
import {
  activationCode,
  activationOverride,
  ceilDiv,
  channelConstant,
  constantBinding,
  defineKernel,
  inputBinding,
  type NodeShapes,
  outputBinding,
  shapeBinding,
  weightsConstant,
} from './kernel.ts';
import { packDot } from './pack.ts';

/** What one workgroup keeps: 10 KiB. */
const MOST_CHANNELS = 2048;
const MOST_SQUEEZED = 512;

function resolve({ parts }: Fused, { inputs: [input] }: NodeShapes) {
  const [pool, first, second] = parts;
  const [squeeze, excite] = [productOf(first), productOf(second)];
  if (parts.length !== 3 || pool?.op !== 'global-average-pool' || !squeeze || !excite) return null;
  const channels = input![3];
  if (excite.outputs !== channels || channels > MOST_CHANNELS || squeeze.outputs > MOST_SQUEEZED) return null;
  return { channels, squeeze, excite, squeezed: 4 * ceilDiv(squeeze.outputs, 4) };
}

/** Global average pool, squeeze, excite: a factor for each channel. */
export const squeezeExciteGate = defineKernel<Fused>({
  name: 'squeeze-excite-gate',
  op: 'fused',
  accepts: (node, shapes) => resolve(node, shapes) !== null,
  program(node, shapes) {
    const { channels, squeeze, excite, squeezed } = resolve(node, shapes)!;
    const [batch, height, width] = shapes.inputs[0]!;
    return {
      file: 'squeeze-excite-gate.wgsl',
      source,
      constants: { MOST_CHANNELS, MOST_SQUEEZED },
      overrides: { SQUEEZE_ACTIVATION: activationCode(squeeze.activation), ...activationOverride(excite.activation) },
      shape: { pixels: height * width, channels4: ceilDiv(channels, 4), squeezed },
      bindings: [
        shapeBinding,
        inputBinding(0),
        constantBinding(0),
        constantBinding(1),
        constantBinding(2),
        outputBinding,
      ],
      workgroups: [batch, 1, 1],
    };
  },
  constants(node, shapes) {
    const { channels, squeeze, excite, squeezed } = resolve(node, shapes)!;
    const wide = 4 * ceilDiv(channels, 4);
    const biases = new Float32Array(squeezed + wide);
    if (squeeze.bias) biases.set(squeeze.bias);
    if (excite.bias) biases.set(excite.bias, squeezed);
    return [
      weightsConstant(wide * squeezed, () => packDot(squeeze.weights, 1, channels, squeeze.outputs, squeezed)),
      weightsConstant(squeezed * wide, () => packDot(excite.weights, 1, squeeze.outputs, channels, wide)),
      channelConstant(biases, biases.length),
    ];
  },
});
