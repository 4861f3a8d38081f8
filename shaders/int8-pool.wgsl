// The largest of a window of stored integers (MAXIMUM), or its average, places outside left out: (sum ± ⌊n / 2⌋) / n, truncated, or
// with UP ⌊(sum + ⌊n / 2⌋) / n⌋.
//
// src  [batch][in_height][in_width][channels4]      four channels to a word
// dst  [batch][out_height][out_width][channels4]
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, channels4: u32,
  kernel_y: u32, kernel_x: u32, stride_y: u32, stride_x: u32, pad_top: i32, pad_left: i32, least: i32, most: i32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(2) var<storage, read_write> dst: array<u32>;
#include output-pixel channels=shape.channels4

fn finish(stored: vec4i, at: u32) { dst[at] = word_of(clamp(stored, vec4i(shape.least), vec4i(shape.most))); }

fn output(image: u32, out_y: u32, out_x: u32, c: u32) -> vec4i {
  let top = i32(out_y * shape.stride_y) - shape.pad_top;
  let left = i32(out_x * shape.stride_x) - shape.pad_left;
#if MAXIMUM
  var found = vec4i(-128);
#else
  var found = vec4i(0);
  var count = 0;
#endif
  for (var y = max(top, 0); y < min(top + i32(shape.kernel_y), i32(shape.in_height)); y++) {
    for (var x = max(left, 0); x < min(left + i32(shape.kernel_x), i32(shape.in_width)); x++) {
      let pixel = (image * shape.in_height + u32(y)) * shape.in_width + u32(x);
      let value = integers_of(src[pixel * shape.channels4 + c]);
#if MAXIMUM
      found = max(found, value);
#else
      found += value;
      count++;
#endif
    }
  }
#if MAXIMUM
  return found;
#else
  let n = max(count, 1);
#if UP
  // No sum is below −128 · n: what is divided is positive.
  return (found + 256 * n + n / 2) / n - 256;
#else
  return (found + select(vec4i(-(n / 2)), vec4i(n / 2), found > vec4i(0))) / n;
#endif
#endif
}
