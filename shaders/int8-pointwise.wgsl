// Pointwise (1×1) convolution of stored integers as a matrix product.
//
// src      [pixels][cin4]          four channels to a word; pixels = batch · height · width
// weights  [cin4][quads]           words of four input channels for each of four output channels, in a buffer or as texels
// channels [quads]                 bias, in which the zero point of the inputs is, and multiplier
// residual [pixels][cout4]         with RESIDUAL, what is added (see int8-add)
// dst      [pixels][cout4]
//
// One invocation computes TILE_PIXELS pixels × TILE_CHANNELS channels. LANES says which the lanes of a workgroup differ in: 0
// tiles of pixels, so that the weights are uniform; 1 both, as one line, groups of channels fastest. With BROADCAST each of four
// neighbouring lanes loads one of four quads and all read the others' from it, so that none may leave early.
struct Shape {
  pixels: u32, cin4: u32, cout4: u32, quads: u32, groups_of_channels: u32,
  weight_zero: i32, least: i32, most: i32, zero_point: i32,
  a_zero: i32, b_zero: i32, a_factor: i32, b_factor: i32, shift: u32, sum_least: i32, sum_most: i32, sum_zero: i32,
}

override WORKGROUP_X: u32;

#include int8-convolution
#include int8-sums

@compute @workgroup_size(WORKGROUP_X)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
#if BROADCAST
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
#endif
) {
#if LANES == 1
  let place = (workgroup.y * MOST_WORKGROUPS + workgroup.x) * WORKGROUP_X + lane;
  let tile_of_pixels = place / shape.groups_of_channels;
  let group = place - tile_of_pixels * shape.groups_of_channels;
#else
  let tile_of_pixels = workgroup.x * WORKGROUP_X + lane;
  let group = workgroup.y;
#endif
  let pixel = tile_of_pixels * $(TILE_PIXELS)u;
#if EARLY_END
  if (pixel >= shape.pixels || group >= shape.groups_of_channels) { return; }
#endif
#include int8-place-of-group
#unroll p TILE_PIXELS
  let row$p = min(pixel + $(p)u, shape.pixels - 1u) * shape.cin4;
#end
#include int8-begin
  var row = 0u;
#if CHUNKS > 0
  for (var begin = 0u; begin < shape.cin4; begin += $(CHUNKS)u) {
  for (var k = begin; k < min(begin + $(CHUNKS)u, shape.cin4); k++) {
#else
  for (var k = 0u; k < shape.cin4; k++) {
#endif
#unroll p TILE_PIXELS
    let x$p = load(src[row$p + k]);
#end
#include int8-tile index=k row=row
    row += shape.quads;
  }
#if CHUNKS > 0
#include int8-flush
  }
#endif
  let first = pixel * shape.cout4 + channel4;
#include int8-finish pixels=min($(TILE_PIXELS)u, max(shape.pixels, pixel) - pixel) inside=pixel + $(p)u < shape.pixels
}
