// Stored integers of two tensors, of which the second is of equal shape or broadcast (see `binary`): their sum (ADD), their product
// (MULTIPLY), or the entry of a table for both.
//
// src, b   [images][pixels][channels4]     four channels to a word
// table    [2^14]                          four entries to a word, at 256 · (a + 128) + b + 128
// dst      as src
struct Shape {
  pixels: u32, channels4: u32, b_image_stride: u32, b_pixel_stride: u32, a_zero: i32, b_zero: i32,
  a_factor: i32, b_factor: i32, shift: u32, multiplier: f32, least: i32, most: i32, zero_point: i32,
}

#include elementwise DST_BINDING=3+TABLE
@group(0) @binding(2) var<storage, read> b: array<u32>;
#if TABLE
@group(0) @binding(3) var<storage, read> table: array<u32>;
#include int8-entry
#elif MULTIPLY
#include int8-requantise
#else
#include int8-add least=shape.least most=shape.most zero=shape.zero_point
#endif

fn output(at: u32, id: vec3u) -> vec4f {
  let x = integers_of(src[at]);
  let y = integers_of(b[id.z * shape.b_image_stride + id.y * shape.b_pixel_stride + id.x]);
#if TABLE
  return vec4f(entries(256 * (x + 128) + y + 128));
#elif MULTIPLY
  return vec4f(requantise((x - shape.a_zero) * (y - shape.b_zero), vec4f(shape.multiplier)));
#else
  return vec4f(added(x, y));
#endif
}
