// Axes in another order: an element of dst at (image, y, x, c) is the one of src that steps along those axes lead to.
//
// src  [src_pixels][src_channels4]           NHWC, four channels a vec4
// dst  [images][pixels][channels4]           pixels = height · width
//
// One invocation computes four channels of one pixel; lanes past the last channel are zero. pixel_… and channel_… are how
// far a step along an axis of dst goes in src; of each axis one of the two is zero.
struct Shape {
  pixels: u32, channels4: u32, width: u32, channels: u32, src_channels4: u32,
  pixel_n: u32, pixel_y: u32, pixel_x: u32, pixel_c: u32,
  channel_n: u32, channel_y: u32, channel_x: u32, channel_c: u32,
}

#include elementwise DST_BINDING=2

fn element(pixel: u32, channel: u32, c: u32) -> f32 {
  if (c >= shape.channels) { return 0.0; }
  let from_pixel = pixel + c * shape.pixel_c;
  let from_channel = channel + c * shape.channel_c;
  return load_src(src[from_pixel * shape.src_channels4 + from_channel / 4u])[from_channel % 4u];
}

fn output(at: u32, id: vec3u) -> vec4f {
  let y = id.y / shape.width;
  let x = id.y % shape.width;
  let pixel = id.z * shape.pixel_n + y * shape.pixel_y + x * shape.pixel_x;
  let channel = id.z * shape.channel_n + y * shape.channel_y + x * shape.channel_x;
  let c = 4u * id.x;
  return vec4f(
    element(pixel, channel, c), element(pixel, channel, c + 1u),
    element(pixel, channel, c + 2u), element(pixel, channel, c + 3u),
  );
}
