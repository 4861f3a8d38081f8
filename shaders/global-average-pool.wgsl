// Mean over height and width of each channel.
//
// src  [batch][pixels][channels4]      NHWC, four channels a vec4
// dst  [batch][channels4]
//
// A workgroup computes COLUMNS × 4 channels of one image. With SLICED, SLICES invocations share each of them, sum every
// SLICES-th pixel, and the partial sums are added in workgroup memory in a fixed order.
struct Shape { pixels: u32, channels4: u32 }

override COLUMNS: u32;
#if SLICED
override SLICES: u32;
#else
const SLICES = 1u;
#endif

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read_write> dst: array<Dst4>;

#if SLICED
var<workgroup> shares: array<vec4f, COLUMNS * SLICES>;
#endif

@compute @workgroup_size(COLUMNS, SLICES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let c = workgroup.x * COLUMNS + local.x;
  let image = workgroup.y;
  let column = image * shape.pixels * shape.channels4 + min(c, shape.channels4 - 1u);
  var sum = vec4f(0.0);
  for (var pixel = local.y; pixel < shape.pixels; pixel += SLICES) {
    sum += load_src(src[column + pixel * shape.channels4]);
  }
#if SLICED
  shares[local.y * COLUMNS + local.x] = sum;
  workgroupBarrier();
#endif
  if (local.y == 0u && c < shape.channels4) {
#if SLICED
    var total = vec4f(0.0);
    for (var slice = 0u; slice < SLICES; slice++) { total += shares[slice * COLUMNS + local.x]; }
#else
    let total = sum;
#endif
    dst[image * shape.channels4 + c] = store_dst(total / f32(shape.pixels));
  }
}
