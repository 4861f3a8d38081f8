// Elementwise sum, dst = activate(a + b); b is of equal shape or one pixel an image, broadcast over the others.
//
// a, dst  [batch][pixels][channels4]                     NHWC, four channels a vec4
// b       the same, or [batch or 1][1][channels4]
//
// One invocation computes four channels of one pixel.
struct Shape { pixels: u32, channels4: u32, b_image_stride: u32, b_pixel_stride: u32 }

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> a: array<Src4>;
@group(0) @binding(2) var<storage, read> b: array<Side4>;
@group(0) @binding(3) var<storage, read_write> dst: array<Dst4>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.channels4 || id.y >= shape.pixels) { return; }
  let at = (id.z * shape.pixels + id.y) * shape.channels4 + id.x;
  let other = load_side(b[id.z * shape.b_image_stride + id.y * shape.b_pixel_stride + id.x]);
  dst[at] = store_dst(activate(load_src(a[at]) + other));
}
