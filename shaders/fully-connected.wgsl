// Fully connected layer as a matrix-vector product: dst = activate(src · weights + bias), for each image of a batch.
//
// src      [batch][inputs4]             the flattened input, four values a vec4
// weights  [4 · inputs4][outputs4]      one vec4 over four outputs, in a buffer or as texels
// bias     [outputs4]
// dst      [batch][outputs4]
//
// A workgroup computes COLUMNS × 4 outputs. With SLICED, SLICES invocations share each of them, sum every SLICES-th input,
// and the partial sums are added in workgroup memory in a fixed order. Without, there is no barrier to wait at.
struct Shape {
  inputs4: u32, outputs4: u32, low: f32, high: f32, shift: f32, scale: f32, times_input: u32,
}

override COLUMNS: u32;
#if SLICED
override SLICES: u32;
#else
const SLICES = 1u;
#endif

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
#if TEXTURE
@group(0) @binding(2) var weights: texture_2d<f32>;
#else
@group(0) @binding(2) var<storage, read> weights: array<Weight4>;
#endif
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dst: array<Dst4>;

fn weight(input: u32, column: u32) -> vec4f {
#if TEXTURE
  return textureLoad(weights, vec2u(column, input), 0);
#else
  return load_weight(weights[input * shape.outputs4 + column]);
#endif
}

#if SLICED
var<workgroup> shares: array<vec4f, COLUMNS * SLICES>;
#endif

@compute @workgroup_size(COLUMNS, SLICES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n = workgroup.x * COLUMNS + local.x;
  let image = workgroup.y;
  let column = min(n, shape.outputs4 - 1u);
  var sum = vec4f(0.0);
  for (var k = local.y; k < shape.inputs4; k += SLICES) {
    let x = load_src(src[image * shape.inputs4 + k]);
    sum = fma(vec4f(x.x), weight(4u * k, column), sum);
    sum = fma(vec4f(x.y), weight(4u * k + 1u, column), sum);
    sum = fma(vec4f(x.z), weight(4u * k + 2u, column), sum);
    sum = fma(vec4f(x.w), weight(4u * k + 3u, column), sum);
  }
#if SLICED
  shares[local.y * COLUMNS + local.x] = sum;
  workgroupBarrier();
#endif
  if (local.y == 0u && n < shape.outputs4) {
    var total = bias[n];
#if SLICED
    for (var slice = 0u; slice < SLICES; slice++) { total += shares[slice * COLUMNS + local.x]; }
#else
    total += sum;
#endif
    total = activate(piecewise(total, shape.low, shape.high, shape.shift, shape.scale, shape.times_input));
    dst[image * shape.outputs4 + n] = store_dst(total);
  }
}
