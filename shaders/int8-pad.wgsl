// Stored integers with a margin of a filler.
//
// src  [batch][in_height][in_width][channels4]      four channels to a word
// dst  [batch][out_height][out_width][channels4]
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, channels4: u32, pad_top: u32, pad_left: u32, filler: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(2) var<storage, read_write> dst: array<u32>;
#include output-pixel channels=shape.channels4

fn finish(word: u32, at: u32) { dst[at] = word; }

fn output(image: u32, out_y: u32, out_x: u32, c: u32) -> u32 {
  // Unsigned: what is above or left of the input is far beyond it.
  let y = out_y - shape.pad_top;
  let x = out_x - shape.pad_left;
  let inside = y < shape.in_height && x < shape.in_width;
  let at = select(0u, ((image * shape.in_height + y) * shape.in_width + x) * shape.channels4 + c, inside);
  return select(shape.filler, src[at], inside);
}
