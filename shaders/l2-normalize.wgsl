// Vectors of length 1: dst = src / max(√Σ src², epsilon), the sum over the channels of each pixel.
//
// src, dst  [pixels][channels4]      NHWC, four channels a vec4; channels past `channels` are kept out of the sum
//
// One workgroup computes one pixel: each invocation takes every WORKGROUP_X-th vec4, and sums are combined in workgroup
// memory in a fixed order.
struct Shape { pixels: u32, across: u32, channels: u32, channels4: u32, epsilon: f32 }

override WORKGROUP_X: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read_write> dst: array<Dst4>;

var<workgroup> shares: array<f32, WORKGROUP_X>;

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let pixel = workgroup.y * shape.across + workgroup.x;
  if (pixel >= shape.pixels) { return; }
  let base = pixel * shape.channels4;
  var sum = 0.0;
  for (var i = lane; i < shape.channels4; i += WORKGROUP_X) {
    let channel = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u);
    let x = select(vec4f(), load_src(src[base + i]), channel < vec4u(shape.channels));
    sum += dot(x, x);
  }
  shares[lane] = sum;
  workgroupBarrier();
  var squares = 0.0;
  for (var i = 0u; i < WORKGROUP_X; i++) { squares += shares[i]; }

  let length = max(sqrt(squares), shape.epsilon);
  for (var i = lane; i < shape.channels4; i += WORKGROUP_X) { dst[base + i] = store_dst(load_src(src[base + i]) / length); }
}
