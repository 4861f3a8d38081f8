/**
 * A picture cut into blocks that lie along the batch, as SpaceToBatchND does, a convolution of it, and the way back: how
 * TensorFlow writes a convolution with dilation. The graph has that convolution alone.
 */
import type { Padding, Pair } from '../../graph/ops.ts';
import { nhwc, type Value, type Variable } from './import-builder.ts';
import type { Operands } from './operands.ts';
import { type Convolution, type Spread, standIn } from './spread.ts';

/** SpaceToBatchND of a picture: inputs 1 and 2 are the block and the zeros before and after height and width. */
export function spaceToBatch(operands: Operands): Value {
  const { builder, place, variable } = operands;
  const x = variable(0);
  if (x.dims.length !== 4) builder.damaged(place, `works on [${x.dims}], expected four dimensions`);
  const { block, padding } = blocks(operands, 'padding');
  const size = ([0, 1] as const).map((axis) => {
    const [before, after] = axis === 0 ? [padding.top, padding.bottom] : [padding.left, padding.right];
    const length = x.dims[axis + 1]! + before + after;
    if (length % block[axis] !== 0) builder.damaged(place, `cuts ${length} pixels into blocks of ${block[axis]}`);
    return length / block[axis];
  });
  return standIn({ x, block, padding, size: size as unknown as Pair, convolved: null, convolve: convolveSpread });
}

/** The convolution of a spread picture, whose padding is in blocks. Throws `UnsupportedOpError` as the builder does. */
function convolveSpread(
  { builder, place }: Pick<Operands, 'builder' | 'place'>,
  spread: Spread,
  convolution: Convolution,
): Variable {
  const { x, block, padding } = spread;
  if (spread.convolved) builder.unsupported(place, 'convolves what is spread over the batch a second time');
  if (convolution.stride.some((step) => step !== 1)) {
    builder.unsupported(
      place,
      `has the stride ${convolution.stride} on a tensor that is spread over the batch, expected 1`,
    );
  }
  const dilation: Pair = [convolution.dilation[0] * block[0], convolution.dilation[1] * block[1]];
  const own = convolution.padding;
  const whole: Padding = {
    top: padding.top + own.top * block[0],
    bottom: padding.bottom + own.bottom * block[0],
    left: padding.left + own.left * block[1],
    right: padding.right + own.right * block[1],
  };
  const convolved = (cropped: Padding) => builder.conv(place, x, nhwc, { ...convolution, dilation, padding: cropped });
  return standIn({ ...spread, padding: whole, convolved });
}

/** BatchToSpaceND: inputs 1 and 2 are the block and what is cut off before and after height and width. */
export function batchToSpace(operands: Operands): Value {
  const { builder, place, spread: find } = operands;
  const spread = find(0);
  if (!spread?.convolved) return builder.unsupported(place, 'does not follow SpaceToBatchND and one convolution');
  const { block, padding: crops } = blocks(operands, 'crop');
  if (block.join() !== spread.block.join()) {
    builder.damaged(place, `joins blocks of ${block} where they were cut by ${spread.block}`);
  }
  const side = (name: keyof Padding) => {
    const left = spread.padding[name] - crops[name];
    return left >= 0 ? left : builder.unsupported(place, `cuts ${crops[name]} pixels off, more than were padded`);
  };
  return spread.convolved({ top: side('top'), bottom: side('bottom'), left: side('left'), right: side('right') });
}

const mostPixels = 4096;

function blocks({ builder, place, constant }: Operands, what: string): { block: Pair; padding: Padding } {
  const [block, sides] = [constant(1).data, constant(2).data];
  const sound = (values: ArrayLike<number>, least: number) =>
    Array.from(values).every((v) => Number.isSafeInteger(v) && v >= least && v <= mostPixels);
  if (block.length !== 2 || sides.length !== 4 || !sound(block, 1) || !sound(sides, 0)) {
    builder.damaged(
      place,
      `has a block of [${block.slice(0, 8)}] and the ${what} [${sides.slice(0, 8)}], expected two and four whole numbers`,
    );
  }
  const [top, bottom, left, right] = sides as unknown as [number, number, number, number];
  return { block: block as unknown as Pair, padding: { top, bottom, left, right } };
}
