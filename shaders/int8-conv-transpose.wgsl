// Transposed convolution of stored integers of one group, any kernel, stride and dilation.
//
// src      [batch][in_height][in_width][cin4]            four channels to a word
// weights  [kernel_y][kernel_x][cin4][cout4]             words of four input channels for each of four output channels
// channels [cout4]                                       bias and multiplier
// dst      [batch][out_height][out_width][cout4]
//
// One invocation gathers one pixel of four channels: of the taps those by which an input pixel lies `stride` apart.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, cin4: u32, cout4: u32,
  kernel_y: u32, kernel_x: u32, stride_y: u32, stride_x: u32, dilation_y: u32, dilation_x: u32,
  pad_top: u32, pad_left: u32, input_zero: i32, weight_zero: i32, least: i32, most: i32, zero_point: i32,
}

#include int8-convolution
@group(0) @binding(2) var<storage, read> weights: array<vec4u>;
#include output-pixel channels=shape.cout4

fn weight_of(word: u32) -> vec4i { return integers_of(word) - shape.weight_zero; }

fn output(image: u32, out_y: u32, out_x: u32, c: u32) -> vec4i {
  var sum = vec4i(0);
  for (var ky = 0u; ky < shape.kernel_y; ky++) {
    let above = ky * shape.dilation_y;
    let y = (max(out_y + shape.pad_top, above) - above) / shape.stride_y;
    if (y * shape.stride_y + above != out_y + shape.pad_top || y >= shape.in_height) { continue; }
    for (var kx = 0u; kx < shape.kernel_x; kx++) {
      let before = kx * shape.dilation_x;
      let x = (max(out_x + shape.pad_left, before) - before) / shape.stride_x;
      if (x * shape.stride_x + before != out_x + shape.pad_left || x >= shape.in_width) { continue; }
      let at = ((image * shape.in_height + y) * shape.in_width + x) * shape.cin4;
      let tap = (ky * shape.kernel_x + kx) * shape.cin4;
      for (var k = 0u; k < shape.cin4; k++) {
        let value = integers_of(src[at + k]) - shape.input_zero;
        let four = weights[(tap + k) * shape.cout4 + c];
        sum += vec4i(
          dot(value, weight_of(four.x)), dot(value, weight_of(four.y)),
          dot(value, weight_of(four.z)), dot(value, weight_of(four.w)));
      }
    }
  }
  return ended(sum, channels[c]);
}
