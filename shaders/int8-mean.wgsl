// Mean over height and width of each channel, of stored integers: the division is in the multiplier.
//
// src  [batch][pixels][channels4]      four channels to a word
// dst  [batch][channels4]
//
// A workgroup computes COLUMNS × 4 channels of one image. With SLICED, SLICES invocations share each of them, sum every SLICES-th
// pixel, and the partial sums are added in workgroup memory.
struct Shape {
  pixels: u32, channels4: u32, zero_sum: i32, multiplier: f32, least: i32, most: i32, zero_point: i32,
}

override COLUMNS: u32;
#if SLICED
override SLICES: u32;
#else
const SLICES = 1u;
#endif

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(2) var<storage, read_write> dst: array<u32>;
#include int8-requantise

#if SLICED
var<workgroup> shares: array<vec4i, COLUMNS * SLICES>;
#endif

@compute @workgroup_size(COLUMNS, SLICES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let c = workgroup.x * COLUMNS + local.x;
  let image = workgroup.y;
  let column = image * shape.pixels * shape.channels4 + min(c, shape.channels4 - 1u);
  var sum = vec4i(0);
  for (var pixel = local.y; pixel < shape.pixels; pixel += SLICES) {
    sum += integers_of(src[column + pixel * shape.channels4]);
  }
#if SLICED
  shares[local.y * COLUMNS + local.x] = sum;
  workgroupBarrier();
#endif
  if (local.y == 0u && c < shape.channels4) {
#if SLICED
    for (var slice = 1u; slice < SLICES; slice++) { sum += shares[slice * COLUMNS + local.x]; }
#endif
    dst[image * shape.channels4 + c] = word_of(requantise(sum - shape.zero_sum, vec4f(shape.multiplier)));
  }
}
