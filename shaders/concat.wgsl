// Joins two tensors along the channels, any channel counts.
//
// a    [pixels][a_channels4]      NHWC, four channels a vec4; pixels = batch · height · width
// b    [pixels][b_channels4]
// dst  [pixels][channels4]        channels of a, then channels of b
//
// One invocation computes four channels of one pixel.
struct Shape { pixels: u32, a_channels: u32, a_channels4: u32, b_channels4: u32, channels4: u32 }

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> a: array<Src4>;
@group(0) @binding(2) var<storage, read> b: array<Side4>;
@group(0) @binding(3) var<storage, read_write> dst: array<Dst4>;

// Channel `c` of the joined pixel; lanes past the last channel read b's own padding.
fn channel(pixel: u32, c: u32) -> f32 {
  if (c < shape.a_channels) { return load_src(a[pixel * shape.a_channels4 + c / 4u])[c % 4u]; }
  let k = min(c - shape.a_channels, 4u * shape.b_channels4 - 1u);
  return load_side(b[pixel * shape.b_channels4 + k / 4u])[k % 4u];
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.channels4 || id.y >= shape.pixels) { return; }
  let c = 4u * id.x;
  let value = vec4f(channel(id.y, c), channel(id.y, c + 1u), channel(id.y, c + 2u), channel(id.y, c + 3u));
  dst[id.y * shape.channels4 + id.x] = store_dst(value);
}
