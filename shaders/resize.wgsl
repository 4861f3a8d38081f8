// Spatial resampling. Source coordinate of output o, clamped to the edge: bilinear o · step + start; nearest
// ⌊(o · times + plus) / over⌋, in whole numbers, as a coordinate that falls between two pixels must not be rounded.
//
// src  [batch][in_height][in_width][channels4]      NHWC, four channels a vec4
// dst  [batch][out_height][out_width][channels4]
//
// One invocation computes one pixel of four channels.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, channels4: u32,
  step_y: f32, step_x: f32, start_y: f32, start_x: f32,
  times_y: u32, times_x: u32, plus_y: u32, plus_x: u32, over_y: u32, over_x: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read_write> dst: array<Dst4>;
#include output-pixel channels=shape.channels4

fn finish(value: vec4f, at: u32) { dst[at] = store_dst(value); }

fn source(image: u32, y: u32, x: u32, c: u32) -> vec4f {
  return load_src(src[((image * shape.in_height + y) * shape.in_width + x) * shape.channels4 + c]);
}

fn output(image: u32, out_y: u32, out_x: u32, c: u32) -> vec4f {
#if NEAREST
  let y = min((out_y * shape.times_y + shape.plus_y) / shape.over_y, shape.in_height - 1u);
  let x = min((out_x * shape.times_x + shape.plus_x) / shape.over_x, shape.in_width - 1u);
  return source(image, y, x, c);
#else
  let y = clamp(f32(out_y) * shape.step_y + shape.start_y, 0.0, f32(shape.in_height - 1u));
  let x = clamp(f32(out_x) * shape.step_x + shape.start_x, 0.0, f32(shape.in_width - 1u));
  let y0 = u32(y);
  let x0 = u32(x);
  let y1 = min(y0 + 1u, shape.in_height - 1u);
  let x1 = min(x0 + 1u, shape.in_width - 1u);
  let upper = mix(source(image, y0, x0, c), source(image, y0, x1, c), fract(x));
  let lower = mix(source(image, y1, x0, c), source(image, y1, x1, c), fract(x));
  return mix(upper, lower, fract(y));
#endif
}
