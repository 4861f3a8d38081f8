// Softmax over the channels of each pixel, with the maximum subtracted so that no exponential overflows.
//
// src, dst  [pixels][channels4]      NHWC, four channels a vec4; channels past `channels` are kept out of the sum
//
// One workgroup computes one pixel: each invocation takes every WORKGROUP_X-th vec4, and maxima and sums are combined
// in workgroup memory in a fixed order.
struct Shape { pixels: u32, across: u32, channels: u32, channels4: u32 }

override WORKGROUP_X: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read_write> dst: array<Dst4>;

var<workgroup> shares: array<f32, WORKGROUP_X>;

const LOWEST = -3.0e38;

// The four values at `i`, `otherwise` in the lanes past the last channel.
fn output(base: u32, i: u32, otherwise: f32) -> vec4f {
  let lane = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u);
  return select(vec4f(otherwise), load_src(src[base + i]), lane < vec4u(shape.channels));
}

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let pixel = workgroup.y * shape.across + workgroup.x;
  if (pixel >= shape.pixels) { return; }
  let base = pixel * shape.channels4;
  var largest = vec4f(LOWEST);
  for (var i = lane; i < shape.channels4; i += WORKGROUP_X) { largest = max(largest, output(base, i, LOWEST)); }
  shares[lane] = max(max(largest.x, largest.y), max(largest.z, largest.w));
  workgroupBarrier();
  var maximum = LOWEST;
  for (var i = 0u; i < WORKGROUP_X; i++) { maximum = max(maximum, shares[i]); }
  workgroupBarrier();

  var sums = vec4f(0.0);
  for (var i = lane; i < shape.channels4; i += WORKGROUP_X) { sums += exp(output(base, i, LOWEST) - maximum); }
  shares[lane] = sums.x + sums.y + sums.z + sums.w;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < WORKGROUP_X; i++) { sum += shares[i]; }

  for (var i = lane; i < shape.channels4; i += WORKGROUP_X) {
    dst[base + i] = store_dst(exp(output(base, i, LOWEST) - maximum) / sum);
  }
}
