// Resized stored integers: nearest, or bilinear by weights of 11 bits each way, halves up.
//
// src     [batch][in_height][in_width][channels4]      four channels to a word
// places  [out_height + out_width]                     where a row, or a column, reads: two places, and the weight of the second in
//                                                      2048ths
// dst     [batch][out_height][out_width][channels4]
struct Shape { in_height: u32, in_width: u32, out_height: u32, out_width: u32, channels4: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(2) var<storage, read> places: array<vec4i>;
@group(0) @binding(3) var<storage, read_write> dst: array<u32>;
#include output-pixel channels=shape.channels4

fn finish(stored: vec4i, at: u32) { dst[at] = word_of(stored); }

fn output(image: u32, out_y: u32, out_x: u32, c: u32) -> vec4i {
  let v = places[out_y];
  let h = places[shape.out_height + out_x];
  let base = image * shape.in_height;
  let above = (base + u32(v.x)) * shape.in_width;
  let upper_left = integers_of(src[(above + u32(h.x)) * shape.channels4 + c]);
#if NEAREST
  return upper_left;
#else
  let below = (base + u32(v.y)) * shape.in_width;
  let upper_right = integers_of(src[(above + u32(h.y)) * shape.channels4 + c]);
  let lower_left = integers_of(src[(below + u32(h.x)) * shape.channels4 + c]);
  let lower_right = integers_of(src[(below + u32(h.y)) * shape.channels4 + c]);
  let top = 2048 * upper_left + (upper_right - upper_left) * h.z;
  let bottom = 2048 * lower_left + (lower_right - lower_left) * h.z;
  return (2048 * top + (bottom - top) * v.z + 2097152) >> vec4u(22u);
#endif
}
