// Joins two tensors along the batch, the height or the width: blocks of whole pixels, in turn.
//
// a    [blocks][a_block]             a block: a_block vec4 that lie side by side, four channels a vec4
// b    [blocks][b_block]
// dst  [blocks][a_block + b_block]   a block of a, then one of b; blocks = what lies before the axis
//
// One invocation copies four channels of one pixel.
struct Shape { pixels: u32, channels4: u32, a_block: u32, b_block: u32 }

#include elementwise DST_BINDING=3
@group(0) @binding(2) var<storage, read> b: array<Other4>;

fn output(at: u32, id: vec3u) -> vec4f {
  let block = at / (shape.a_block + shape.b_block);
  let place = at % (shape.a_block + shape.b_block);
  if (place < shape.a_block) { return load_src(src[block * shape.a_block + place]); }
  return load_other(b[block * shape.b_block + place - shape.a_block]);
}
