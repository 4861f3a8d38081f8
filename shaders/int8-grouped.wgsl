// Convolution of stored integers of any groups. The general and slow one; the others take the common cases.
//
// src      [batch][in_height][in_width][cin4]           four channels to a word
// weights  [kernel_y][kernel_x][group_inputs][cout4]    words of four output channels
// channels [cout4]                                      bias and multiplier
// dst      [batch][out_height][out_width][cout4]
//
// One invocation computes one pixel of four channels, which may belong to four groups.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, cin4: u32, cout4: u32,
  group_inputs: u32, group_outputs: u32,
  kernel_y: u32, kernel_x: u32, stride_y: u32, stride_x: u32, dilation_y: u32, dilation_x: u32,
  pad_top: i32, pad_left: i32, input_zero: i32, weight_zero: i32, least: i32, most: i32, zero_point: i32,
}

#include int8-convolution
@group(0) @binding(2) var<storage, read> weights: array<u32>;

// Channel `channel` of the pixel that starts at `at`. Groups past the last one, which no output is of, read the last channel.
fn source(at: u32, channel: u32) -> i32 {
  let c = min(channel, 4u * shape.cin4 - 1u);
  return (bitcast<i32>(src[at + c / 4u] << (24u - 8u * (c % 4u))) >> 24u) - shape.input_zero;
}

#include output-pixel channels=shape.cout4

fn output(image: u32, out_y: u32, out_x: u32, c: u32) -> vec4i {
  let first = (vec4u(4u * c) + vec4u(0u, 1u, 2u, 3u)) / shape.group_outputs * shape.group_inputs;
  let top = i32(out_y * shape.stride_y) - shape.pad_top;
  let left = i32(out_x * shape.stride_x) - shape.pad_left;
  var sum = vec4i(0);
  for (var ky = 0u; ky < shape.kernel_y; ky++) {
    let y = top + i32(ky * shape.dilation_y);
    if (y < 0 || y >= i32(shape.in_height)) { continue; }
    for (var kx = 0u; kx < shape.kernel_x; kx++) {
      let x = left + i32(kx * shape.dilation_x);
      if (x < 0 || x >= i32(shape.in_width)) { continue; }
      let at = ((image * shape.in_height + u32(y)) * shape.in_width + u32(x)) * shape.cin4;
      let tap = (ky * shape.kernel_x + kx) * shape.group_inputs;
      for (var k = 0u; k < shape.group_inputs; k++) {
        let inputs = vec4i(
          source(at, first.x + k), source(at, first.y + k), source(at, first.z + k), source(at, first.w + k));
        sum += inputs * (integers_of(weights[(tap + k) * shape.cout4 + c]) - shape.weight_zero);
      }
    }
  }
  return ended(sum, channels[c]);
}
