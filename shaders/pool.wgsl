// Windowed pooling of each channel. Maximum ignores places outside; average divides by the places inside, or by the
// whole window where padding counts.
//
// src  [batch][in_height][in_width][channels4]      NHWC, four channels a vec4
// dst  [batch][out_height][out_width][channels4]
//
// One invocation computes one pixel of four channels.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, channels4: u32,
  kernel_y: u32, kernel_x: u32, stride_y: u32, stride_x: u32, pad_top: i32, pad_left: i32, count_padding: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read_write> dst: array<Dst4>;
#include output-pixel channels=shape.channels4

fn finish(value: vec4f, at: u32) { dst[at] = store_dst(value); }

fn output(image: u32, out_y: u32, out_x: u32, c: u32) -> vec4f {
  let top = i32(out_y * shape.stride_y) - shape.pad_top;
  let left = i32(out_x * shape.stride_x) - shape.pad_left;
  let y0 = u32(max(top, 0));
  let x0 = u32(max(left, 0));
  let y1 = u32(min(top + i32(shape.kernel_y), i32(shape.in_height)));
  let x1 = u32(min(left + i32(shape.kernel_x), i32(shape.in_width)));
  let base = image * shape.in_height;
#if MAXIMUM
  var result = load_src(src[((base + y0) * shape.in_width + x0) * shape.channels4 + c]);
#else
  var result = vec4f(0.0);
#endif
  for (var y = y0; y < y1; y++) {
    for (var x = x0; x < x1; x++) {
      let next = load_src(src[((base + y) * shape.in_width + x) * shape.channels4 + c]);
#if MAXIMUM
      result = max(result, next);
#else
      result += next;
#endif
    }
  }
#if !MAXIMUM
  let counted = select((y1 - y0) * (x1 - x0), shape.kernel_y * shape.kernel_x, shape.count_padding == 1u);
  result /= f32(counted);
#endif
  return result;
}
