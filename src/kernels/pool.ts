import outputPixel from '../../shaders/fragments/output-pixel.wgsl?raw';
import source from '../../shaders/pool.wgsl?raw';
import type { Pool } from '../graph/ops.ts';
import { ceilDiv, channelsByPixels, defineKernel, inputBinding, outputBinding, shapeBinding } from './kernel.ts';
import { windowShape } from './window.ts';

export const pool = defineKernel<Pool>({
  name: 'pool',
  op: 'pool',
  accepts: () => true,
  program(node, { inputs: [input], output }) {
    const channels4 = ceilDiv(output[3], 4);
    const workgroup = channelsByPixels(channels4);
    return {
      file: 'pool.wgsl',
      source,
      fragments: { 'output-pixel': outputPixel },
      constants: { MAXIMUM: node.kind === 'max' },
      overrides: { WORKGROUP_X: workgroup.x, WORKGROUP_Y: workgroup.y },
      shape: { ...windowShape(node, input!, output), channels4, count_padding: node.countPadding ? 1 : 0 },
      bindings: [shapeBinding, inputBinding(0), outputBinding],
      workgroups: [ceilDiv(channels4, workgroup.x), ceilDiv(output[2], workgroup.y), output[1] * output[0]],
    };
  },
  constants: () => [],
});
