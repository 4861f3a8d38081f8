// Joins two tensors along the channels, any channel counts.
//
// a    [pixels][a_channels4]      NHWC, four channels a vec4; pixels = batch · height · width
// b    [pixels][b_channels4]
// dst  [pixels][channels4]        channels of a, then channels of b
//
// One invocation computes four channels of one pixel.
struct Shape { pixels: u32, a_channels: u32, a_channels4: u32, b_channels4: u32, channels4: u32 }

#include elementwise DST_BINDING=3
@group(0) @binding(2) var<storage, read> b: array<Other4>;

// Channel `c` of the joined pixel; lanes past the last channel read b's own padding.
fn channel(pixel: u32, c: u32) -> f32 {
  if (c < shape.a_channels) { return load_src(src[pixel * shape.a_channels4 + c / 4u])[c % 4u]; }
  let k = min(c - shape.a_channels, 4u * shape.b_channels4 - 1u);
  return load_other(b[pixel * shape.b_channels4 + k / 4u])[k % 4u];
}

fn output(at: u32, id: vec3u) -> vec4f {
  let c = 4u * id.x;
  return vec4f(channel(id.y, c), channel(id.y, c + 1u), channel(id.y, c + 2u), channel(id.y, c + 3u));
}
