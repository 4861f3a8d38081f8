// The same elements, row-major, in another shape; they move because channels are stored in fours.
//
// src  [src_pixels][src_channels4]      pixels = batch · height · width
// dst  [pixels][channels4]
//
// One invocation computes four channels of one pixel; lanes past the last channel are zero.
struct Shape { pixels: u32, channels: u32, channels4: u32, src_channels: u32, src_channels4: u32 }

#include elementwise DST_BINDING=2

fn element(pixel: u32, c: u32) -> f32 {
  if (c >= shape.channels) { return 0.0; }
  let i = pixel * shape.channels + c;
  let from_pixel = i / shape.src_channels;
  let c_from = i - from_pixel * shape.src_channels;
  return load_src(src[from_pixel * shape.src_channels4 + c_from / 4u])[c_from % 4u];
}

fn output(at: u32, id: vec3u) -> vec4f {
  let c = 4u * id.x;
  return vec4f(element(id.y, c), element(id.y, c + 1u), element(id.y, c + 2u), element(id.y, c + 3u));
}
