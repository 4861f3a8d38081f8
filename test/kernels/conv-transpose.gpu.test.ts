import type { ConvTranspose2d, Pair } from '../../src/graph/ops.ts';
import { transposedOutput } from '../../src/graph/shapes.ts';
import type { KernelCase } from './case.ts';
import { activations, channelCounts } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';

type Spec = Partial<Pick<ConvTranspose2d, 'kernel' | 'stride' | 'dilation' | 'crop' | 'size' | 'activation'>> & {
  readonly input: Pair;
  readonly cin: number;
  readonly cout?: number;
  readonly batch?: number;
  readonly noBias?: boolean;
};

function transposed({ input, cin, cout = cin, batch = 1, noBias = false, ...spec }: Spec): KernelCase {
  const { kernel = [2, 2], stride = [2, 2], dilation = [1, 1], crop = [0, 0], activation = 'none' } = spec;
  const whole = (axis: 0 | 1) => transposedOutput(input[axis], kernel[axis], stride[axis], dilation[axis]) - crop[axis];
  const { size = [whole(0), whole(1)] } = spec;
  const node = { op: 'conv-transpose2d', kernel, stride, dilation, crop, size, outChannels: cout, activation } as const;
  const title = `${input.join('×')}×${cin} → ${size.join('×')}×${cout}, ${JSON.stringify({ batch, noBias, ...spec })}`;
  return { title, node, inputs: [[batch, input[0], input[1], cin]], noBias };
}

describeKernel('conv-transpose', [
  ...channelCounts.map((cin) => transposed({ input: [5, 6], cin, cout: 1 })),
  ...channelCounts.map((cout) => transposed({ input: [5, 6], cin: 7, cout, kernel: [3, 3], crop: [1, 1] })),
  ...activations.map((activation) => transposed({ input: [4, 5], cin: 6, cout: 3, activation })),
  // TensorFlow's SAME at odd and even sizes: what is left over lies below and to the right.
  transposed({ input: [4, 5], cin: 4, kernel: [4, 4], crop: [1, 1], size: [8, 10] }),
  transposed({ input: [4, 5], cin: 4, kernel: [3, 3], crop: [0, 0], size: [8, 10] }),
  transposed({ input: [4, 5], cin: 4, kernel: [3, 3], crop: [1, 1], size: [7, 9] }),
  // ONNX's output padding: the last row and column see the bias, or little more.
  transposed({ input: [4, 5], cin: 4, kernel: [2, 2], stride: [3, 3], size: [12, 15] }),
  transposed({ input: [4, 5], cin: 3, cout: 5, kernel: [3, 2], stride: [1, 1] }),
  transposed({ input: [4, 5], cin: 3, cout: 5, kernel: [3, 3], stride: [2, 3], dilation: [2, 3], crop: [1, 2] }),
  transposed({ input: [4, 5], cin: 3, cout: 5, kernel: [3, 3], stride: [3, 2], dilation: [3, 2] }),
  transposed({ input: [4, 5], cin: 8, kernel: [1, 1], stride: [3, 2] }),
  transposed({ input: [1, 1], cin: 130, cout: 6, kernel: [7, 7], stride: [1, 1] }),
  transposed({ input: [3, 4], cin: 5, batch: 3, kernel: [3, 3], crop: [1, 0] }),
  transposed({ input: [3, 4], cin: 5, kernel: [3, 3], noBias: true }),
]);
