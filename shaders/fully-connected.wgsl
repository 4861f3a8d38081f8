// Fully connected layer as a matrix-vector product: dst = activate(src · weights + bias), for each image of a batch.
//
// src      [batch][inputs4]             the flattened input, four values a vec4
// weights  [4 · inputs4][outputs4]      one vec4 over four outputs, in a buffer or as texels
//                                       with HALF as in fragments/half-sums.wgsl, a group of channels is four
// bias     [outputs4]                   with SCALED followed by scales
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

#include convolution RESIDUAL=0 RESIDUAL_BINDING=5 PIECEWISE=1 OPTIONAL=0
#include weights

#if SLICED
var<workgroup> shares: array<vec4f, COLUMNS * SLICES>;
#endif

@compute @workgroup_size(COLUMNS, SLICES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n = workgroup.x * COLUMNS + local.x;
  let image = workgroup.y;
  let column = min(n, shape.outputs4 - 1u);
  var sum = vec4f(0.0);
#unroll h HALF
  let group = column;
  var sum0_0 = sum;
  for (var k = local.y * $(VECTORS)u; k < shape.inputs4; k += SLICES * $(VECTORS)u) {
#unroll j VECTORS
    let v0_$j = src[image * shape.inputs4 + min(k + $(j)u, shape.inputs4 - 1u)];
#end
#include half-sums groups=shape.outputs4 index=k
  }
  sum = sum0_0;
#end
#unroll f 1-HALF
  for (var k = local.y; k < shape.inputs4; k += SLICES) {
    let x = load_src(src[image * shape.inputs4 + k]);
    sum = fma(vec4f(x.x), weight(4u * k, (4u * k) * shape.outputs4, column), sum);
    sum = fma(vec4f(x.y), weight(4u * k + 1u, (4u * k + 1u) * shape.outputs4, column), sum);
    sum = fma(vec4f(x.z), weight(4u * k + 2u, (4u * k + 2u) * shape.outputs4, column), sum);
    sum = fma(vec4f(x.w), weight(4u * k + 3u, (4u * k + 3u) * shape.outputs4, column), sum);
  }
#end
#if SCALED
  sum *= bias[shape.outputs4 + column];
#endif
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
    finish(total, image * shape.outputs4 + n);
  }
}
