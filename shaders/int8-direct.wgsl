// Normal convolution of stored integers, any kernel, stride, dilation and padding.
//
// src      [batch][in_height][in_width][cin4]           four channels to a word
// weights  [kernel_y][kernel_x][cin4][quads]            words of four input channels for each of four output channels, in a buffer
//                                                       or as texels of a row for each tap and k
// channels [quads]                                      bias, in which the zero point of the inputs is, and multiplier
// residual [batch][out_height][out_width][cout4]        with RESIDUAL, what is added (see int8-add)
// dst      [batch][out_height][out_width][cout4]
//
// One invocation computes TILE_PIXELS neighbours of a row × TILE_CHANNELS channels; places outside are the inputs' zero point.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, cin4: u32, cout4: u32, quads: u32,
  kernel_y: u32, kernel_x: u32, stride_y: u32, stride_x: u32, dilation_y: u32, dilation_x: u32,
  pad_top: i32, pad_left: i32, groups_of_channels: u32, images: u32, outside: u32,
  weight_zero: i32, least: i32, most: i32, zero_point: i32,
  a_zero: i32, b_zero: i32, a_factor: i32, b_factor: i32, shift: u32, sum_least: i32, sum_most: i32, sum_zero: i32,
}

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;

#include int8-convolution
#include int8-sums

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
#if BROADCAST
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
#endif
) {
#include row-tile
#include int8-begin
#unroll p TILE_PIXELS
  let left$p = i32((out_x + $(p)u) * shape.stride_x) - shape.pad_left;
#end
  var index = 0u;
  var row_of_weights = 0u;
  for (var ky = 0u; ky < shape.kernel_y; ky++) {
    let y = top + i32(ky * shape.dilation_y);
    let row = base + u32(clamp(y, 0, last_y)) * shape.in_width;
    let inside_y = y >= 0 && y <= last_y;
    for (var kx = 0u; kx < shape.kernel_x; kx++) {
      let dx = i32(kx * shape.dilation_x);
#unroll p TILE_PIXELS
      let inside$p = inside_y && left$p + dx >= 0 && left$p + dx <= last_x;
      let at$p = (row + u32(clamp(left$p + dx, 0, last_x))) * shape.cin4;
#end
#if CHUNKS > 0
      for (var begin = 0u; begin < shape.cin4; begin += $(CHUNKS)u) {
      for (var k = begin; k < min(begin + $(CHUNKS)u, shape.cin4); k++) {
#else
      for (var k = 0u; k < shape.cin4; k++) {
#endif
#unroll p TILE_PIXELS
        let x$p = load(select(shape.outside, src[at$p + k], inside$p));
#end
#include int8-tile index=index row=row_of_weights
        row_of_weights += shape.quads;
        index++;
      }
#if CHUNKS > 0
#include int8-flush
      }
#endif
    }
  }
  let first = ((image * shape.out_height + out_y) * shape.out_width + out_x) * shape.cout4 + channel4;
#include int8-finish pixels=select(0u, min($(TILE_PIXELS)u, max(shape.out_width, out_x) - out_x), out_y < shape.out_height) inside=out_y < shape.out_height && out_x + $(p)u < shape.out_width
}
