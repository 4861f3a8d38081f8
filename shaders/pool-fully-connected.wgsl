// Global average pool and the product that follows, in one kernel: dst = activate(mean(src) · weights + bias), for each
// image of a batch.
//
// src      [batch][pixels][inputs4]     NHWC, four channels a vec4
// weights  [4 · inputs4][outputs4]      one vec4 over four outputs
// bias     [outputs4]
// dst      [batch][outputs4]
//
// A workgroup computes COLUMNS × 4 outputs: SLICES invocations share each of them. It takes the means of 64 groups of
// inputs at a time, each workgroup for itself (means are cheap beside a kernel of their own), adds every SLICES-th
// product, and the partial sums are added in workgroup memory in a fixed order.
struct Shape { pixels: u32, inputs4: u32, outputs4: u32 }

// Their product is 64.
override COLUMNS: u32;
override SLICES: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read> weights: array<Weight4>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dst: array<Dst4>;

// Means of 64 groups of inputs at a time, then the partial sums.
var<workgroup> means: array<vec4f, 64>;
var<workgroup> shares: array<vec4f, 64>;

@compute @workgroup_size(COLUMNS, SLICES)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = workgroup.x * COLUMNS + local.x;
  let image = workgroup.y;
  let column = min(n, shape.outputs4 - 1u);
  var sum = vec4f(0.0);
  for (var base = 0u; base < shape.inputs4; base += 64u) {
    let own = min(base + lane, shape.inputs4 - 1u);
    var total = vec4f(0.0);
    for (var pixel = 0u; pixel < shape.pixels; pixel++) {
      total += load_src(src[(image * shape.pixels + pixel) * shape.inputs4 + own]);
    }
    means[lane] = total / f32(shape.pixels);
    workgroupBarrier();
    for (var i = local.y; i < min(64u, shape.inputs4 - base); i += SLICES) {
      let x = means[i];
      let at = 4u * (base + i) * shape.outputs4 + column;
      sum = fma(vec4f(x.x), load_weight(weights[at]), sum);
      sum = fma(vec4f(x.y), load_weight(weights[at + shape.outputs4]), sum);
      sum = fma(vec4f(x.z), load_weight(weights[at + 2u * shape.outputs4]), sum);
      sum = fma(vec4f(x.w), load_weight(weights[at + 3u * shape.outputs4]), sum);
    }
    workgroupBarrier();
  }
  shares[lane] = sum;
  workgroupBarrier();
  if (local.y == 0u && n < shape.outputs4) {
    var total = bias[n];
    for (var slice = 0u; slice < SLICES; slice++) { total += shares[slice * COLUMNS + local.x]; }
    dst[image * shape.outputs4 + n] = store_dst(activate(total));
  }
}
