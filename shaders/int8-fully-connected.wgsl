// Fully connected layer of stored integers as a matrix-vector product, for each image of a batch.
//
// src      [batch][inputs4]             the flattened input, four values to a word
// weights  [inputs4][outputs4]          words of four inputs for each of four outputs, in a buffer or as texels
// channels [outputs4]                   bias, in which the zero point of the inputs is, and multiplier
// dst      [batch][outputs4]
//
// A workgroup computes COLUMNS × 4 outputs. With SLICED, SLICES invocations share each of them, sum every SLICES-th input, and the
// partial sums are added in workgroup memory. Sums of floats are added to integers before they reach 2^24.
struct Shape {
  inputs4: u32, outputs4: u32, chunk: u32, weight_zero: i32, least: i32, most: i32, zero_point: i32,
}

override COLUMNS: u32;
#if SLICED
override SLICES: u32;
#else
const SLICES = 1u;
#endif

#include int8-convolution
#include int8-sums

#if SLICED
var<workgroup> shares: array<vec4i, COLUMNS * SLICES>;
#endif

@compute @workgroup_size(COLUMNS, SLICES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n = workgroup.x * COLUMNS + local.x;
  let image = workgroup.y;
  let column = min(n, shape.outputs4 - 1u);
  var total = vec4i(0);
  for (var first = local.y; first < shape.inputs4; first += shape.chunk * SLICES) {
    let end = min(first + shape.chunk * SLICES, shape.inputs4);
    var sum = Sum4();
    for (var k = first; k < end; k += SLICES) {
      let x = load(src[image * shape.inputs4 + k]);
      let four = weights_at(k, k * shape.outputs4, column);
#if DOT4
      sum += vec4i(
        dot4I8Packed(x, four.x), dot4I8Packed(x, four.y), dot4I8Packed(x, four.z), dot4I8Packed(x, four.w));
#if WEIGHT_ZERO
      sum -= vec4i(shape.weight_zero * dot4I8Packed(x, 0x01010101u));
#endif
#else
      sum += x * mat4x4f(weight_of(four.x), weight_of(four.y), weight_of(four.z), weight_of(four.w));
#endif
    }
    total += vec4i(sum);
  }
#if SLICED
  shares[local.y * COLUMNS + local.x] = total;
  workgroupBarrier();
#endif
  if (local.y == 0u && n < shape.outputs4) {
#if SLICED
    for (var slice = 1u; slice < SLICES; slice++) { total += shares[slice * COLUMNS + local.x]; }
#endif
    finish(ended(total, channels[n]), image * shape.outputs4 + n);
  }
}
