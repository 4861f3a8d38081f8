// Grouped convolution, any group and channel counts, a depthwise with several outputs a channel among them:
// dst = activate(conv(src) + bias) [+ residual]. The general and slow one; the others take the common cases.
//
// src      [batch][in_height][in_width][cin4]           NHWC, four channels a vec4
// weights  [kernel_y][kernel_x][group_inputs][cout4]    one vec4 over four output channels
// bias     [cout4]
// dst      [batch][out_height][out_width][cout4]
//
// One invocation computes one pixel of four channels, which may belong to four groups.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, cin4: u32, cout4: u32,
  group_inputs: u32, group_outputs: u32,
  kernel_y: u32, kernel_x: u32, stride_y: u32, stride_x: u32, dilation_y: u32, dilation_x: u32,
  pad_top: i32, pad_left: i32,
}

#include convolution RESIDUAL_BINDING=5 PIECEWISE=0 OPTIONAL=0
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;

// Channel `channel` of the pixel that starts at `at`. Groups past the last one (of the padded output channels, whose
// weights are zero) read the last channel.
fn source(at: u32, channel: u32) -> f32 {
  let c = min(channel, 4u * shape.cin4 - 1u);
  return load_src(src[at + c / 4u])[c % 4u];
}

#include output-pixel channels=shape.cout4

fn output(image: u32, out_y: u32, out_x: u32, c: u32) -> vec4f {
  let first = (vec4u(4u * c) + vec4u(0u, 1u, 2u, 3u)) / shape.group_outputs * shape.group_inputs;
  let top = i32(out_y * shape.stride_y) - shape.pad_top;
  let left = i32(out_x * shape.stride_x) - shape.pad_left;
  var sum = bias[c];
  for (var ky = 0u; ky < shape.kernel_y; ky++) {
    let y = top + i32(ky * shape.dilation_y);
    if (y < 0 || y >= i32(shape.in_height)) { continue; }
    for (var kx = 0u; kx < shape.kernel_x; kx++) {
      let x = left + i32(kx * shape.dilation_x);
      if (x < 0 || x >= i32(shape.in_width)) { continue; }
      let at = ((image * shape.in_height + u32(y)) * shape.in_width + u32(x)) * shape.cin4;
      let tap = (ky * shape.kernel_x + kx) * shape.group_inputs;
      for (var k = 0u; k < shape.group_inputs; k++) {
        let inputs = vec4f(
          source(at, first.x + k), source(at, first.y + k), source(at, first.z + k), source(at, first.w + k));
        sum = fma(inputs, weights[(tap + k) * shape.cout4 + c], sum);
      }
    }
  }
  return sum;
}
