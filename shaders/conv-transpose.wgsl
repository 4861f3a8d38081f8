// Transposed convolution of one group, any kernel, stride and dilation: dst = activate(bias + what every input pixel lays
// on the output with its kernel, `stride` apart; pad_top rows and pad_left columns are left out before it).
//
// src      [batch][in_height][in_width][cin4]            NHWC, four channels a vec4
// weights  [kernel_y][kernel_x][cin4][4 · cout4]         one vec4 over four input channels for each output channel
// bias     [cout4]
// dst      [batch][out_height][out_width][cout4]
//
// One invocation gathers one pixel of four channels: of the taps those by which an input pixel lies `stride` apart.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, cin4: u32, cout4: u32,
  kernel_y: u32, kernel_x: u32, stride_y: u32, stride_x: u32, dilation_y: u32, dilation_x: u32,
  pad_top: u32, pad_left: u32,
}

#include convolution RESIDUAL_BINDING=5 PIECEWISE=0 OPTIONAL=0
@group(0) @binding(2) var<storage, read> weights: array<Weight4>;
#include output-pixel channels=shape.cout4

fn output(image: u32, out_y: u32, out_x: u32, c: u32) -> vec4f {
  var sum = bias[c];
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
        let value = load_src(src[at + k]);
        let row = 4u * ((tap + k) * shape.cout4 + c);
        sum += vec4f(
          dot(value, load_weight(weights[row])), dot(value, load_weight(weights[row + 1u])),
          dot(value, load_weight(weights[row + 2u])), dot(value, load_weight(weights[row + 3u])));
      }
    }
  }
  return sum;
}
